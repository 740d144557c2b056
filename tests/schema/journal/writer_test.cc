#include "schema/journal/writer.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <random>

#include "schema/journal/segment_maker.h"
#include "schema/journal/segment_reader.h"
#include "schema/journal/tail_reader.h"
#include "tests/schema/journal/journal_fixture.h"
#include "tests/support/faulty_file_system.h"
#include "tests/support/memory_file_system.h"

namespace warpbook::journal::test {
namespace {

using warpbook::test::FaultyFileSystem;
using warpbook::test::FileFault;
using warpbook::test::FileOperation;
using warpbook::test::MemoryFileSystem;

std::unique_ptr<Writer> OpenWriter(FileSystem& files, uint64_t pages) {
  absl::StatusOr<Recovered> recovered = Recover(files);
  REQUIRE_MESSAGE(recovered.ok(), recovered.status().ToString());
  absl::StatusOr<std::unique_ptr<Writer>> writer =
      Writer::Open(files, std::move(recovered->journal), SmallSegments(pages));
  REQUIRE_MESSAGE(writer.ok(), writer.status().ToString());
  return *std::move(writer);
}

BatchHeader HeaderAt(MemoryFileSystem& files, uint64_t segment, uint64_t offset) {
  BatchHeader header;
  std::memcpy(&header, files.content(Segment(segment)).data() + offset, sizeof header);
  return header;
}

TEST_CASE("What was appended is read back in order, over many segments and starts") {
  MemoryFileSystem files;
  std::mt19937 random(1);
  uint64_t expected_sequence = 0;
  for (int start = 0; start < 5; ++start) {
    std::vector<uint32_t> counts;
    for (int i = 0; i < 20; ++i) counts.push_back(static_cast<uint32_t>(random() % 100));
    for (const uint32_t count : counts) expected_sequence += count;
    REQUIRE(WriteBatches(files, counts, 4).ok());
    const absl::StatusOr<Recovered> recovered = Recover(files);
    REQUIRE_MESSAGE(recovered.ok(), recovered.status().ToString());
    CHECK(recovered->history.last_sequence == expected_sequence);
    CHECK(IsGapless(recovered->history));
    CHECK(recovered->journal.repair_note.empty());
  }
}

TEST_CASE("Each start raises the epoch and begins a segment") {
  MemoryFileSystem files;
  for (uint64_t start = 1; start <= 3; ++start) {
    const std::unique_ptr<Writer> writer = OpenWriter(files, 4);
    CHECK(writer->epoch() == start);
    SegmentHeader header;
    std::memcpy(&header, files.content(Segment(start)).data(), sizeof header);
    CHECK(header.epoch == start);
    CHECK(header.number == start);
    CHECK(header.first_sequence == 1);
    CHECK(header.rules_version == kRules);
  }
}

TEST_CASE("Batches lie at pages, each with the hash of the one before it") {
  MemoryFileSystem files;
  REQUIRE(WriteBatches(files, {1, 100, 1}).ok());
  const BatchHeader first = HeaderAt(files, 1, kPageSize);
  const BatchHeader second = HeaderAt(files, 1, 2 * kPageSize);
  CHECK(first.first_sequence == 1);
  CHECK(first.previous_batch_hash == Sha256Digest{});
  CHECK(second.first_sequence == 2);
  CHECK(second.command_count == 100);
  const auto first_bytes = std::span(files.content(Segment(1))).subspan(kPageSize, first.length);
  CHECK(second.previous_batch_hash == Sha256(first_bytes));
  const BatchHeader third = HeaderAt(files, 1, 2 * kPageSize + PaddedToPage(second.length));
  CHECK(third.first_sequence == 102);
  CHECK(third.durable_sequence == 101);
}

TEST_CASE("Small and large batches, which are hashed by different threads, follow one another") {
  MemoryFileSystem files;
  const std::vector<uint32_t> counts = {1'500, 2, 1'500, 1'600, 900, 1};
  REQUIRE(MakeBatch(1, 1'500).records.size() > 100'000);
  REQUIRE(WriteBatches(files, counts, 512).ok());
  uint64_t offset = kPageSize;
  for (size_t i = 0; i + 1 < counts.size(); ++i) {
    const BatchHeader header = HeaderAt(files, 1, offset);
    CHECK(header.command_count == counts[i]);
    const Sha256Digest hash =
        Sha256(std::span(files.content(Segment(1))).subspan(offset, header.length));
    offset += PaddedToPage(header.length);
    CHECK(HeaderAt(files, 1, offset).previous_batch_hash == hash);
  }
  const absl::StatusOr<Recovered> recovered = Recover(files);
  REQUIRE_MESSAGE(recovered.ok(), recovered.status().ToString());
  CHECK(recovered->history.last_sequence == 5'503);
  CHECK(IsGapless(recovered->history));
}

TEST_CASE("A batch is one write and one sync") {
  MemoryFileSystem memory;
  std::vector<FileOperation> operations;
  FaultyFileSystem files(memory, [&](const FileOperation& operation) {
    operations.push_back(operation);
    return FileFault{};
  });
  const std::unique_ptr<Writer> writer = OpenWriter(files, 64);
  operations.clear();
  REQUIRE(writer->Append(MakeBatch(1, 100).view()).ok());
  REQUIRE(operations.size() == 2);
  CHECK(operations[0].kind == FileOperation::Kind::kWrite);
  CHECK(operations[1].kind == FileOperation::Kind::kSyncData);
}

TEST_CASE("An idle marker is written once, and only where a header does not tell already") {
  MemoryFileSystem files;
  const std::unique_ptr<Writer> writer = OpenWriter(files, 64);
  CHECK_FALSE(writer->needs_idle_marker());
  REQUIRE(writer->WriteIdleMarker().ok());
  CHECK(HeaderAt(files, 1, kPageSize).magic == 0);

  REQUIRE(writer->Append(MakeBatch(1, 3).view()).ok());
  CHECK(writer->needs_idle_marker());
  REQUIRE(writer->WriteIdleMarker().ok());
  CHECK_FALSE(writer->needs_idle_marker());
  const BatchHeader marker = HeaderAt(files, 1, 2 * kPageSize);
  CHECK(marker.command_count == 0);
  CHECK(marker.first_sequence == 4);
  CHECK(marker.durable_sequence == 3);
  REQUIRE(writer->WriteIdleMarker().ok());
  CHECK(HeaderAt(files, 1, 3 * kPageSize).magic == 0);
  CHECK(writer->next_sequence() == 4);
}

TEST_CASE("A batch larger than a segment gets a segment of its own size") {
  MemoryFileSystem files;
  REQUIRE(WriteBatches(files, {1, 400, 1, 1}, 2).ok());
  CHECK(files.content(Segment(2)).size() > 2 * kPageSize);
  CHECK(files.content(Segment(3)).size() == 2 * kPageSize);
  const absl::StatusOr<Recovered> recovered = Recover(files);
  REQUIRE_MESSAGE(recovered.ok(), recovered.status().ToString());
  CHECK(recovered->history.last_sequence == 403);
  CHECK(IsGapless(recovered->history));
}

TEST_CASE("A segment that could not be made ahead is tried once more when it is needed") {
  for (const int failures : {1, 2}) {
    MemoryFileSystem memory;
    REQUIRE(memory.MakeDirectory(kDirectory).ok());
    std::atomic<int> attempts = 0;
    FaultyFileSystem files(memory, [&](const FileOperation& operation) {
      const bool fails = operation.kind == FileOperation::Kind::kCreate && ++attempts <= failures;
      return FileFault{.status = fails ? absl::ResourceExhaustedError("no descriptors are left")
                                       : absl::OkStatus()};
    });
    SegmentMaker maker(files, kDirectory, 2 * kPageSize, true);
    maker.Prepare();
    std::string path;
    const absl::Status taken = maker.Take(kPageSize, &path);
    CHECK(attempts == 2);
    CHECK(taken.ok() == (failures == 1));
    CHECK(memory.exists(path) == (failures == 1));
  }
}

TEST_CASE("A segment that is found made ahead has its name on disk before it gets another one") {
  MemoryFileSystem memory;
  REQUIRE(memory.MakeDirectory(kDirectory).ok());
  int directory_syncs = 0;
  FaultyFileSystem files(memory, [&](const FileOperation& operation) {
    const bool fails =
        operation.kind == FileOperation::Kind::kSyncDirectory && ++directory_syncs == 1;
    return FileFault{.status = fails ? absl::UnknownError("fsync") : absl::OkStatus()};
  });
  SegmentMaker maker(files, kDirectory, 2 * kPageSize, false);
  std::string path;
  CHECK_FALSE(maker.Take(kPageSize, &path).ok());
  CHECK(maker.Take(kPageSize, &path).ok());
  CHECK(memory.AfterCrash([] { return false; })->exists(path));
}

TEST_CASE("Short writes are continued") {
  MemoryFileSystem memory;
  FaultyFileSystem files(memory, [&](const FileOperation&) { return FileFault{.max_bytes = 700}; });
  REQUIRE(WriteBatches(files, {10, 50, 3}, 4).ok());
  const absl::StatusOr<Recovered> recovered = Recover(memory);
  REQUIRE(recovered.ok());
  CHECK(recovered->history.last_sequence == 63);
  CHECK(IsGapless(recovered->history));
}

TEST_CASE("After a failed write or sync the writer answers with that fault for good") {
  for (const FileOperation::Kind kind :
       {FileOperation::Kind::kWrite, FileOperation::Kind::kSyncData}) {
    for (const absl::Status& fault :
         {absl::UnknownError("write: Input/output error"),
          absl::ResourceExhaustedError("write: No space left on device")}) {
      MemoryFileSystem memory;
      int failures_left = 0;
      FaultyFileSystem files(memory, [&](const FileOperation& operation) {
        if (operation.kind != kind || failures_left == 0) return FileFault{};
        --failures_left;
        return FileFault{.status = fault};
      });
      std::unique_ptr<Writer> writer = OpenWriter(files, 64);
      REQUIRE(writer->Append(MakeBatch(1, 3).view()).ok());
      failures_left = 1;
      CHECK(writer->Append(MakeBatch(4, 3).view()) == fault);
      CHECK(writer->durable_sequence() == 3);
      // The file system would work again, but nobody knows what it lost.
      CHECK(writer->Append(MakeBatch(4, 3).view()) == fault);
      CHECK(writer->WriteIdleMarker() == fault);

      writer.reset();
      const absl::StatusOr<Recovered> recovered = Recover(memory);
      REQUIRE(recovered.ok());
      CHECK(recovered->history.last_sequence >= 3);
      CHECK(IsGapless(recovered->history));
    }
  }
}

TEST_CASE("A batch found after a failed sync is written again and synced before it counts") {
  MemoryFileSystem memory;
  bool fail_syncs = false;
  FaultyFileSystem files(memory, [&](const FileOperation& operation) {
    const bool fails = fail_syncs && operation.kind == FileOperation::Kind::kSyncData;
    return FileFault{.status = fails ? absl::UnknownError("fdatasync") : absl::OkStatus()};
  });
  std::unique_ptr<Writer> writer = OpenWriter(files, 64);
  REQUIRE(writer->Append(MakeBatch(1, 3).view()).ok());
  fail_syncs = true;
  CHECK_FALSE(writer->Append(MakeBatch(4, 3).view()).ok());
  writer.reset();
  fail_syncs = false;

  // The page cache shows it: it is accepted, and must be on disk from then on.
  const absl::StatusOr<Recovered> recovered = Recover(files);
  REQUIRE(recovered.ok());
  CHECK(recovered->history.last_sequence == 6);
  const std::unique_ptr<MemoryFileSystem> after = memory.AfterCrash([] { return false; });
  const absl::StatusOr<Recovered> again = Recover(*after);
  REQUIRE_MESSAGE(again.ok(), again.status().ToString());
  CHECK(again->history.last_sequence == 6);
  CHECK(IsGapless(again->history));
}

TEST_CASE("An idle marker found after a failed sync is on disk before a segment carries its hash") {
  // With room behind the marker, and with the marker as the last page of its segment.
  for (const uint64_t pages : {uint64_t{64}, uint64_t{3}}) {
    MemoryFileSystem memory;
    bool fail_syncs = false;
    FaultyFileSystem files(memory, [&](const FileOperation& operation) {
      const bool fails = fail_syncs && operation.kind == FileOperation::Kind::kSyncData;
      return FileFault{.status = fails ? absl::UnknownError("fdatasync") : absl::OkStatus()};
    });
    std::unique_ptr<Writer> writer = OpenWriter(files, pages);
    REQUIRE(writer->Append(MakeBatch(1, 3).view()).ok());
    fail_syncs = true;
    CHECK_FALSE(writer->WriteIdleMarker().ok());
    writer.reset();
    fail_syncs = false;
    REQUIRE(WriteBatches(files, {2}, pages).ok());

    const std::unique_ptr<MemoryFileSystem> after = memory.AfterCrash([] { return false; });
    const absl::StatusOr<Recovered> recovered = Recover(*after);
    CHECK_MESSAGE(recovered.ok(), recovered.status().ToString());
    if (!recovered.ok()) continue;
    CHECK(recovered->history.last_sequence == 5);
    CHECK(IsGapless(recovered->history));
  }
}

TEST_CASE("A journal has one writer at a time") {
  MemoryFileSystem files;
  std::unique_ptr<Writer> writer = OpenWriter(files, 4);
  CHECK(Recover(files).status().code() == absl::StatusCode::kFailedPrecondition);
  writer.reset();
  CHECK(Recover(files).ok());
}

TEST_CASE("A segment's size must hold a batch and be whole pages") {
  MemoryFileSystem files;
  for (const uint64_t size : {uint64_t{0}, kPageSize, 2 * kPageSize + 1}) {
    absl::StatusOr<Recovered> recovered = Recover(files);
    REQUIRE(recovered.ok());
    CHECK(Writer::Open(files, std::move(recovered->journal), {.segment_size = size})
              .status()
              .code() == absl::StatusCode::kInvalidArgument);
  }
}

}  // namespace
}  // namespace warpbook::journal::test
