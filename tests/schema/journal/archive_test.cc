// Starts behind a snapshot, and segments that are moved to the archive.
#include "schema/journal/archive.h"

#include <doctest/doctest.h>

#include "schema/journal/segment_reader.h"
#include "schema/journal/snapshot_names.h"
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

// A later time than that of any command of MakeBatch.
constexpr Timestamp kLater = Timestamp(int64_t{1} << 50);

// Two starts; batches of one page, two to a segment: segments 1 to 3 hold sequences 1-4, 5-8 and
// 9-10, segment 4 11-14, segment 5 15 and 16.
std::unique_ptr<MemoryFileSystem> MakeJournal() {
  auto files = std::make_unique<MemoryFileSystem>();
  REQUIRE(WriteBatches(*files, {2, 2, 2, 2, 2}, 3).ok());
  REQUIRE(WriteBatches(*files, {2, 2, 2}, 3).ok());
  REQUIRE(ListSegments(*files, kDirectory)->size() == 5);
  return files;
}

void NameSnapshot(MemoryFileSystem& files, uint64_t sequence) {
  REQUIRE(files.MakeDirectory(SnapshotsDirectory(kDirectory)).ok());
  REQUIRE(ReplaceFile(files, SnapshotsDirectory(kDirectory), SnapshotName(sequence), "it").ok());
}

absl::StatusOr<Recovered> RecoverBehind(FileSystem& files, uint64_t after_sequence,
                                        uint32_t rules = kRules) {
  absl::StatusOr<LockedJournal> locked = LockJournal(files, kDirectory);
  if (!locked.ok()) return locked.status();
  Recovered recovered;
  absl::StatusOr<RecoveredJournal> journal =
      RecoverJournal(files, *std::move(locked), rules, after_sequence, [&](const BatchView& batch) {
        recovered.history.Add(batch);
        return absl::OkStatus();
      });
  if (!journal.ok()) return journal.status();
  recovered.journal = *std::move(journal);
  return recovered;
}

TEST_CASE("A start behind any sequence gives what follows it, and reads no segment before") {
  const auto files = MakeJournal();
  const std::vector<std::byte> whole = Recover(*files)->history.records;
  for (uint64_t after = 2; after <= 16; after += 2) {
    const auto copy = files->Synced();
    NameSnapshot(*copy, after);
    // What lies before is of no interest: it may be damaged, or gone.
    for (uint64_t number = 1; number <= 5; ++number) {
      const auto segment = SegmentReader::Open(*copy, kDirectory, number + 1);
      if (!segment.ok() || (*segment)->header().first_sequence > after + 1) break;
      REQUIRE(copy->Remove(Segment(number)).ok());
    }
    const absl::StatusOr<Recovered> recovered = RecoverBehind(*copy, after);
    REQUIRE_MESSAGE(recovered.ok(), "behind ", after, ": ", recovered.status().ToString());
    CHECK(recovered->journal.scan.last_sequence == 16);
    CHECK(recovered->history.first_sequences.size() == (16 - after) / 2);
    if (after < 16) CHECK(recovered->history.first_sequences.front() == after + 1);
    const auto& given = recovered->history.records;
    CHECK(std::equal(given.rbegin(), given.rend(), whole.rbegin()));
  }
}

TEST_CASE("The journal goes on after a start behind a snapshot") {
  const auto files = MakeJournal();
  {
    absl::StatusOr<Recovered> recovered = RecoverBehind(*files, 12);
    REQUIRE(recovered.ok());
    const auto writer = Writer::Open(*files, std::move(recovered->journal), SmallSegments(3));
    REQUIRE(writer.ok());
    REQUIRE((*writer)->Append(MakeBatch(17, 3).view()).ok());
  }
  const absl::StatusOr<Recovered> whole = Recover(*files);
  REQUIRE(whole.ok());
  CHECK(whole->history.last_sequence == 19);
  CHECK(IsGapless(whole->history));
}

TEST_CASE("A journal that ends before its newest snapshot is refused, whatever it starts from") {
  const auto files = MakeJournal();
  REQUIRE(files->Remove("journal/watermark").ok());
  NameSnapshot(*files, 18);
  for (const uint64_t after : {0, 4, 18}) {
    const auto before = files->contents();
    const absl::Status refused = RecoverBehind(*files, after).status();
    CHECK(absl::IsDataLoss(refused));
    CHECK_MESSAGE(
        refused.message().find("the newest snapshot is at sequence 18") != absl::string_view::npos,
        refused.ToString());
    CHECK(files->contents() == before);
  }
}

TEST_CASE("A snapshot without the segments behind it is refused") {
  const auto files = MakeJournal();
  for (uint64_t number = 1; number <= 3; ++number) REQUIRE(files->Remove(Segment(number)).ok());
  const absl::Status refused = RecoverBehind(*files, 4).status();
  CHECK(absl::IsDataLoss(refused));
  CHECK(refused.message().find("no segment holds what follows sequence 4") !=
        absl::string_view::npos);
  const auto empty = std::make_unique<MemoryFileSystem>();
  CHECK(absl::IsDataLoss(RecoverBehind(*empty, 4).status()));
}

TEST_CASE("Damage behind a snapshot is refused as it is without one") {
  const auto files = MakeJournal();
  files->content(Segment(4))[0] ^= std::byte{1};
  const absl::Status refused = RecoverBehind(*files, 11).status();
  CHECK(absl::IsDataLoss(refused));
  CHECK(refused.message().find(Segment(4)) != absl::string_view::npos);
}

