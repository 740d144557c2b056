// Violation: what a simulated run throws when something that must hold does not.
#pragma once

#include <stdexcept>

#include "absl/strings/str_cat.h"

namespace warpbook::simulation {

struct Violation : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// Throws a Violation, told by `what` in one sentence, unless it holds.
template <typename... What>
void Require(bool holds, const What&... what) {
  if (!holds) throw Violation(absl::StrCat(what...));
}

}  // namespace warpbook::simulation
