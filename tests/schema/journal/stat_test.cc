#include "schema/journal/stat.h"

#include <doctest/doctest.h>

#include "schema/journal/archive.h"
#include "schema/journal/snapshot_names.h"
#include "tests/schema/journal/journal_fixture.h"
#include "tests/support/memory_file_system.h"

namespace warpbook::journal::test {
namespace {

using warpbook::test::MemoryFileSystem;

TEST_CASE("What lies in a journal's directory is told, the archive and damaged headers too") {
  MemoryFileSystem files;
  REQUIRE(WriteBatches(files, {2, 2, 2, 2, 2}, 3).ok());
  REQUIRE(WriteBatches(files, {1}, 3).ok());
  REQUIRE(WriteCursor(files, kDirectory, "settlement", 7).ok());
  REQUIRE(files.MakeDirectory(SnapshotsDirectory(kDirectory)).ok());
  REQUIRE(ReplaceFile(files, SnapshotsDirectory(kDirectory), SnapshotName(8), "12345").ok());
  const Retention retention{.from_sequence = 5, .from_time = Timestamp(int64_t{1} << 50)};
  REQUIRE(*ArchiveSegments(files, kDirectory, retention) == 1);
  files.content(Segment(2))[40] ^= std::byte{1};
  files.SetFreeBytes(99);
  const auto before = files.contents();

  const absl::StatusOr<JournalStat> stat = StatJournal(files, kDirectory);
  REQUIRE_MESSAGE(stat.ok(), stat.status().ToString());
  REQUIRE(stat->segments.size() == 4);
  CHECK(stat->segments[0].archived);
  CHECK(stat->segments[0].first_sequence == 1);
  CHECK(stat->segments[0].bytes == 3 * kPageSize);
  CHECK_FALSE(stat->segments[1].archived);
  CHECK(stat->segments[1].fault.find(Segment(2)) != std::string::npos);
  CHECK(stat->segments[2].first_sequence == 9);
  CHECK(stat->segments[2].epoch == 1);
  CHECK(stat->segments[3].first_sequence == 11);
  CHECK(stat->segments[3].epoch == 2);
  CHECK(stat->segments[3].rules_version == kRules);
  REQUIRE(stat->snapshots.size() == 1);
  CHECK(stat->snapshots[0].sequence == 8);
  CHECK(stat->snapshots[0].bytes == 5);
  REQUIRE(stat->cursors.size() == 1);
  CHECK(stat->cursors[0].sequence == 7);
  CHECK(stat->durable_sequence == 11);
  CHECK(stat->free_bytes == 99);
  CHECK(files.contents() == before);
}

TEST_CASE("Without a directory there is nothing to tell") {
  MemoryFileSystem files;
  CHECK(absl::IsNotFound(StatJournal(files, "nowhere").status()));
}

}  // namespace
}  // namespace warpbook::journal::test
