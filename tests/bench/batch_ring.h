// BatchRing: hands batches of records from one thread to another without copying them, as the
// sequencer hands them to the journal. One producer, one consumer; both spin.
//
// A batch is large enough that its two signals cost each record next to nothing. All slots together
// are larger than a core's second-level cache and smaller than the third, which the cores share: a
// line that is written again has left the reader's own cache by then. With a ring that fits the
// second level, every line is asked back from the other core: half the rate for a hand-off alone,
// two thirds for the engine. Each thread writes cache lines of its own, but for a batch's.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <thread>
#include <vector>

#include "schema/base/check.h"
#include "schema/wire/record.h"

namespace warpbook::bench {

// Waits for the other thread. After some microseconds it lets others run: on a busy machine the
// other thread may be waiting for this core.
class Spin {
 public:
  void Wait() {
    if (++waits_ % kWaitsPerYield != 0) {
      __builtin_ia32_pause();
    } else {
      std::this_thread::yield();
    }
  }

 private:
  static constexpr uint32_t kWaitsPerYield = 1'024;
  uint32_t waits_ = 0;
};

struct RingShape {
  uint32_t slots = 64;  // a power of two
  uint32_t batch_bytes = 64 * 1'024;
  bool one_thread = false;  // nobody reads: a full batch is emptied by the producer
};

class BatchRing {
 public:
  explicit BatchRing(const RingShape& shape)
      : slots_(shape.slots),
        mask_(shape.slots - 1),
        batch_bytes_(shape.batch_bytes),
        one_thread_(shape.one_thread) {
    WARPBOOK_CHECK(shape.slots > 1 && (shape.slots & mask_) == 0);
    // The kernel gives the memory now, not while time is taken.
    const std::vector<std::byte> zeros(2 * batch_bytes_);
    for (Slot& slot : slots_) {
      slot.records.AppendBytes(zeros);
      slot.records.Clear();
    }
  }

  // Where the producer writes.
  wire::RecordWriter& records() { return *filling_; }
  // After each command: hands the batch over once it is large enough.
  void EndCommand() {
    if (filling_->size() >= batch_bytes_) [[unlikely]]
      HandOver();
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
      for (Spin spin; read == handed_over_.load(std::memory_order_acquire); spin.Wait()) {
        if (finished_.load(std::memory_order_acquire) &&
            read == handed_over_.load(std::memory_order_acquire)) {
          return;
        }
      }
      wire::RecordWriter& records = slots_[read & mask_].records;
      take(records.bytes());
      records.Clear();
      drained_.store(read + 1, std::memory_order_release);
    }
  }

 private:
  struct alignas(64) Slot {
    wire::RecordWriter records;
  };

  void HandOver() {
    if (one_thread_) return filling_->Clear();
    handed_over_.store(++written_, std::memory_order_release);
    for (Spin spin; written_ - drained_.load(std::memory_order_acquire) >= slots_.size();) {
      spin.Wait();
    }
    filling_ = &slots_[written_ & mask_].records;
  }

  std::vector<Slot> slots_;
  const uint64_t mask_;
  const size_t batch_bytes_;
  const bool one_thread_;
  // The producer's.
  alignas(64) wire::RecordWriter* filling_ = &slots_[0].records;
  uint64_t written_ = 0;
  // Each written by one thread and read by the other.
  alignas(64) std::atomic<uint64_t> handed_over_ = 0;
  alignas(64) std::atomic<uint64_t> drained_ = 0;
  alignas(64) std::atomic<bool> finished_ = false;
};

}  // namespace warpbook::bench
