#include "schema/journal/writer.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "schema/base/check.h"
#include "schema/base/crc32c.h"
#include "schema/wire/record.h"

namespace warpbook::journal {

absl::StatusOr<std::unique_ptr<Writer>> Writer::Open(FileSystem& files, RecoveredJournal journal,
                                                     const Options& options) {
  if (options.segment_size % kPageSize != 0 || options.segment_size < 2 * kPageSize) {
    return absl::InvalidArgumentError(absl::StrCat("a segment's size of ", options.segment_size,
                                                   " is not a multiple of 4096 from 8192 up"));
  }
  std::unique_ptr<Writer> writer(new Writer(files, std::move(journal), options));
  writer->maker_.Prepare();
  const absl::Status begun = writer->BeginSegment(kPageSize);
  if (!begun.ok()) return begun;
  return writer;
}

Writer::Writer(FileSystem& files, RecoveredJournal journal, const Options& options)
    : files_(files),
      journal_(std::move(journal)),
      options_(options),
      epoch_(journal_.scan.epoch + 1),
      maker_(files, journal_.directory, options.segment_size, options.make_segments_in_background),
      segment_number_(journal_.scan.segment),
      durable_sequence_(journal_.scan.last_sequence),
      marked_sequence_(journal_.scan.last_sequence),
      last_batch_hash_(journal_.scan.last_batch_hash) {}

absl::Status Writer::Append(const BatchToWrite& batch) {
  if (!fault_.ok()) return fault_;
  WARPBOOK_CHECK(batch.command_count > 0);
  // A journal with a sequence twice would be refused at the next start.
  WARPBOOK_CHECK(wire::RecordView(batch.records.data()).command_header().sequence() ==
                 next_sequence());
  fault_ = Write(batch);
  return fault_;
}

absl::Status Writer::WriteIdleMarker() {
  if (fault_.ok() && needs_idle_marker()) fault_ = Write(BatchToWrite{});
  return fault_;
}

absl::Status Writer::Write(const BatchToWrite& batch) {
  const uint64_t length = sizeof(BatchHeader) + batch.records.size();
  if (length > kMaxBatchBytes) {
    return absl::ResourceExhaustedError(
        absl::StrCat("a batch of ", length, " bytes is beyond the journal's format"));
  }
  const uint64_t padded = PaddedToPage(length);
  if (offset_ + padded > segment_size_) {
    const absl::Status begun = BeginSegment(padded);
    if (!begun.ok()) return begun;
  }
  Encode(batch);
  std::swap(buffer_, last_batch_);
  last_batch_hash_.Begin(std::span(last_batch_).first(length));
  absl::Status status = WriteFully(*segment_, offset_, last_batch_);
  if (status.ok()) status = segment_->SyncData();
  if (!status.ok()) return status;

  offset_ += padded;
  marked_sequence_ = durable_sequence_;
  durable_sequence_ += batch.command_count;
  if (batch.command_count > 0) journal_.watermark->Store(durable_sequence_);
  return absl::OkStatus();
}

void Writer::Encode(const BatchToWrite& batch) {
  BatchHeader header;
  header.length = static_cast<uint32_t>(sizeof header + batch.records.size());
  buffer_.resize(PaddedToPage(header.length));
  std::copy(batch.records.begin(), batch.records.end(), buffer_.begin() + sizeof header);
  std::fill(buffer_.begin() + header.length, buffer_.end(), std::byte{0});

  header.body_crc = Crc32c(batch.records);
  header.epoch = epoch_;
  header.first_sequence = next_sequence();
  header.command_count = batch.command_count;
  header.event_count = batch.event_count;
  header.durable_sequence = durable_sequence_;
  header.offset = offset_;
  header.previous_batch_hash = last_batch_hash_.hash();
  header.header_crc = BatchHeaderCrc(header);
  std::memcpy(buffer_.data(), &header, sizeof header);
}

absl::Status Writer::BeginSegment(uint64_t batch_size) {
  const uint64_t size = std::max(options_.segment_size, kPageSize + batch_size);
  std::string prepared_path;
  absl::Status status = maker_.Take(size, &prepared_path);
  if (!status.ok()) return status;
  absl::StatusOr<std::unique_ptr<File>> segment =
      files_.Open(prepared_path, FileSystem::Mode::kReadWrite);
  if (!segment.ok()) return segment.status();

  SegmentHeader header;
  header.rules_version = options_.rules_version;
  header.number = segment_number_ + 1;
  header.epoch = epoch_;
  header.first_sequence = next_sequence();
  header.segment_size = size;
  header.previous_batch_hash = last_batch_hash_.hash();
  header.crc = SegmentHeaderCrc(header);
  status = WriteFully(**segment, 0, std::as_bytes(std::span(&header, 1)));
  if (status.ok()) status = (*segment)->SyncData();
  // Only a segment whose header is on disk gets a segment's name.
  if (status.ok()) {
    status = files_.Rename(prepared_path, SegmentPath(journal_.directory, header.number));
  }
  if (status.ok()) status = files_.SyncDirectory(journal_.directory);
  if (!status.ok()) return status;

  segment_ = *std::move(segment);
  segment_number_ = header.number;
  segment_size_ = size;
  offset_ = kPageSize;
  marked_sequence_ = durable_sequence_;  // the header's first_sequence tells it
  maker_.Prepare();
  return absl::OkStatus();
}

}  // namespace warpbook::journal
