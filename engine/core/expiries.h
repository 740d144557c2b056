// What falls due before a command: gates that close and orders whose own time has come, in (time,
// order id) order, also while an instrument is halted; and client order ids that may be forgotten.
// 1-market, Determinism.
#pragma once

#include "engine/core/state.h"

namespace warpbook::engine {

void RunExpiries(Context& context);

}  // namespace warpbook::engine
