#include "gateway/net/market_metrics.h"

#include <algorithm>
#include <iterator>
#include <string>
#include <tuple>

#include "schema/types/probe_reason.h"

namespace warpbook::gateway {
namespace {

constexpr int64_t kSecondsPerMinute = 60;

// GPUs at a side's best prices, and the best one.
template <typename Levels>
std::pair<Price, int64_t> TopOf(const Levels& levels) {
  int64_t gpus = 0;
  size_t count = 0;
  for (auto level = levels.begin(); level != levels.end() && count < kDepthLevels; ++level) {
    gpus += level->second.value();
    ++count;
  }
  return {levels.empty() ? Price(0) : levels.begin()->first, gpus};
}

std::string NameOf(const Catalogue& catalogue, ClassId id) {
  const HardwareClass* const found = catalogue.FindClass(id);
  return found == nullptr ? "unknown" : found->name;
}
std::string NameOf(const Catalogue& catalogue, RegionId id) {
  const Region* const found = catalogue.FindRegion(id);
  return found == nullptr ? "unknown" : found->name;
}

}  // namespace

MarketMetrics::MarketMetrics(Metrics& metrics, const Catalogue& catalogue)
    : metrics_(metrics),
      catalogue_(catalogue),
      probes_passed_(metrics.counter(Metric::kMarketProbeVerdicts, {"passed"})),
      probes_failed_(metrics.counter(Metric::kMarketProbeVerdicts, {"failed"})) {
  metrics.AddSource([shared = shared_, catalogue = std::make_shared<const Catalogue>(catalogue)](
                        MetricSamples& samples) {
    std::vector<Row> rows;
    {
      const std::lock_guard lock(shared->mutex);
      rows = shared->rows;
    }
    AddSamples(*catalogue, std::move(rows), samples);
  });
}

void MarketMetrics::OnBatch(const engine::DurableBatch& batch, const MarketState& state) {
  for (const wire::RecordView record : wire::Records(batch.records)) {
    if (record.type() == wire::RecordType::kTradeExecuted) {
      const auto& trade = record.as<wire::TradeExecuted>();
      const InstrumentRow* const row = state.FindInstrument(InstrumentId(trade.instrument_id()));
      if (row == nullptr) continue;
      Traded& traded = traded_[{row->terms->class_id, row->terms->region_id}];
      ++traded.fills;
      traded.gpu_seconds +=
          static_cast<uint64_t>(int64_t{trade.gpus()} * trade.minutes() * kSecondsPerMinute);
      traded.paid += Credits(trade.notional());
    } else if (record.type() == wire::RecordType::kProbeDecided) {
      const auto reason = static_cast<ProbeReason>(record.as<wire::ProbeDecided>().reason());
      (reason == ProbeReason::kNone ? probes_passed_ : probes_failed_).Add(1);
    }
  }
}

MarketMetrics::Row MarketMetrics::RowOf(const InstrumentRow& instrument) {
  Row row{.group = {instrument.terms->class_id, instrument.terms->region_id},
          .window_start = instrument.terms->window_start,
          .bid = {},
          .ask = {},
          .last = {}};
  std::tie(row.bid, row.bid_gpus) = TopOf(instrument.book.bids);
  std::tie(row.ask, row.ask_gpus) = TopOf(instrument.book.asks);
  if (!instrument.last_trades.empty()) row.last = instrument.last_trades.back().price;
  return row;
}

void MarketMetrics::Look(const MarketState& state) {
  const absl::btree_set<InstrumentId>& open = state.open_instruments();
  auto next = open.lower_bound(next_);
  for (size_t i = 0; i < kInstrumentsPerLook && next != open.end(); ++i, ++next) {
    rows_.push_back(RowOf(*state.FindInstrument(*next)));
  }
  if (next != open.end()) {
    next_ = *next;
    return;
  }
  next_ = InstrumentId();
  HandOverTrades();
  {
    const std::lock_guard lock(shared_->mutex);
    shared_->rows.swap(rows_);
  }
  rows_.clear();
}

void MarketMetrics::HandOverTrades() {
  for (auto& [group, traded] : traded_) {
    auto counters = trade_counters_.find(group);
    if (counters == trade_counters_.end()) {
      const Metrics::Labels labels = {NameOf(catalogue_, group.first),
                                      NameOf(catalogue_, group.second)};
      counters =
          trade_counters_
              .emplace(group,
                       TradeCounters{metrics_.counter(Metric::kMarketFills, labels),
                                     metrics_.counter(Metric::kMarketTradedGpuSeconds, labels),
                                     metrics_.counter(Metric::kMarketTradedUsd, labels)})
              .first;
    }
    counters->second.fills.Add(traded.fills);
    counters->second.gpu_seconds.Add(traded.gpu_seconds);
    counters->second.usd.Add(static_cast<uint64_t>(traded.paid.value()));
    traded = {};
  }
}

void MarketMetrics::AddSamples(const Catalogue& catalogue, std::vector<Row> rows,
                               MetricSamples& samples) {
  std::ranges::sort(rows, {},
                    [](const Row& row) { return std::pair(row.group, row.window_start); });
  for (size_t first = 0; first < rows.size();) {
    const Group group = rows[first].group;
    const std::string class_name = NameOf(catalogue, group.first);
    const std::string region = NameOf(catalogue, group.second);
    int64_t bid_gpus = 0, ask_gpus = 0;
    size_t i = first;
    for (; i < rows.size() && rows[i].group == group; ++i) {
      const Row& row = rows[i];
      bid_gpus += row.bid_gpus;
      ask_gpus += row.ask_gpus;
      const auto ahead = static_cast<uint32_t>(i - first);
      if (std::ranges::find(kExportedWindows, ahead) == std::end(kExportedWindows)) continue;
      const MetricSamples::Labels window = {class_name, region, std::to_string(ahead)};
      const auto add = [&](Metric metric, std::vector<std::string> labels, Price price) {
        if (price != Price(0)) samples.Add(metric, std::move(labels), price.value());
      };
      add(Metric::kMarketBestPrice, {class_name, region, window[2], "buy"}, row.bid);
      add(Metric::kMarketBestPrice, {class_name, region, window[2], "sell"}, row.ask);
      add(Metric::kMarketLastPrice, window, row.last);
    }
    samples.Add(Metric::kMarketDepth, {class_name, region, "buy"}, bid_gpus);
    samples.Add(Metric::kMarketDepth, {class_name, region, "sell"}, ask_gpus);
    first = i;
  }
}

}  // namespace warpbook::gateway
