// BatchRing: hands batches of records from one thread to another without copying them, as the
// sequencer hands them to the journal. One producer, one consumer; both spin.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "schema/wire/record.h"

namespace warpbook::bench {

inline void Pause() { __builtin_ia32_pause(); }

class BatchRing {
 public:
  // Where the producer writes.
  wire::RecordWriter& records() { return slots_[written_ % kSlots].records; }
  // After each command: hands the batch over once it is large enough.
  void EndCommand() {
    if (records().size() >= kBatchBytes) HandOver();
  }
  // Hands over what there is, and that it was the last.
  void Finish() {
    HandOver();
    finished_.store(true, std::memory_order_release);
  }

  // The consumer: calls `take` with each batch until the last one.
  template <typename Take>
  void Drain(Take&& take) {
    for (uint64_t read = 0;; ++read) {
      while (read == handed_over_.load(std::memory_order_acquire)) {
        if (finished_.load(std::memory_order_acquire) &&
            read == handed_over_.load(std::memory_order_acquire)) {
          return;
        }
        Pause();
      }
      wire::RecordWriter& records = slots_[read % kSlots].records;
      take(records.bytes());
      records.Clear();
      drained_.store(read + 1, std::memory_order_release);
    }
  }

 private:
  static constexpr size_t kSlots = 8;
  static constexpr size_t kBatchBytes = 16 * 1'024;  // of all slots: what fits a core's cache
  struct alignas(64) Slot {
    wire::RecordWriter records;
  };

  void HandOver() {
    handed_over_.store(++written_, std::memory_order_release);
    while (written_ - drained_.load(std::memory_order_acquire) >= kSlots) Pause();
  }

  std::array<Slot, kSlots> slots_;
  uint64_t written_ = 0;  // the producer's
  alignas(64) std::atomic<uint64_t> handed_over_ = 0;
  alignas(64) std::atomic<uint64_t> drained_ = 0;
  alignas(64) std::atomic<bool> finished_ = false;
};

}  // namespace warpbook::bench
