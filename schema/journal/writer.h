// Writer: appends batches to a recovered journal, durably: the files' LogAppender, whose contract
// command_log.h tells. One writer has a journal (it holds the recovered journal's lock). After a
// fault every later call answers with the same one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "schema/base/file.h"
#include "schema/journal/batch_hasher.h"
#include "schema/journal/command_log.h"
#include "schema/journal/format.h"
#include "schema/journal/recovery.h"
#include "schema/journal/segment_maker.h"

namespace warpbook::journal {

class Writer final : public LogAppender {
 public:
  struct Options {
    uint64_t segment_size = kDefaultSegmentSize;  // a multiple of 4 KiB, at least 8 KiB
    uint32_t rules_version = 1;
    bool make_segments_in_background = true;
  };

  // Begins a segment of a new epoch.
  static absl::StatusOr<std::unique_ptr<Writer>> Open(FileSystem& files, RecoveredJournal journal,
                                                      const Options& options);

  // One aligned write and one fdatasync; then the watermark is raised. OK: the batch is durable.
  absl::Status Append(const BatchToWrite& batch) override;

  // Puts the durable sequence on disk, as an empty synced batch, unless a header there already
  // tells it.
  absl::Status WriteIdleMarker() override;
  bool needs_idle_marker() const override { return marked_sequence_ < durable_sequence_; }

  uint64_t epoch() const { return epoch_; }
  uint64_t next_sequence() const { return durable_sequence_ + 1; }
  uint64_t durable_sequence() const { return durable_sequence_; }

 private:
  Writer(FileSystem& files, RecoveredJournal journal, const Options& options);
  absl::Status Write(const BatchToWrite& batch);
  // Goes on in the next segment, which has room for a batch of `batch_size` bytes.
  absl::Status BeginSegment(uint64_t batch_size);
  // Into buffer_.
  void Encode(const BatchToWrite& batch);

  FileSystem& files_;
  const RecoveredJournal journal_;
  const Options options_;
  const uint64_t epoch_;
  SegmentMaker maker_;

  absl::Status fault_;
  std::unique_ptr<File> segment_;
  uint64_t segment_number_;
  uint64_t segment_size_ = 0;
  uint64_t offset_ = 0;
  uint64_t durable_sequence_;
  uint64_t marked_sequence_;  // what the headers on disk say is durable
  std::vector<std::byte> buffer_;
  std::vector<std::byte> last_batch_;  // as it is on disk
  BatchHasher last_batch_hash_;        // reads last_batch_, so that it goes first
};

}  // namespace warpbook::journal
