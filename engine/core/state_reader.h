// The way back from the bytes of a state (state_writer.h). Each value is held to what a command
// could have made of it before it is used, and at the end to the invariants (invariants.h), so that
// whatever bytes come, they are refused or give a state that commands can go on from.
#pragma once

#include <span>
#include <string>

#include "engine/core/state.h"

namespace warpbook::engine {

enum class StateFault { kNone, kOtherLimits, kDamaged };
struct StateReading {
  StateFault fault = StateFault::kNone;
  std::string sentence;  // what is at fault, and where
};

// Into a fresh state, whose limits must be those of the bytes. Where there is a fault the state is
// of no use.
StateReading ReadState(std::span<const std::byte> bytes, State& state);

}  // namespace warpbook::engine
