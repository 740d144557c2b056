// Every single bit of a small journal, flipped: the same recovery or a refusal, never another
// state.
#include <doctest/doctest.h>

#include <algorithm>

#include "schema/journal/cursors.h"
#include "tests/schema/journal/journal_fixture.h"
#include "tests/support/memory_file_system.h"

namespace warpbook::journal::test {
namespace {

using warpbook::test::MemoryFileSystem;

struct Count {
  uint64_t same = 0;
  uint64_t refused = 0;
  uint64_t last_batch_cut = 0;
  uint64_t other = 0;
};

// Flips every bit of the file and scans.
Count FlipEveryBit(MemoryFileSystem& files, const std::string& path) {
  History whole;
  const absl::StatusOr<JournalScan> reference = Scan(files, &whole);
  REQUIRE(reference.ok());
  const uint64_t last_batch_first = whole.first_sequences.back();
  const std::vector<std::byte> without_last_batch = ExpectedRecords(last_batch_first - 1);
  Count count;
  std::vector<std::byte>& content = files.content(path);
  for (size_t bit = 0; bit < content.size() * 8; ++bit) {
    const std::byte mask{static_cast<uint8_t>(1u << bit % 8)};
    content[bit / 8] ^= mask;
    History history;
    const absl::StatusOr<JournalScan> scan = Scan(files, &history);
    if (absl::IsDataLoss(scan.status())) {
      ++count.refused;
    } else if (scan.ok() && history == whole && scan->last_sequence == whole.last_sequence) {
      ++count.same;
    } else if (scan.ok() && history.records == without_last_batch &&
               scan->last_sequence == last_batch_first - 1) {
      ++count.last_batch_cut;
    } else {
      ++count.other;
    }
    content[bit / 8] ^= mask;
  }
  return count;
}

// The bits of a segment that mean something: those of its header, but for the padding behind the
// checksum, and of its batches.
uint64_t ProtectedBits(const std::vector<MadeBatch>& batches) {
  uint64_t bytes = offsetof(SegmentHeader, padding);
  for (const MadeBatch& batch : batches) bytes += sizeof(BatchHeader) + batch.records.size();
  return 8 * bytes;
}

// Two segments: sequences 1..3 in two batches, then 4 and 5..6.
std::unique_ptr<MemoryFileSystem> MakeJournal(bool marker) {
  auto files = std::make_unique<MemoryFileSystem>();
  REQUIRE(WriteBatches(*files, {2, 1, 0}, 8).ok());
  REQUIRE(
      WriteBatches(*files, marker ? std::vector<uint32_t>{1, 2, 0} : std::vector<uint32_t>{1, 2}, 4)
          .ok());
  return files;
}

TEST_CASE("A flipped bit under a watermark or a marker never gives another state") {
  for (const bool marker : {false, true}) {
    const auto files = MakeJournal(marker);
    if (marker) REQUIRE(files->Remove("journal/watermark").ok());
    const Count first = FlipEveryBit(*files, Segment(1));
    CHECK(first.refused == ProtectedBits({MakeBatch(1, 2), MakeBatch(3, 1), MadeBatch{}}));
    // A damaged marker at the very end is cut like a torn one: nothing is lost with it.
    const Count second = FlipEveryBit(*files, Segment(2));
    CHECK(second.refused == ProtectedBits({MakeBatch(4, 1), MakeBatch(5, 2)}));
    for (const Count& count : {first, second}) {
      CHECK(count.other == 0);
      CHECK(count.last_batch_cut == 0);
      CHECK(count.same > 0);  // in the zeros behind batches
    }
  }
}

TEST_CASE("Without watermark and marker only the last batch can be cut by a flipped bit") {
  const auto files = MakeJournal(false);
  REQUIRE(files->Remove("journal/watermark").ok());
  const Count first = FlipEveryBit(*files, Segment(1));
  CHECK(first.other == 0);
  CHECK(first.last_batch_cut == 0);
  const Count second = FlipEveryBit(*files, Segment(2));
  CHECK(second.other == 0);
  const size_t length = sizeof(BatchHeader) + MakeBatch(5, 2).records.size();
  CHECK(second.last_batch_cut == 8 * length);
}

TEST_CASE("A flipped bit in the watermark or in a cursor never gives another state") {
  const auto files = MakeJournal(false);
  const Count watermark = FlipEveryBit(*files, "journal/watermark");
  CHECK(watermark.same == 8 * files->content("journal/watermark").size());
  REQUIRE(WriteCursor(*files, kDirectory, "settlement", 5).ok());
  const Count cursor = FlipEveryBit(*files, "journal/cursors/settlement");
  CHECK(cursor.refused == 8 * files->content("journal/cursors/settlement").size());
}

}  // namespace
}  // namespace warpbook::journal::test
