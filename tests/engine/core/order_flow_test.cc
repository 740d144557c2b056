// The engine on a public order flow with one right answer: the SHA-256 of its canonical reports, as
// published with arXiv 2606.01183 (seed 23, 1,000,000 new orders).
#include <doctest/doctest.h>

#include <string>
#include <string_view>

#include "schema/base/crypto.h"
#include "tests/bench/flow_market.h"

namespace warpbook::engine {
namespace {

std::string Hex(const Sha256Digest& digest) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (const uint8_t byte : digest) {
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text;
}

void CheckScenario(std::string_view name) {
  const bench::OrderFlowScenario& scenario = *bench::FindOrderFlowScenario(name);
  const std::vector<bench::FlowMessage> messages =
      bench::MakeOrderFlow(scenario, bench::kPublishedSeed, bench::kPublishedCount);
  const bench::FlowResult result = bench::PlayOrderFlow(messages, bench::kBareMarket);
  CHECK(Hex(Sha256(std::as_bytes(std::span(result.reports)))) == scenario.published);
}

}  // namespace

TEST_CASE("The order flow's published reports: static") { CheckScenario("static"); }
TEST_CASE("The order flow's published reports: normal") { CheckScenario("normal"); }
TEST_CASE("The order flow's published reports: swing-25") { CheckScenario("swing-25"); }
TEST_CASE("The order flow's published reports: swing-40") { CheckScenario("swing-40"); }
TEST_CASE("The order flow's published reports: flash-crash") { CheckScenario("flash-crash"); }

TEST_CASE("A flow of any scenario, seed and count can be played, in one book or many") {
  for (const bench::OrderFlowScenario& scenario : bench::OrderFlowScenarios()) {
    for (const uint32_t seed : {0u, 1u, 4'294'967'295u}) {
      for (const uint32_t count : {1u, 2u, 3u, 1'000u}) {
        const std::vector<bench::FlowMessage> messages =
            bench::MakeOrderFlow(scenario, seed, count);
        CHECK(messages.size() >= count);
        bench::MarketSize many = bench::kBareMarket;
        many.instruments = 50;
        for (const bench::MarketSize& size : {bench::kBareMarket, many}) {
          const bench::FlowResult result = bench::PlayOrderFlow(messages, size);
          CHECK(result.commands.flow.size() == messages.size());
          CHECK(!result.reports.empty());
        }
      }
    }
  }
}

}  // namespace warpbook::engine
