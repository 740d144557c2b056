// SegmentBatches: the batches of one segment in order, for who reads a whole journal. Most of that
// work is one hash of every byte, and no batch's hash depends on another's: in a segment of some
// size, threads of its own read and hash batches ahead. One thread owns it.
#pragma once

#include <array>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/statusor.h"
#include "schema/base/file.h"
#include "schema/journal/segment_reader.h"

namespace warpbook::journal {

class SegmentBatches {
 public:
  // How many threads are worth their start for a segment of so many bytes; 0: none.
  static size_t ThreadsFor(uint64_t segment_bytes);

  // From the batch at `offset` on. The directory and the number are those of the segment.
  static absl::StatusOr<std::unique_ptr<SegmentBatches>> Open(FileSystem& files,
                                                              const std::string& directory,
                                                              uint64_t number, uint64_t offset,
                                                              size_t threads);
  ~SegmentBatches();
  SegmentBatches(const SegmentBatches&) = delete;
  SegmentBatches& operator=(const SegmentBatches&) = delete;

  // As SegmentReader::ReadBatch of the place behind the last one. The batch is valid until the next
  // call; after an error or nullopt there is none.
  absl::StatusOr<std::optional<StoredBatch>> Next();

 private:
  static constexpr size_t kSlots = 8;
  struct Slot {
    std::vector<std::byte> buffer;
    absl::StatusOr<std::optional<StoredBatch>> batch = std::nullopt;
    bool done = false;
  };

  explicit SegmentBatches(uint64_t offset) : offset_(offset) {}
  void Run(SegmentReader& reader);

  std::vector<std::unique_ptr<SegmentReader>> readers_;  // one for each thread, at least one

  std::mutex mutex_;  // guards what follows; a slot that is being read is its thread's
  std::condition_variable changed_;
  std::array<Slot, kSlots> slots_;  // of batch i: i % kSlots
  uint64_t begun_ = 0;              // batches that threads have begun to read
  uint64_t given_ = 0;              // batches that Next has given
  uint64_t offset_;                 // of the next batch to read
  bool ended_ = false;              // nothing more is to be read
  std::vector<std::thread> threads_;
};

}  // namespace warpbook::journal
