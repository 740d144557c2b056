// The bytes of the whole state, in an order that depends on nothing but the command sequence; all
// but the running event hash and the event sequence is in them: those stand beside them in a
// Checkpoint, whose own event moves them on, and in the header of a snapshot.
#pragma once

#include "engine/core/state.h"
#include "schema/types/state_stream.h"

namespace warpbook::engine {

void WriteState(const State& state, StateWriter& writer);

// The hash of those bytes. Slow.
uint64_t HashState(const State& state);

}  // namespace warpbook::engine
