#include "settlement/service/ledger_monitor.h"

#include <doctest/doctest.h>

#include <string>

#include "schema/metrics/metrics.h"

namespace warpbook::settlement {
namespace {

// 1,000 TOK in all, 250 of them in the vault; credits for 100 USD, of which 10 are owed.
MonitoredFigures Figures() {
  MonitoredFigures figures;
  const auto set = [&](Holding holding, int64_t amount) {
    figures.tokens.totals[static_cast<size_t>(holding)] = amount;
  };
  set(Holding::kIssuance, -1'000'000'000);
  set(Holding::kVault, 250'000'000);
  set(Holding::kOutside, 600'000'000);
  set(Holding::kTokens, 149'500'000);
  set(Holding::kFee, 500'000);
  set(Holding::kIssued, -6'000'000'000);
  set(Holding::kFree, 5'000'000'000);
  set(Holding::kEscrow, 400'000'000);
  set(Holding::kOwed, 600'000'000);
  figures.tokens.counters.burned = Tokens(250'000'000);
  figures.tokens.counters.reminted_provider = Tokens(2'000'000);
  figures.tokens.counters.reminted_fee = Tokens(500'000);
  figures.leases = {{"reserved", 3}, {"active", 0}};
  return figures;
}

std::string TextOf(const MonitoredFigures& figures) {
  Metrics metrics;
  metrics.AddSource([&](MetricSamples& samples) { AddLedgerSamples(figures, samples); });
  return metrics.Text();
}

bool Has(const std::string& text, const std::string& line) {
  return ("\n" + text).find("\n" + line + "\n") != std::string::npos;
}

}  // namespace

TEST_CASE("The metrics say where the tokens are, in TOK, and what credits stand for, in USD") {
  const std::string text = TextOf(Figures());
  CHECK(Has(text, R"(warpbook_token_supply{kind="total"} 1000)"));
  CHECK(Has(text, R"(warpbook_token_supply{kind="vault"} 250)"));
  CHECK(Has(text, R"(warpbook_token_supply{kind="members"} 149.5)"));
  CHECK(Has(text, R"(warpbook_token_supply{kind="fee"} 0.5)"));
  CHECK(Has(text, R"(warpbook_token_supply{kind="outside"} 600)"));
  CHECK(Has(text, R"(warpbook_token_flow_total{kind="burned"} 250)"));
  CHECK(Has(text, R"(warpbook_token_flow_total{kind="reminted"} 2.5)"));
  CHECK(Has(text, "warpbook_vault_debt_usd 100"));
  CHECK(Has(text, "warpbook_settlement_owed_usd 10"));
  CHECK(Has(text, R"(warpbook_settlement_leases{state="reserved"} 3)"));
  CHECK(Has(text, R"(warpbook_settlement_leases{state="active"} 0)"));
}

TEST_CASE("Coverage is there where a price is") {
  MonitoredFigures figures = Figures();
  CHECK(TextOf(figures).find("warpbook_vault_coverage_ratio") == std::string::npos);
  figures.tokens.cursor.market_time = Timestamp(1'000'000'000);
  std::array<PriceFeed, kPriceFeeds> feeds;
  feeds.fill({TokenPrice(200'000), figures.tokens.cursor.market_time});  // 0.20 USD
  TakePrices(figures.tokens.prices, feeds, figures.tokens.cursor.market_time);
  const std::string text = TextOf(figures);
  CHECK(Has(text, "warpbook_token_price_usd 0.2"));
  CHECK(Has(text, "warpbook_vault_coverage_ratio 0.5"));
}

TEST_CASE("Balances that do not add up show, each asset for itself, by how much") {
  MonitoredFigures figures = Figures();
  std::string text = TextOf(figures);
  CHECK(Has(text, R"(warpbook_ledger_imbalance{asset="tokens"} 0)"));
  CHECK(Has(text, R"(warpbook_ledger_imbalance{asset="credits"} 0)"));
  figures.tokens.totals[static_cast<size_t>(Holding::kTokens)] += 7;
  figures.tokens.totals[static_cast<size_t>(Holding::kFree)] -= 9;
  text = TextOf(figures);
  CHECK(Has(text, R"(warpbook_ledger_imbalance{asset="tokens"} 7)"));
  CHECK(Has(text, R"(warpbook_ledger_imbalance{asset="credits"} -9)"));
}

}  // namespace warpbook::settlement
