// FlowMarket: the public order flow played to our engine. Buys are bids of buyers, sells are asks
// of providers' nodes; one instrument, whose window is far away. From the engine's events alone it
// writes the flow's canonical reports, whose hash is published, and it keeps the commands that the
// flow became, so that a benchmark can apply them again without any of this work.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "engine/core/engine.h"
#include "schema/wire/record.h"
#include "tests/bench/order_flow.h"

namespace warpbook::bench {

// Whose orders they are. The reports are the published ones where nobody's tier or assurance
// differs from the others'.
struct FlowMembers {
  uint32_t buyers = 1;
  uint32_t providers = 1;
  bool tiers = false;  // bids of all three tiers, asks of all three assurances, at random
};

// What to apply to a fresh engine of FlowLimits(), stamped.
struct FlowCommands {
  std::vector<wire::CommandRecord> setup;  // accounts, money, nodes, the instrument
  std::vector<wire::CommandRecord> flow;   // one for each message
};
engine::EngineLimits FlowLimits();

struct FlowResult {
  FlowCommands commands;
  std::string reports;  // canonical
  uint64_t trades = 0;
  uint64_t refused = 0;     // cancels and modifies of orders that do not rest
  uint64_t event_hash = 0;  // the engine's, after the last command
};

// Plays the flow. CHECKs that the engine refuses nothing but what the flow means to be refused.
FlowResult PlayOrderFlow(std::span<const FlowMessage> messages, const FlowMembers& members);

}  // namespace warpbook::bench
