#include "schema/journal/segment_batches.h"

#include <algorithm>
#include <utility>

namespace warpbook::journal {
namespace {

constexpr uint64_t kSmallSegment = uint64_t{1} << 20;
constexpr size_t kThreadsMax = 4;

}  // namespace

size_t SegmentBatches::ThreadsFor(uint64_t segment_bytes) {
  if (segment_bytes < kSmallSegment) return 0;
  return std::clamp<size_t>(std::thread::hardware_concurrency(), 1, kThreadsMax);
}

absl::StatusOr<std::unique_ptr<SegmentBatches>> SegmentBatches::Open(FileSystem& files,
                                                                     const std::string& directory,
                                                                     uint64_t number,
                                                                     uint64_t offset,
                                                                     size_t threads) {
  std::unique_ptr<SegmentBatches> batches(new SegmentBatches(offset));
  while (batches->readers_.size() < std::max<size_t>(threads, 1)) {
    absl::StatusOr<std::unique_ptr<SegmentReader>> reader =
        SegmentReader::Open(files, directory, number);
    if (!reader.ok()) return reader.status();
    batches->readers_.push_back(*std::move(reader));
  }
  for (size_t i = 0; i < threads; ++i) {
    batches->threads_.emplace_back(
        [self = batches.get(), reader = batches->readers_[i].get()] { self->Run(*reader); });
  }
  return batches;
}

SegmentBatches::~SegmentBatches() {
  {
    const std::lock_guard lock(mutex_);
    ended_ = true;
  }
  changed_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

absl::StatusOr<std::optional<StoredBatch>> SegmentBatches::Next() {
  if (threads_.empty()) {
    absl::StatusOr<std::optional<StoredBatch>> batch = readers_.front()->ReadBatch(offset_);
    if (batch.ok() && batch->has_value()) offset_ = (*batch)->end_offset;
    return batch;
  }
  std::unique_lock lock(mutex_);
  if (given_ > 0) slots_[(given_ - 1) % kSlots].done = false;  // it may be read into again
  Slot& slot = slots_[given_ % kSlots];
  changed_.wait(lock, [&] { return slot.done; });
  ++given_;
  changed_.notify_all();
  return slot.batch;
}

// Its threads take turns at looking at the next batch's header, which says where the one behind it
// begins, and read and hash the rest side by side.
void SegmentBatches::Run(SegmentReader& reader) {
  std::unique_lock lock(mutex_);
  while (true) {
    // The batch that was given last is in use.
    changed_.wait(lock, [this] { return ended_ || begun_ + 1 < given_ + kSlots; });
    if (ended_) return;
    Slot& slot = slots_[begun_++ % kSlots];
    const absl::StatusOr<std::optional<BatchHeader>> header =
        reader.ReadHeader(offset_, slot.buffer);
    if (header.ok() && header->has_value()) {
      const uint64_t offset = std::exchange(offset_, offset_ + PaddedToPage((*header)->length));
      lock.unlock();
      absl::StatusOr<std::optional<StoredBatch>> batch =
          reader.ReadBody(**header, offset, slot.buffer);
      lock.lock();
      slot.batch = std::move(batch);
    } else if (header.ok()) {
      slot.batch = std::nullopt;
    } else {
      slot.batch = header.status();
    }
    slot.done = true;
    if (!slot.batch.ok() || !slot.batch->has_value()) ended_ = true;
    changed_.notify_all();
  }
}

}  // namespace warpbook::journal
