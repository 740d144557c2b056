// What falls due before a command: gates that close and orders whose own time has come, in (time,
// order id) order, also while an instrument is halted; and client order ids that may be forgotten.
// 1-market, Determinism.
#pragma once

#include "engine/core/state.h"

namespace warpbook::engine {

void RunDueExpiries(Context& context);

// The common case, that nothing is due, is told by two loads.
inline void RunExpiries(Context& context) {
  const State& state = context.state;
  if (state.next_due <= context.now || !state.client_order_id_ends.empty()) [[unlikely]] {
    RunDueExpiries(context);
  }
}

}  // namespace warpbook::engine
