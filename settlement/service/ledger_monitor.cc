#include "settlement/service/ledger_monitor.h"

#include <algorithm>
#include <cstdint>
#include <utility>

#include "absl/status/status.h"
#include "schema/base/log.h"
#include "settlement/ledger/accounts.h"
#include "settlement/tokens/coverage.h"

namespace warpbook::settlement {
namespace {

constexpr std::chrono::seconds kStatementTimeout(30);

// What the balances of an asset miss adding up to zero by. Modulo 2^64: tampered rows may hold
// anything.
int64_t Imbalance(const HoldingTotals& totals, Asset asset) {
  uint64_t sum = 0;
  for (const HoldingInfo& info : kHoldings) {
    if (info.asset == asset)
      sum += static_cast<uint64_t>(totals[static_cast<size_t>(info.holding)]);
  }
  return static_cast<int64_t>(sum);
}

void AddTokens(const TokenFigures& figures, MetricSamples& samples) {
  const auto total = [&](Holding holding) { return figures.totals[static_cast<size_t>(holding)]; };
  samples.Add(Metric::kLedgerImbalance, {"tokens"}, Imbalance(figures.totals, Asset::kTok));
  samples.Add(Metric::kLedgerImbalance, {"credits"}, Imbalance(figures.totals, Asset::kCredit));
  samples.Add(Metric::kTokenSupply, {"total"}, -total(Holding::kIssuance));
  samples.Add(Metric::kTokenSupply, {"vault"}, total(Holding::kVault));
  samples.Add(Metric::kTokenSupply, {"members"}, total(Holding::kTokens));
  samples.Add(Metric::kTokenSupply, {"fee"}, total(Holding::kFee));
  samples.Add(Metric::kTokenSupply, {"outside"}, total(Holding::kOutside));
  const SupplyCounters& counters = figures.counters;
  samples.Add(Metric::kTokenFlow, {"burned"}, counters.burned.value());
  samples.Add(Metric::kTokenFlow, {"reminted"},
              (counters.reminted_provider + counters.reminted_fee).value());
  samples.Add(Metric::kTokenFlow, {"emitted"}, counters.emitted.value());
  samples.Add(Metric::kTokenFlow, {"retired"}, counters.retired.value());
  samples.Add(Metric::kTokenFlow, {"deposited"}, counters.deposited.value());
  samples.Add(Metric::kTokenFlow, {"withdrawn"}, counters.withdrawn.value());
  Credits debt;
  for (const Holding holding :
       {Holding::kFree, Holding::kLocked, Holding::kEscrow, Holding::kOwed}) {
    debt += Credits(total(holding));
  }
  samples.Add(Metric::kVaultDebt, {}, debt.value());
  samples.Add(Metric::kSettlementOwed, {}, total(Holding::kOwed));
  const auto quote = QuotePrices(figures.prices, figures.cursor.market_time);
  if (!quote) return;  // without a price there is no coverage
  samples.Add(Metric::kTokenPrice, {}, quote->median.value());
  samples.Add(Metric::kVaultCoverage, {},
              CoverageBps(Tokens(total(Holding::kVault)), quote->median, debt));
}

}  // namespace

void AddLedgerSamples(const MonitoredFigures& figures, MetricSamples& samples) {
  AddTokens(figures.tokens, samples);
  for (const auto& [state, count] : figures.leases) {
    samples.Add(Metric::kSettlementLeases, {state}, count);
  }
}

LedgerMonitor::LedgerMonitor(Options options, Metrics& metrics) : options_(std::move(options)) {
  metrics.AddSource([shared = shared_](MetricSamples& samples) {
    const std::lock_guard lock(shared->mutex);
    if (shared->figures) AddLedgerSamples(*shared->figures, samples);
  });
  thread_ = std::thread([this] { Run(); });
}

LedgerMonitor::~LedgerMonitor() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    if (database_) CancelStatement(*database_);
  }
  changed_.notify_all();
  thread_.join();
}

void LedgerMonitor::Run() {
  while (true) {
    const auto begin = std::chrono::steady_clock::now();
    Read();
    const auto took = std::chrono::steady_clock::now() - begin;
    const auto rest = std::max<std::chrono::steady_clock::duration>(options_.interval,
                                                                    took * options_.rest_factor);
    std::unique_lock lock(mutex_);
    if (changed_.wait_for(lock, rest, [this] { return stopping_; })) return;
  }
}

// What fails is tried again the next time; that the database is away is the worker's to say.
void LedgerMonitor::Read() {
  if (!database_) {
    auto connected = Database::Connect(options_.conninfo);
    if (!connected.ok() || !connected->LimitStatements(kStatementTimeout).ok()) return;
    const std::lock_guard lock(mutex_);
    if (stopping_) return;
    database_ = *std::move(connected);
  }
  auto figures = ReadMonitoredFigures(*database_);
  if (figures.ok()) {
    const std::lock_guard lock(shared_->mutex);
    shared_->figures = *std::move(figures);
    return;
  }
  if (!absl::IsNotFound(figures.status()) && !absl::IsUnavailable(figures.status())) {
    Log(LogLevel::kWarning, "ledger_not_monitored",
        JsonObject().Text("detail", std::string(figures.status().message())));
  }
  const std::lock_guard lock(mutex_);
  database_.reset();
}

}  // namespace warpbook::settlement
