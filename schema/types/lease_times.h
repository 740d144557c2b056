// How long the parties of a delivered lease have (2-tokens, Money flow 3; Bonds and slashing). The
// engine refuses what comes later, and settlement decides on the lease no earlier: so that nothing
// can come between its decision and the engine, both go by these.
#pragma once

#include <cstdint>

namespace warpbook {

// From its delivery's end: how long its buyer may dispute it.
inline constexpr int64_t kDisputeMinutes = 10;
// From the dispute: how long an operator may judge it; then the rule does.
inline constexpr int64_t kJudgingMinutes = 60;

}  // namespace warpbook
