// A journal in memory: batches of a real engine's commands and events, and readers that see them up
// to a watermark, as journal::TailReader does.
#pragma once

#include <deque>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "schema/journal/tail_reader.h"
#include "schema/wire/record.h"

namespace warpbook::test {

struct MemoryBatch {
  uint64_t first_sequence = 0;
  uint32_t command_count = 0;
  std::vector<std::byte> records;
};

class MemoryJournal {
 public:
  void Append(MemoryBatch batch) { batches_.push_back(std::move(batch)); }
  // Gives its batches away: from now on it is empty.
  std::deque<MemoryBatch> Take() { return std::exchange(batches_, {}); }
  size_t size() const { return batches_.size(); }
  const MemoryBatch& batch(size_t index) const { return batches_[index]; }
  // How many batches readers see; all by default.
  void ShowOnly(size_t batches) { visible_ = batches; }
  void ShowAll() { visible_ = SIZE_MAX; }
  uint64_t last_sequence() const {
    return batches_.empty() ? 0
                            : batches_.back().first_sequence + batches_.back().command_count - 1;
  }

  std::unique_ptr<journal::TailReader> Open(uint64_t from_sequence) const {
    return std::make_unique<Reader>(*this, from_sequence);
  }

 private:
  class Reader : public journal::TailReader {
   public:
    Reader(const MemoryJournal& journal, uint64_t from_sequence)
        : journal_(journal), from_sequence_(from_sequence) {}
    absl::StatusOr<std::optional<journal::BatchView>> Next() override {
      while (next_ < journal_.size() && next_ < journal_.visible_) {
        const MemoryBatch& batch = journal_.batch(next_++);
        if (batch.first_sequence + batch.command_count <= from_sequence_) continue;
        return journal::BatchView{1, batch.first_sequence, batch.command_count, 0, batch.records};
      }
      return std::nullopt;
    }

   private:
    const MemoryJournal& journal_;
    const uint64_t from_sequence_;
    size_t next_ = 0;
  };

  std::deque<MemoryBatch> batches_;
  size_t visible_ = SIZE_MAX;
};

}  // namespace warpbook::test
