// EventReader: what the second core does with events. It reads every byte of them, and looks that
// none is missing.
#pragma once

#include <atomic>
#include <cstdint>
#include <span>
#include <thread>

#include "schema/base/check.h"
#include "tests/bench/batch_ring.h"

namespace warpbook::bench {

class EventReader {
 public:
  // Returns once the thread runs.
  explicit EventReader(BatchRing& ring)
      : thread_([this, &ring] {
          runs_.store(true);
          ring.Drain([this](std::span<const std::byte> bytes) { Read(bytes); });
        }) {
    for (Spin spin; !runs_.load();) spin.Wait();
  }
  // Waits for the last event. CHECKs that none is missing.
  void Join() {
    thread_.join();
    WARPBOOK_CHECK(gapless_);
    __asm__ volatile("" : : "r"(sum_));  // it was wanted: the reading may not be left out
  }

 private:
  void Read(std::span<const std::byte> bytes) {
    // All bytes first, in order, as fast as they come from the other core; then each record's
    // header, which is near by then.
    const auto* words = reinterpret_cast<const uint64_t*>(bytes.data());
    const size_t count = bytes.size() / sizeof(uint64_t);
    uint64_t sums[4] = {};
    size_t i = 0;
    for (; i + 4 <= count; i += 4) {
      for (size_t lane = 0; lane < 4; ++lane) sums[lane] += words[i + lane];
    }
    for (; i < count; ++i) sums[0] += words[i];
    sum_ += sums[0] + sums[1] + sums[2] + sums[3];
    for (const wire::RecordView record : wire::Records(bytes)) {
      const uint64_t sequence = record.event_header().event_sequence();
      gapless_ = gapless_ && (last_sequence_ == 0 || sequence == last_sequence_ + 1);
      last_sequence_ = sequence;
    }
  }

  uint64_t last_sequence_ = 0;
  uint64_t sum_ = 0;
  bool gapless_ = true;
  std::atomic<bool> runs_ = false;
  std::thread thread_;
};

}  // namespace warpbook::bench
