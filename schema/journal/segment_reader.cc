#include "schema/journal/segment_reader.h"

#include <algorithm>
#include <cstring>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "schema/base/crc32c.h"
#include "schema/journal/archive.h"
#include "schema/wire/record.h"

namespace warpbook::journal {
namespace {

constexpr size_t kRestChunkSize = 16 * kPageSize;

bool HeaderIsSound(const BatchHeader& header, uint64_t offset) {
  return header.magic == kBatchMagic && header.header_crc == BatchHeaderCrc(header) &&
         header.offset == offset && header.length >= sizeof(BatchHeader);
}

// What is wrong with the records: they are whole and known, commands are numbered as the header
// says, each event follows its command.
std::string RecordsFault(const BatchHeader& header, std::span<const std::byte> body) {
  wire::RecordFault fault{};
  if (!wire::ValidateRecords(body, &fault)) {
    return absl::StrCat(absl::string_view(fault.what.data(), fault.what.size()), " at byte ",
                        fault.offset, " of its records");
  }
  uint32_t commands = 0;
  uint32_t events = 0;
  for (const wire::RecordView record : wire::Records(body)) {
    if (wire::IsCommand(record.type())) {
      if (record.command_index() != commands ||
          record.command_header().sequence() != header.first_sequence + commands) {
        return "its commands are not in sequence";
      }
      ++commands;
    } else {
      if (commands == 0 || record.command_index() != commands - 1) {
        return "an event does not follow its command";
      }
      ++events;
    }
  }
  if (commands != header.command_count || events != header.event_count) {
    return "its header miscounts its records";
  }
  return "";
}

}  // namespace

absl::StatusOr<std::vector<uint64_t>> ListSegments(FileSystem& files,
                                                   const std::string& directory) {
  const absl::StatusOr<std::vector<std::string>> names = files.List(directory);
  if (!names.ok()) return names.status();
  std::vector<uint64_t> numbers;
  for (const std::string& name : *names) {
    if (const std::optional<uint64_t> number = ParseSegmentName(name)) numbers.push_back(*number);
  }
  std::sort(numbers.begin(), numbers.end());
  return numbers;
}

absl::StatusOr<std::vector<uint64_t>> ListAllSegments(FileSystem& files,
                                                      const std::string& directory) {
  // The archive last: a segment that moves there meanwhile is then seen twice at worst.
  absl::StatusOr<std::vector<uint64_t>> numbers = ListSegments(files, directory);
  if (!numbers.ok()) return numbers;
  const absl::StatusOr<std::vector<uint64_t>> archived =
      ListSegments(files, ArchiveDirectory(directory));
  if (absl::IsNotFound(archived.status())) return numbers;
  if (!archived.ok()) return archived;
  numbers->insert(numbers->end(), archived->begin(), archived->end());
  std::ranges::sort(*numbers);
  numbers->erase(std::unique(numbers->begin(), numbers->end()), numbers->end());
  return numbers;
}

absl::StatusOr<std::unique_ptr<SegmentReader>> SegmentReader::Open(FileSystem& files,
                                                                   const std::string& directory,
                                                                   uint64_t number) {
  std::string path = SegmentPath(directory, number);
  absl::StatusOr<std::unique_ptr<File>> file = files.Open(path, FileSystem::Mode::kRead);
  if (absl::IsNotFound(file.status())) {
    std::string archived = SegmentPath(ArchiveDirectory(directory), number);
    absl::StatusOr<std::unique_ptr<File>> in_archive =
        files.Open(archived, FileSystem::Mode::kRead);
    if (!absl::IsNotFound(in_archive.status())) {
      path = std::move(archived);
      file = std::move(in_archive);
    }
  }
  if (!file.ok()) return file.status();
  SegmentHeader header{.magic = 0};
  const absl::StatusOr<size_t> count =
      ReadFully(**file, 0, std::as_writable_bytes(std::span(&header, 1)));
  if (!count.ok()) return count.status();
  const std::string fault = *count < sizeof header ? std::string("it is cut short in its header")
                                                   : SegmentHeaderFault(header, number);
  if (!fault.empty()) return absl::DataLossError(absl::StrCat(path, ": ", fault));
  return std::unique_ptr<SegmentReader>(
      new SegmentReader(std::move(path), *std::move(file), header));
}

absl::StatusOr<std::optional<StoredBatch>> SegmentReader::ReadBatch(uint64_t offset) {
  const absl::StatusOr<std::optional<BatchHeader>> header = ReadHeader(offset, buffer_);
  if (!header.ok()) return header.status();
  if (!header->has_value()) return std::nullopt;
  return ReadBody(**header, offset, buffer_);
}

absl::StatusOr<std::optional<BatchHeader>> SegmentReader::ReadHeader(
    uint64_t offset, std::vector<std::byte>& buffer) {
  if (buffer.size() < kPageSize) buffer.resize(kPageSize);
  const absl::StatusOr<size_t> count =
      ReadFully(*file_, offset, std::span(buffer).first(kPageSize));
  if (!count.ok()) return count.status();
  BatchHeader header;
  if (*count < sizeof header) return std::nullopt;
  std::memcpy(&header, buffer.data(), sizeof header);
  if (!HeaderIsSound(header, offset)) return std::nullopt;
  if (header.length > *count) {
    // Not before the file is known to hold it: a length is no reason to take memory.
    const absl::StatusOr<uint64_t> size = file_->Size();
    if (!size.ok()) return size.status();
    if (*count < kPageSize || *size < offset + header.length) return std::nullopt;
  }
  return header;
}

absl::StatusOr<std::optional<StoredBatch>> SegmentReader::ReadBody(const BatchHeader& header,
                                                                   uint64_t offset,
                                                                   std::vector<std::byte>& buffer) {
  const size_t length = header.length;
  if (length > kPageSize) {
    if (buffer.size() < length) buffer.resize(length);
    const absl::StatusOr<size_t> rest = ReadFully(
        *file_, offset + kPageSize, std::span(buffer).subspan(kPageSize, length - kPageSize));
    if (!rest.ok()) return rest.status();
    if (*rest < length - kPageSize) return std::nullopt;
  }
  const std::span<const std::byte> bytes = std::span(buffer).first(length);
  StoredBatch batch;
  batch.header = header;
  batch.body = bytes.subspan(sizeof header);
  if (Crc32c(batch.body) != header.body_crc) return std::nullopt;
  batch.hash = Sha256(bytes);
  batch.records_fault = RecordsFault(header, batch.body);
  batch.end_offset = offset + PaddedToPage(length);
  return batch;
}

absl::StatusOr<SegmentRest> SegmentReader::ReadRest(uint64_t offset) {
  SegmentRest rest;
  std::vector<std::byte> chunk(kRestChunkSize);
  for (uint64_t at = offset;; at += kRestChunkSize) {
    const absl::StatusOr<size_t> count = ReadFully(*file_, at, chunk);
    if (!count.ok()) return count.status();
    const std::span<const std::byte> bytes = std::span(chunk).first(*count);
    for (size_t i = bytes.size(); i > 0; --i) {
      if (bytes[i - 1] == std::byte{0}) continue;
      rest.nonzero_end = at + i;
      break;
    }
    for (size_t page = 0; page + sizeof(BatchHeader) <= bytes.size(); page += kPageSize) {
      uint64_t magic = 0;
      std::memcpy(&magic, bytes.data() + page, sizeof magic);
      if (magic != kBatchMagic || rest.batch_at_offset) continue;
      const absl::StatusOr<std::optional<StoredBatch>> batch = ReadBatch(at + page);
      if (!batch.ok()) return batch.status();
      if (batch->has_value()) rest.batch_at_offset = at + page;
    }
    if (bytes.size() < kRestChunkSize) return rest;
  }
}

}  // namespace warpbook::journal
