// Clocks. The engine and the token rules never see one: time reaches them inside commands.
#pragma once

#include <cstdint>

namespace warpbook {

// Microseconds since 1970-01-01T00:00:00Z.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual int64_t NowMicros() const = 0;
};

// The machine's real-time clock.
class SystemClock : public Clock {
 public:
  int64_t NowMicros() const override;
};

// Runs `factor` times as fast as the machine's monotonic clock, from `start_micros` at
// construction.
class ScaledClock : public Clock {
 public:
  ScaledClock(int64_t start_micros, int64_t factor);
  int64_t NowMicros() const override;

 private:
  const int64_t start_micros_;
  const int64_t factor_;
  const int64_t monotonic_start_micros_;
};

// Stands still until it is set: for tests.
class ManualClock : public Clock {
 public:
  explicit ManualClock(int64_t now_micros) : now_micros_(now_micros) {}
  int64_t NowMicros() const override { return now_micros_; }
  void Set(int64_t now_micros) { now_micros_ = now_micros; }
  void Advance(int64_t micros) { now_micros_ += micros; }

 private:
  int64_t now_micros_;
};

}  // namespace warpbook
