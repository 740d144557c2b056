// The inside of Engine, for engine.cc and inspect.cc.
#pragma once

#include "engine/core/state.h"

namespace warpbook::engine {

class Engine::Impl {
 public:
  Impl(const EngineLimits& limits, uint64_t index_secret) : state(limits, index_secret) {}
  State state;
  EventWriter events;
};

}  // namespace warpbook::engine
