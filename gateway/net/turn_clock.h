// TurnClock: a clock as it was when the turn of the loop began. What is read or taken at once
// happened at one time, and a clock for each message is not cheap. Belongs to the I/O thread.
#pragma once

#include <cstdint>

#include "schema/base/clock.h"

namespace warpbook::gateway {

class TurnClock final : public Clock {
 public:
  // The clock must outlive it.
  explicit TurnClock(const Clock& clock) : clock_(clock), now_micros_(clock.NowMicros()) {}

  int64_t NowMicros() const override { return now_micros_; }
  void BeginTurn() { now_micros_ = clock_.NowMicros(); }

 private:
  const Clock& clock_;
  int64_t now_micros_;
};

}  // namespace warpbook::gateway