TEST_CASE("Segments that move to the archive while all are listed are seen") {
  for (const int moves_before : {1, 2}) {
    CAPTURE(moves_before);
    const auto files = MakeJournal();
    int lists = 0;
    test::FaultyFileSystem moving(*files, [&](const test::FileOperation& operation) {
      if (operation.kind == test::FileOperation::Kind::kList && ++lists == moves_before) {
        REQUIRE(*ArchiveSegments(*files, kDirectory,
                                 {.from_sequence = 1'000, .from_time = kLater}) == 4);
      }
      return test::FileFault{};
    });
    CHECK(ListAllSegments(moving, kDirectory)->size() == 5);
    CHECK(lists >= moves_before);
  }
}

TEST_CASE("Rules of another version are refused only for what must be executed again") {
  const auto files = MakeJournal();
  CHECK(RecoverBehind(*files, 16, kRules + 1).ok());
  const absl::Status refused = RecoverBehind(*files, 14, kRules + 1).status();
  CHECK(absl::IsDataLoss(refused));
  CHECK_MESSAGE(refused.message().find("rules") != absl::string_view::npos, refused.ToString());
  CHECK(absl::IsDataLoss(RecoverBehind(*files, 4, kRules + 1).status()));
}

TEST_CASE("Only segments that hold nothing that must stay are archived, and never the last one") {
  struct Row {
    uint64_t from_sequence;
    int moved;
  };
  for (const Row& row : {Row{1, 0}, Row{4, 0}, Row{5, 1}, Row{10, 2}, Row{11, 3}, Row{14, 3},
                         Row{15, 4}, Row{17, 4}, Row{1'000, 4}}) {
    const auto files = MakeJournal();
    const absl::StatusOr<int> moved = ArchiveSegments(
        *files, kDirectory, {.from_sequence = row.from_sequence, .from_time = kLater});
    REQUIRE(moved.ok());
    CHECK(*moved == row.moved);
    CHECK(ListSegments(*files, kDirectory)->size() == 5 - static_cast<size_t>(row.moved));
    CHECK(ListAllSegments(*files, kDirectory)->size() == 5);
    // Everything that reads a journal finds them.
    const absl::StatusOr<Recovered> recovered = Recover(*files);
    REQUIRE_MESSAGE(recovered.ok(), recovered.status().ToString());
    CHECK(recovered->history.last_sequence == 16);
    CHECK(IsGapless(recovered->history));
    const auto reader = TailReader::Open(*files, kDirectory, 1);
    REQUIRE(reader.ok());
    const History read = ReadAll(**reader);
    CHECK(read.last_sequence == 16);
    CHECK(IsGapless(read));
  }
}

TEST_CASE("Segments younger than the retention's time stay") {
  const auto files = MakeJournal();
  const auto time_of = [&](uint64_t number) {
    const auto reader = TailReader::Open(*files, kDirectory, number);
    const wire::RecordView first((*(*reader)->Next())->records.data());
    return Timestamp(first.command_header().time_us());
  };
  REQUIRE(time_of(1) < time_of(5));
  const auto archive = [&](Timestamp from_time) {
    return *ArchiveSegments(*files, kDirectory, {.from_sequence = 100, .from_time = from_time});
  };
  CHECK(archive(time_of(5).PlusMicros(-1)) == 0);
  CHECK(archive(time_of(5)) == 1);
  CHECK(archive(time_of(11)) == 2);
}

TEST_CASE("A reader goes on across segments that are archived under its feet") {
  const auto files = MakeJournal();
  const auto reader = TailReader::Open(*files, kDirectory, 1);
  REQUIRE(reader.ok());
  REQUIRE((*(*reader)->Next())->first_sequence == 1);
  REQUIRE(ArchiveSegments(*files, kDirectory, {.from_sequence = 100, .from_time = kLater}).ok());
  const History rest = ReadAll(**reader);
  CHECK(rest.first_sequences == std::vector<uint64_t>{3, 5, 7, 9, 11, 13, 15});
  CHECK(rest.last_sequence == 16);
}

TEST_CASE("Archiving that fails or loses power at any operation loses no segment") {
  for (int failing = 0;; ++failing) {
    const auto files = MakeJournal()->Synced();
    int operations = 0;
    FaultyFileSystem faulty(*files, [&](const FileOperation&) {
      const bool fails = operations++ >= failing;
      return FileFault{.status = fails ? absl::UnknownError("power") : absl::OkStatus()};
    });
    const bool finished =
        ArchiveSegments(faulty, kDirectory, {.from_sequence = 100, .from_time = kLater}).ok();
    for (unsigned subset = 0; subset < 16; ++subset) {
      unsigned at = 0;
      const auto after = files->AfterCrash([&] { return (subset >> at++ % 4 & 1) != 0; });
      const absl::StatusOr<Recovered> recovered = Recover(*after);
      REQUIRE_MESSAGE(recovered.ok(), recovered.status().ToString());
      CHECK(recovered->history.last_sequence == 16);
      CHECK(IsGapless(recovered->history));
    }
    if (finished) {
      CHECK(failing > 4);
      break;
    }
  }
}

TEST_CASE("Snapshots are listed by their sequences; other names mean nothing") {
  MemoryFileSystem files;
  REQUIRE(files.MakeDirectory(kDirectory).ok());
  CHECK(ListSnapshots(files, kDirectory)->empty());
  NameSnapshot(files, 7);
  NameSnapshot(files, 12'345'678'901);
  NameSnapshot(files, 12);
  for (const char* name :
       {"12.snapshot", "00000000000000000099.snap", ".00000000000000000100.snapshot",
        "0000000000000000000x.snapshot", "99999999999999999999.snapshot"}) {
    REQUIRE(ReplaceFile(files, SnapshotsDirectory(kDirectory), name, "").ok());
  }
  CHECK(*ListSnapshots(files, kDirectory) == std::vector<uint64_t>{7, 12, 12'345'678'901});
}

}  // namespace
}  // namespace warpbook::journal::test
