// The engine on a public order flow with one right answer: the SHA-256 of its canonical reports, as
// published with arXiv 2606.01183 (seed 23, 1,000,000 new orders).
#include <doctest/doctest.h>

#include <string>
#include <string_view>

#include "schema/base/crypto.h"
#include "tests/bench/flow_market.h"

namespace warpbook::engine {
namespace {

constexpr uint32_t kSeed = 23;
constexpr uint32_t kNewOrders = 1'000'000;

std::string Hex(const Sha256Digest& digest) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (const uint8_t byte : digest) {
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text;
}

void CheckScenario(std::string_view name, std::string_view published) {
  const std::vector<bench::FlowMessage> messages =
      bench::MakeOrderFlow(*bench::FindOrderFlowScenario(name), kSeed, kNewOrders);
  const bench::FlowResult result = bench::PlayOrderFlow(messages, {});
  CHECK(Hex(Sha256(std::as_bytes(std::span(result.reports)))) == published);
}

}  // namespace

TEST_CASE("The order flow's published reports: static") {
  CheckScenario("static", "9803843ee404fc29c9a0aa5614f8f0d5a58b5c44fcac9ef89067886fcaaa30d1");
}
TEST_CASE("The order flow's published reports: normal") {
  CheckScenario("normal", "e9b2e3926854410b01a035aeb25dd05f1e597c233be8263de9eb49b6713d367e");
}
TEST_CASE("The order flow's published reports: swing-25") {
  CheckScenario("swing-25", "61a84be9469661bd039e00dbc9a7c011e70b6ace37aadfe60045ea083b05f4df");
}
TEST_CASE("The order flow's published reports: swing-40") {
  CheckScenario("swing-40", "3cb0175e7982ff09ea220d1feaee3844cf9116a5ce455757879dea1d880b9b9f");
}
TEST_CASE("The order flow's published reports: flash-crash") {
  CheckScenario("flash-crash", "cff8d3f94b709fc64a8b2058a6ca4fb6920364904796e46906895e362d2bb16b");
}

}  // namespace warpbook::engine
