// The public order flow of "The World's Fastest Matching Engine Algorithm" (arXiv 2606.01183): a
// deterministic, realistically shaped flow for one instrument, on which independent engines produce
// byte-identical reports. Seed, scenario and count give the same messages on every machine with
// glibc's mathematics (built with -ffp-contract=off).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace warpbook::bench {

struct OrderFlowScenario {
  std::string_view name;
  double volatility = 0;
  double swing = 0;
  // The SHA-256 of its canonical reports, as published for kPublishedSeed and kPublishedCount.
  std::string_view published;
};
inline constexpr uint32_t kPublishedSeed = 23;
inline constexpr uint32_t kPublishedCount = 1'000'000;

// static, normal, swing-25, swing-40, flash-crash.
const std::vector<OrderFlowScenario>& OrderFlowScenarios();
// Null where no scenario has this name.
const OrderFlowScenario* FindOrderFlowScenario(std::string_view name);

enum class FlowAction : uint8_t { kNew, kModify, kCancel };

// A message's place in the flow is its sequence number, from 0.
struct FlowMessage {
  int64_t time_us = 0;
  FlowAction action = FlowAction::kNew;
  bool is_sell = false;
  bool immediate_or_cancel = false;  // of a new order
  uint32_t order = 0;                // the flow's own id, from 1
  int64_t price = 0;                 // ticks of $0.005
  int32_t quantity = 0;              // of a modify: the new remainder
};

// About 2 messages for each of `count` new orders.
std::vector<FlowMessage> MakeOrderFlow(const OrderFlowScenario& scenario, uint32_t seed,
                                       uint32_t count);

}  // namespace warpbook::bench
