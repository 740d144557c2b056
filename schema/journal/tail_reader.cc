#include "schema/journal/tail_reader.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "schema/journal/chain.h"
#include "schema/journal/format.h"
#include "schema/journal/segment_reader.h"
#include "schema/journal/watermark.h"

namespace warpbook::journal {
namespace {

class JournalTailReader final : public TailReader {
 public:
  JournalTailReader(FileSystem& files, std::string directory, std::unique_ptr<Watermark> watermark,
                    std::unique_ptr<SegmentReader> segment, uint64_t from_sequence)
      : files_(files),
        directory_(std::move(directory)),
        watermark_(std::move(watermark)),
        segment_(std::move(segment)),
        chain_(segment_->header()),
        from_sequence_(from_sequence) {}

  absl::StatusOr<std::optional<BatchView>> Next() override {
    while (true) {
      // Whatever is at or below the watermark was written before it was raised; what is above may
      // be half written.
      if (chain_.next_sequence() > watermark_->Load()) return std::nullopt;
      absl::StatusOr<std::optional<StoredBatch>> batch = segment_->ReadBatch(offset_);
      if (!batch.ok()) return batch.status();
      if (!batch->has_value()) {
        const absl::Status moved = GoToNextSegment();
        if (!moved.ok()) return moved;
        continue;
      }
      const std::string fault = chain_.BatchFault(**batch);
      if (!fault.empty()) return Damaged(fault);
      chain_.Advance(**batch);
      offset_ = (*batch)->end_offset;
      const BatchHeader& header = (*batch)->header;
      if (header.command_count == 0 || chain_.next_sequence() <= from_sequence_) continue;
      return BatchView{header.epoch,       header.first_sequence, header.command_count,
                       header.event_count, (*batch)->body,        segment_->header().rules_version};
    }
  }

 private:
  absl::Status GoToNextSegment() {
    const uint64_t number = chain_.segment() + 1;
    absl::StatusOr<std::unique_ptr<SegmentReader>> next =
        SegmentReader::Open(files_, directory_, number);
    if (absl::IsNotFound(next.status())) {
      return Damaged("there is no batch, and no next segment");
    }
    if (!next.ok()) return next.status();
    const absl::StatusOr<uint64_t> size = segment_->Size();
    if (!size.ok()) return size.status();
    const std::string fault =
        chain_.SegmentFault((*next)->header(), *size == segment_->header().segment_size);
    if (!fault.empty()) {
      return absl::DataLossError(absl::StrCat((*next)->path(), ": ", fault));
    }
    chain_.Advance((*next)->header());
    segment_ = *std::move(next);
    offset_ = kPageSize;
    return absl::OkStatus();
  }

  absl::Status Damaged(const std::string& fault) const {
    return absl::DataLossError(absl::StrCat(segment_->path(), ", offset ", offset_,
                                            ", at durable sequence ", chain_.next_sequence(), ": ",
                                            fault));
  }

  FileSystem& files_;
  const std::string directory_;
  const std::unique_ptr<Watermark> watermark_;
  std::unique_ptr<SegmentReader> segment_;
  Chain chain_;
  uint64_t offset_ = kPageSize;
  const uint64_t from_sequence_;
};

// The segment that holds the sequence, or the last one.
absl::StatusOr<std::unique_ptr<SegmentReader>> FindSegment(FileSystem& files,
                                                           const std::string& directory,
                                                           uint64_t from_sequence) {
  const absl::StatusOr<std::vector<uint64_t>> numbers = ListAllSegments(files, directory);
  if (!numbers.ok()) return numbers.status();
  for (size_t i = numbers->size(); i > 0; --i) {
    absl::StatusOr<std::unique_ptr<SegmentReader>> segment =
        SegmentReader::Open(files, directory, (*numbers)[i - 1]);
    if (!segment.ok() || (*segment)->header().first_sequence <= from_sequence) return segment;
  }
  if (numbers->empty()) {
    return absl::NotFoundError(absl::StrCat(directory, " holds no journal yet"));
  }
  return absl::OutOfRangeError(absl::StrCat(directory, " begins after sequence ", from_sequence));
}

}  // namespace

absl::StatusOr<std::unique_ptr<TailReader>> TailReader::Open(const std::string& directory,
                                                             uint64_t from_sequence) {
  return Open(PosixFileSystem(), directory, from_sequence);
}

absl::StatusOr<std::unique_ptr<TailReader>> TailReader::Open(FileSystem& files,
                                                             const std::string& directory,
                                                             uint64_t from_sequence) {
  from_sequence = std::max<uint64_t>(from_sequence, 1);
  absl::StatusOr<std::unique_ptr<Watermark>> watermark = Watermark::Open(files, directory);
  if (!watermark.ok()) return watermark.status();
  const uint64_t durable = (*watermark)->Load();
  if (from_sequence > durable + 1) {
    return absl::OutOfRangeError(absl::StrCat(directory, " ends at sequence ", durable,
                                              ": it has no sequence ", from_sequence));
  }
  absl::StatusOr<std::unique_ptr<SegmentReader>> segment =
      FindSegment(files, directory, from_sequence);
  if (!segment.ok()) return segment.status();
  return std::make_unique<JournalTailReader>(files, directory, *std::move(watermark),
                                             *std::move(segment), from_sequence);
}

}  // namespace warpbook::journal
