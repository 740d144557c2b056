// FlowMarket: the public order flow played to our engine. Buys are bids of buyers, sells are asks
// of providers' nodes; in one instrument, or spread over many. From the engine's events alone it
// writes the flow's canonical reports, whose hash is published, and it keeps the commands that the
// flow became, so that a benchmark can apply them again without any of this work.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "engine/core/engine.h"
#include "schema/wire/record.h"
#include "tests/bench/market.h"
#include "tests/bench/order_flow.h"

namespace warpbook::bench {

// What to apply to a fresh engine of these limits, stamped.
struct FlowCommands {
  engine::EngineLimits limits;
  std::vector<wire::CommandRecord> setup;  // accounts, money, nodes, instruments
  std::vector<wire::CommandRecord> flow;   // one for each message
};

struct FlowResult {
  FlowCommands commands;
  std::string reports;  // canonical
  uint64_t trades = 0;
  uint64_t refused = 0;     // cancels and modifies of orders that do not rest
  uint64_t event_hash = 0;  // the engine's, after the last command
};

// Plays the flow. CHECKs that the engine refuses nothing but what the flow means to be refused. The
// reports are the published ones in one instrument where nobody's tier or assurance differs from
// the others'.
FlowResult PlayOrderFlow(std::span<const FlowMessage> messages, const MarketSize& size);

}  // namespace warpbook::bench
