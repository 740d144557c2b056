// Every invariant of the state, recomputed from the orders, leases and accounts themselves. Slow:
// for tests, for debug builds, and for a state that was read from bytes.
#pragma once

#include "engine/core/state.h"

namespace warpbook::engine {

// One that does not hold, or null: of those that what a state is made of could break, in a time
// that grows with the state.
const char* FindFault(const State& state);

// CHECKs them all: also those of lists and indexes, which only a bug could break, and that nothing
// that rests could trade with anything else that rests. Orders that pass each other over make that
// one grow with the square of their number; no command relies on it.
void CheckStateInvariants(const State& state);

}  // namespace warpbook::engine
