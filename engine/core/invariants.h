// Every invariant of the state, recomputed from the orders, leases and accounts themselves and
// CHECKed. Slow: for tests and debug builds.
#pragma once

#include "engine/core/state.h"

namespace warpbook::engine {

void CheckStateInvariants(const State& state);

}  // namespace warpbook::engine
