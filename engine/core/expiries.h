// What falls due before a command: gates that close and orders whose own time has come, in (time,
// order id) order, also while an instrument is halted; and client order ids that may be forgotten.
// 1-market, Determinism.
#pragma once

#include "engine/core/state.h"

namespace warpbook::engine {

// Whether RunExpiries would do anything: two loads.
inline bool AnythingDue(const Context& context) {
  const State& state = context.state;
  return state.next_due <= context.now || state.client_order_ids.forgets(context.now);
}

void RunExpiries(Context& context);

}  // namespace warpbook::engine
