// The hash of the whole state, in an order that depends on nothing but the command sequence. All
// but the running event hash and the event sequence is in it: those stand beside it in a
// Checkpoint, whose own event moves them on.
#pragma once

#include <cstdint>

#include "engine/core/state.h"

namespace warpbook::engine {

uint64_t HashState(const State& state);

}  // namespace warpbook::engine
