#include "schema/journal/tail_reader.h"

#include <doctest/doctest.h>

#include <atomic>
#include <memory>
#include <optional>
#include <thread>

#include "schema/journal/cursors.h"
#include "schema/journal/watermark.h"
#include "tests/schema/journal/journal_fixture.h"
#include "tests/support/memory_file_system.h"
#include "tests/support/temporary_directory.h"

namespace warpbook::journal::test {
namespace {

using warpbook::test::MemoryFileSystem;
using warpbook::test::TemporaryDirectory;

std::unique_ptr<TailReader> OpenReader(FileSystem& files, uint64_t from) {
  absl::StatusOr<std::unique_ptr<TailReader>> reader = TailReader::Open(files, kDirectory, from);
  REQUIRE_MESSAGE(reader.ok(), reader.status().ToString());
  return *std::move(reader);
}

TEST_CASE("A tail reader gives what recovery gives, over segments, markers and starts") {
  MemoryFileSystem files;
  for (int start = 0; start < 4; ++start) {
    REQUIRE(WriteBatches(files, {30, 1, 0, 40, 2, 0, 0, 3}, 3).ok());
  }
  const auto reader = OpenReader(files, 1);
  const History read = ReadAll(*reader);
  CHECK(read.last_sequence == 4 * 76);
  CHECK(IsGapless(read));
  const absl::StatusOr<Recovered> recovered = Recover(files);
  REQUIRE(recovered.ok());
  CHECK(recovered->history == read);
}

TEST_CASE("A tail reader begins with the batch that holds the sequence asked for") {
  MemoryFileSystem files;
  REQUIRE(WriteBatches(files, {3, 4, 30, 1}, 3).ok());  // 1..3, 4..7, 8..37, 38
  REQUIRE(WriteBatches(files, {}, 3).ok());
  REQUIRE(WriteBatches(files, {2, 2}, 3).ok());  // 39..40, 41..42
  const std::vector<uint64_t> firsts = {1, 4, 8, 38, 39, 41};
  for (uint64_t from = 0; from <= 42; ++from) {
    const auto reader = OpenReader(files, from);
    const History history = ReadAll(*reader);
    const uint64_t expected =
        *std::prev(std::upper_bound(firsts.begin(), firsts.end(), std::max<uint64_t>(from, 1)));
    REQUIRE(history.first_sequences.front() == expected);
    REQUIRE(history.last_sequence == 42);
  }
  const auto at_end = OpenReader(files, 43);
  CHECK(ReadAll(*at_end).first_sequences.empty());
  CHECK(absl::IsOutOfRange(TailReader::Open(files, kDirectory, 44).status()));
}

TEST_CASE("A journal that is not there yet is NotFound") {
  MemoryFileSystem files;
  CHECK(absl::IsNotFound(TailReader::Open(files, kDirectory, 1).status()));
  REQUIRE(files.MakeDirectory(kDirectory).ok());
  CHECK(absl::IsNotFound(TailReader::Open(files, kDirectory, 1).status()));
  REQUIRE(Recover(files).ok());
  CHECK(absl::IsNotFound(TailReader::Open(files, kDirectory, 1).status()));
  REQUIRE(WriteBatches(files, {}).ok());
  CHECK(TailReader::Open(files, kDirectory, 1).ok());
}

TEST_CASE("A tail reader shows nothing above the watermark, and goes on when it rises") {
  MemoryFileSystem files;
  REQUIRE(WriteBatches(files, {2, 3}).ok());
  absl::StatusOr<std::unique_ptr<Watermark>> watermark = Watermark::Create(files, kDirectory, 2);
  REQUIRE(watermark.ok());
  const auto reader = OpenReader(files, 1);
  CHECK(ReadAll(*reader).last_sequence == 2);
  CHECK(ReadAll(*reader).first_sequences.empty());
  (*watermark)->Store(5);
  CHECK(ReadAll(*reader).first_sequences == std::vector<uint64_t>{3});
}

TEST_CASE("A tail reader survives a restart of the writer that cuts a torn tail") {
  MemoryFileSystem files;
  REQUIRE(WriteBatches(files, {2, 3}).ok());
  const auto reader = OpenReader(files, 1);
  CHECK(ReadAll(*reader).last_sequence == 5);
  files.content(Segment(1))[5 * kPageSize] = std::byte{9};
  REQUIRE(WriteBatches(files, {4}).ok());
  CHECK(files.exists("journal/torn/00000001.segment.12288"));
  CHECK(ReadAll(*reader).first_sequences == std::vector<uint64_t>{6});
}

TEST_CASE("Damage below the watermark is DataLoss with file and offset, each time") {
  MemoryFileSystem files;
  REQUIRE(WriteBatches(files, {2, 3, 1}).ok());
  files.content(Segment(1))[2 * kPageSize + 150] ^= std::byte{1};
  const auto reader = OpenReader(files, 1);
  CHECK(reader->Next().ok());
  for (int i = 0; i < 2; ++i) {
    const absl::Status status = reader->Next().status();
    CHECK(absl::IsDataLoss(status));
    CHECK(status.message().find("00000001.segment, offset 8192") != std::string::npos);
  }
}

TEST_CASE("A tail reader in another thread never passes the watermark while a writer runs") {
  const TemporaryDirectory directory;
  const std::string path = directory / "journal";
  constexpr uint64_t kLast = 3'000;
  absl::StatusOr<Recovered> recovered = Recover(PosixFileSystem(), path);
  REQUIRE_MESSAGE(recovered.ok(), recovered.status().ToString());
  Writer::Options options = SmallSegments(16);
  options.make_segments_in_background = true;
  absl::StatusOr<std::unique_ptr<Writer>> writer =
      Writer::Open(PosixFileSystem(), std::move(recovered->journal), options);
  REQUIRE_MESSAGE(writer.ok(), writer.status().ToString());

  std::atomic<uint64_t> appended = 0;  // stored after each Append: at most what is durable
  std::thread writing([&] {
    for (uint32_t i = 0; (*writer)->durable_sequence() < kLast; ++i) {
      const MadeBatch batch = MakeBatch((*writer)->next_sequence(), 1 + i % 60);
      WARPBOOK_CHECK((*writer)->Append(batch.view()).ok());
      appended.store((*writer)->durable_sequence());
      if (i % 7 == 0) WARPBOOK_CHECK((*writer)->WriteIdleMarker().ok());
    }
  });
  absl::StatusOr<std::unique_ptr<TailReader>> reader = TailReader::Open(path, 1);
  const absl::StatusOr<std::unique_ptr<Watermark>> watermark =
      Watermark::Open(PosixFileSystem(), path);
  History history;
  bool faulty = !reader.ok() || !watermark.ok();
  while (!faulty && history.last_sequence < kLast) {
    const uint64_t at_least = appended.load();
    const absl::StatusOr<std::optional<BatchView>> batch = (*reader)->Next();
    if (!batch.ok()) {
      MESSAGE(batch.status().ToString());
      faulty = true;
    } else if (batch->has_value()) {
      history.Add(**batch);
      faulty = history.last_sequence > (*watermark)->Load();
    } else {
      faulty = at_least > history.last_sequence;
    }
  }
  writing.join();
  CHECK_FALSE(faulty);
  CHECK(IsGapless(history));
  CHECK(history.last_sequence == (*writer)->durable_sequence());
}

TEST_CASE("Cursors are read back by name, and only whole ones") {
  const TemporaryDirectory directory;
  FileSystem& files = PosixFileSystem();
  CHECK(ReadCursors(files, directory.path())->empty());
  REQUIRE(WriteCursor(directory.path(), "settlement", 12).ok());
  REQUIRE(WriteCursor(directory.path(), "audit-2", UINT64_MAX).ok());
  REQUIRE(WriteCursor(directory.path(), "settlement", 13).ok());
  const absl::StatusOr<std::vector<Cursor>> cursors = ReadCursors(files, directory.path());
  REQUIRE(cursors.ok());
  REQUIRE(cursors->size() == 2);
  CHECK((*cursors)[0].name == "audit-2");
  CHECK((*cursors)[0].sequence == UINT64_MAX);
  CHECK((*cursors)[1].sequence == 13);
  for (const char* name : {"", "a/b", "..", "A", ".hidden"}) {
    CHECK(absl::IsInvalidArgument(WriteCursor(directory.path(), name, 1)));
  }
}

TEST_CASE("A watermark shows the lower of its two words") {
  MemoryFileSystem files;
  REQUIRE(files.MakeDirectory(kDirectory).ok());
  CHECK(absl::IsNotFound(Watermark::Open(files, kDirectory).status()));
  const auto writer = Watermark::Create(files, kDirectory, 41);
  REQUIRE(writer.ok());
  const auto reader = Watermark::Open(files, kDirectory);
  REQUIRE(reader.ok());
  CHECK((*reader)->Load() == 41);
  (*writer)->Store(42);
  CHECK((*reader)->Load() == 42);
  // As if the writer had been killed between its two stores, of 43.
  files.content("journal/watermark")[16] = ~std::byte{43};
  CHECK((*reader)->Load() == 42);
  // Made again in place: the reader's mapping stays good.
  REQUIRE(Watermark::Create(files, kDirectory, 50).ok());
  CHECK((*reader)->Load() == 50);
  // Another file under its name is replaced for a writer, DataLoss for a reader.
  files.content("journal/watermark")[0] = std::byte{0};
  CHECK(absl::IsDataLoss(Watermark::Open(files, kDirectory).status()));
  CHECK(Watermark::Create(files, kDirectory, 7).ok());
  CHECK((*Watermark::Open(files, kDirectory))->Load() == 7);
}

}  // namespace
}  // namespace warpbook::journal::test
