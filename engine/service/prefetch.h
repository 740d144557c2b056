// How the service tells the engine which commands come next.
#pragma once

#include <cstddef>
#include <utility>

#include "engine/core/engine.h"

namespace warpbook::engine {

// Before the command at `index` of `count` is applied: begins to fetch what those behind it need.
template <typename CommandAt>
void PrefetchAhead(const Engine& engine, size_t index, size_t count, CommandAt command_at) {
  constexpr std::pair<size_t, FetchStep> kSteps[] = {
      {12, FetchStep::kFirst}, {8, FetchStep::kSecond}, {4, FetchStep::kThird}};
  for (const auto& [ahead, step] : kSteps) {
    if (index + ahead < count) engine.Prefetch(command_at(index + ahead), step);
  }
}

}  // namespace warpbook::engine
