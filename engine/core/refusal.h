// Refusal: what a handler answers when a command is not carried out. Made before the first effect.
#pragma once

#include <cstdint>

#include "schema/types/reject_reason.h"

namespace warpbook::engine {

struct Refusal {
  RejectReason reason = RejectReason::kNone;
  // What the limit was, what was available: by reason, see engine/core/README.md. 0: none.
  int64_t detail = 0;

  // Whether the command is refused.
  explicit operator bool() const { return reason != RejectReason::kNone; }
};

inline constexpr Refusal kNoRefusal{};

}  // namespace warpbook::engine
