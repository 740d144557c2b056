// The inside of Engine, for engine.cc and inspect.cc.
#pragma once

#include "engine/core/state.h"

namespace warpbook::engine {

class Engine::Impl {
 public:
  explicit Impl(const EngineLimits& limits) : state(limits) {}
  State state;
  EventWriter events;
};

}  // namespace warpbook::engine
