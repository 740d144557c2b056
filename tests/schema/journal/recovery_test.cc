// Every row of kStopTable, and the faults that are found before it.
#include "schema/journal/recovery.h"

#include <doctest/doctest.h>

#include <cstring>
#include <set>

#include "schema/journal/cursors.h"
#include "schema/journal/recovery_table.h"
#include "schema/journal/watermark.h"
#include "tests/schema/journal/journal_fixture.h"
#include "tests/support/faulty_file_system.h"
#include "tests/support/memory_file_system.h"

namespace warpbook::journal::test {
namespace {

using warpbook::test::FaultyFileSystem;
using warpbook::test::FileFault;
using warpbook::test::FileOperation;
using warpbook::test::MemoryFileSystem;

constexpr char kWatermarkPath[] = "journal/watermark";

// A journal of three batches (sequences 1..2, 3, 4..6) in one segment; pages 1, 2 and 3.
std::unique_ptr<MemoryFileSystem> MakeJournal() {
  auto files = std::make_unique<MemoryFileSystem>();
  REQUIRE(WriteBatches(*files, {2, 1, 3}).ok());
  return files;
}

void ForgetWatermark(MemoryFileSystem& files) { REQUIRE(files.Remove(kWatermarkPath).ok()); }

void Flip(MemoryFileSystem& files, uint64_t segment, uint64_t offset) {
  files.content(Segment(segment))[offset] ^= std::byte{0x10};
}

template <typename Header>
void Edit(MemoryFileSystem& files, uint64_t segment, uint64_t offset, void (*edit)(Header&)) {
  std::byte* place = files.content(Segment(segment)).data() + offset;
  Header header;
  std::memcpy(&header, place, sizeof header);
  edit(header);
  std::memcpy(place, &header, sizeof header);
}

void EditSegmentHeader(MemoryFileSystem& files, uint64_t segment, void (*edit)(SegmentHeader&)) {
  Edit<SegmentHeader>(files, segment, 0, edit);
  Edit<SegmentHeader>(files, segment, 0,
                      [](SegmentHeader& header) { header.crc = SegmentHeaderCrc(header); });
}

void EditBatchHeader(MemoryFileSystem& files, uint64_t offset, void (*edit)(BatchHeader&)) {
  Edit<BatchHeader>(files, 1, offset, edit);
  Edit<BatchHeader>(files, 1, offset,
                    [](BatchHeader& header) { header.header_crc = BatchHeaderCrc(header); });
}

// Recovery must refuse, say each of the words, and change nothing.
void CheckRefused(MemoryFileSystem& files, const std::vector<std::string>& words) {
  const auto before = files.contents();
  const absl::StatusOr<Recovered> recovered = Recover(files);
  REQUIRE_FALSE(recovered.ok());
  CHECK(absl::IsDataLoss(recovered.status()));
  const std::string message(recovered.status().message());
  for (const std::string& word : words) {
    CHECK_MESSAGE(message.find(word) != std::string::npos, message, " lacks ", word);
  }
  CHECK(files.contents() == before);
}

void CheckRecovers(MemoryFileSystem& files, uint64_t last_sequence, bool cut) {
  const absl::StatusOr<Recovered> recovered = Recover(files);
  REQUIRE_MESSAGE(recovered.ok(), recovered.status().ToString());
  CHECK(recovered->history.last_sequence == last_sequence);
  CHECK(IsGapless(recovered->history));
  CHECK(recovered->journal.repair_note.empty() != cut);
  CHECK(recovered->journal.watermark->Load() == last_sequence);
}

TEST_CASE(
    "A stranger: a batch with right checksums that does not continue the journal is refused") {
  using EditBatch = void (*)(BatchHeader&);
  const std::pair<EditBatch, const char*> cases[] = {
      {[](BatchHeader& header) { header.epoch = 2; }, "its epoch is 2"},
      {[](BatchHeader& header) { header.first_sequence = 5; }, "begins at sequence 5"},
      {[](BatchHeader& header) { header.previous_batch_hash[31] ^= 1; },
       "hash of the batch before"},
      {[](BatchHeader& header) { header.durable_sequence = 4; }, "durable before it was written"},
      {[](BatchHeader& header) { header.command_count = 2; }, "miscounts"},
      {[](BatchHeader& header) { header.event_count = 7; }, "miscounts"},
  };
  for (const auto& [edit, word] : cases) {
    const auto files = MakeJournal();
    ForgetWatermark(*files);
    EditBatchHeader(*files, 3 * kPageSize, edit);
    CheckRefused(*files, {"00000001.segment, offset 12288", "sequence 4", word});
  }
}

TEST_CASE("A damaged batch with a whole one behind it is refused") {
  for (const uint64_t offset : {kPageSize + 3, 2 * kPageSize + 100}) {
    const auto files = MakeJournal();
    ForgetWatermark(*files);
    Flip(*files, 1, offset);
    CheckRefused(*files,
                 {"00000001.segment, offset", "a later one is whole", "nothing was changed"});
  }
}

TEST_CASE("An absent batch with a whole one behind it is refused") {
  const auto files = MakeJournal();
  ForgetWatermark(*files);
  std::memset(files->content(Segment(1)).data() + 2 * kPageSize, 0, kPageSize);
  CheckRefused(*files, {"00000001.segment, offset 8192", "sequence 3", "at offset 12288"});
}

TEST_CASE("An idle marker covers the batch before it") {
  const auto files = std::make_unique<MemoryFileSystem>();
  REQUIRE(WriteBatches(*files, {2, 1, 3, 0}).ok());
  ForgetWatermark(*files);
  Flip(*files, 1, 3 * kPageSize + 200);
  CheckRefused(*files, {"00000001.segment, offset 12288", "sequence 4", "at offset 16384"});
}

TEST_CASE("A next segment that does not continue the journal is refused by name") {
  using EditSegment = void (*)(SegmentHeader&);
  const std::pair<EditSegment, const char*> cases[] = {
      {[](SegmentHeader& header) { header.magic ^= 1; }, "not a segment"},
      {[](SegmentHeader& header) { header.format_version = 2; }, "format version 2"},
      {[](SegmentHeader& header) { header.rules_version = 8; }, "rules version 8"},
      {[](SegmentHeader& header) { header.number = 3; }, "segment 3"},
      {[](SegmentHeader& header) { header.epoch = 0; }, "out of order"},
      {[](SegmentHeader& header) { header.epoch = 1; }, "epoch is not higher"},
      {[](SegmentHeader& header) { header.first_sequence = 6; }, "begins at sequence 6"},
      {[](SegmentHeader& header) { header.previous_batch_hash[0] ^= 1; }, "hash"},
  };
  for (const auto& [edit, word] : cases) {
    const auto files = MakeJournal();
    REQUIRE(WriteBatches(*files, {1}).ok());
    ForgetWatermark(*files);
    EditSegmentHeader(*files, 2, edit);
    CheckRefused(*files, {"00000002.segment", word});
  }
}

TEST_CASE("A segment whose header is damaged or cut is refused by name") {
  const auto files = MakeJournal();
  REQUIRE(WriteBatches(*files, {1}).ok());
  ForgetWatermark(*files);
  Flip(*files, 2, 20);
  CheckRefused(*files, {"00000002.segment", "checksum"});
  files->content(Segment(2)).resize(50);
  CheckRefused(*files, {"00000002.segment", "cut short"});
}

TEST_CASE("A missing segment is refused by name") {
  for (const uint64_t missing : {uint64_t{1}, uint64_t{2}}) {
    const auto files = MakeJournal();
    REQUIRE(WriteBatches(*files, {1}).ok());
    REQUIRE(WriteBatches(*files, {1}).ok());
    ForgetWatermark(*files);
    REQUIRE(files->Remove(Segment(missing)).ok());
    CheckRefused(*files, {SegmentName(missing) + " is missing"});
  }
}

TEST_CASE("A missing last segment is refused while anything knows what it held") {
  const auto files = MakeJournal();
  REQUIRE(WriteBatches(*files, {1}).ok());
  REQUIRE(files->Remove(Segment(2)).ok());
  CheckRefused(*files, {"00000001.segment", "sequence 7", "the watermark is at sequence 7"});
}

TEST_CASE("A damaged end of a segment that has a successor is refused") {
  const auto files = MakeJournal();
  REQUIRE(WriteBatches(*files, {1}).ok());
  ForgetWatermark(*files);
  files->content(Segment(1)).resize(5 * kPageSize);
  files->content(Segment(1))[4 * kPageSize + 7] = std::byte{1};
  // A longer file is whole to the reader only where its header says so.
  EditSegmentHeader(*files, 1, [](SegmentHeader& header) { header.segment_size = 5 * kPageSize; });
  CheckRefused(*files, {"00000001.segment, offset 16384", "the next segment is whole"});
}

TEST_CASE("A short segment with a successor of a higher epoch is read on") {
  const auto files = MakeJournal();
  REQUIRE(WriteBatches(*files, {1}).ok());
  CHECK(files->content(Segment(1)).size() == 4 * kPageSize);
  CheckRecovers(*files, 7, false);
}

TEST_CASE("A damaged last batch that the watermark covers is refused") {
  const auto files = MakeJournal();
  Flip(*files, 1, 3 * kPageSize + 200);
  CheckRefused(*files,
               {"offset 12288", "known to have been durable", "watermark is at sequence 6"});
}

TEST_CASE("A damaged last batch that a cursor covers is refused") {
  const auto files = MakeJournal();
  ForgetWatermark(*files);
  REQUIRE(WriteCursor(*files, kDirectory, "settlement", 4).ok());
  Flip(*files, 1, 3 * kPageSize + 200);
  CheckRefused(*files, {"known to have been durable", "the cursor of settlement is at sequence 4"});
}

TEST_CASE("An empty directory with a cursor is refused") {
  MemoryFileSystem files;
  REQUIRE(files.MakeDirectory(kDirectory).ok());
  REQUIRE(WriteCursor(files, kDirectory, "settlement", 1).ok());
  const absl::Status status = Recover(files).status();
  CHECK(absl::IsDataLoss(status));
  CHECK(status.message().find("journal: at sequence 1") != std::string::npos);
}

TEST_CASE("A torn last batch that nobody knows to be durable is cut, and a copy is kept") {
  const auto files = MakeJournal();
  ForgetWatermark(*files);
  REQUIRE(WriteCursor(*files, kDirectory, "settlement", 3).ok());
  Flip(*files, 1, 3 * kPageSize + 200);
  const std::vector<std::byte> damaged = files->content(Segment(1));
  CheckRecovers(*files, 3, true);
  CHECK(files->content(Segment(1)).size() == 3 * kPageSize);
  const std::vector<std::byte>& kept = files->content("journal/torn/00000001.segment.12288");
  REQUIRE(kept.size() > 200);
  CHECK(std::memcmp(kept.data(), damaged.data() + 3 * kPageSize, kept.size()) == 0);
  // And the journal goes on.
  REQUIRE(WriteBatches(*files, {2}).ok());
  CheckRecovers(*files, 5, false);
}

TEST_CASE("A clean end: only the zeros that were made ahead are cut") {
  const auto files = MakeJournal();
  CheckRecovers(*files, 6, false);
  CHECK(files->content(Segment(1)).size() == 4 * kPageSize);
  CHECK_FALSE(files->exists("journal/torn/00000001.segment.16384"));
}

TEST_CASE("An absent directory is a new journal, an absent parent is an error") {
  MemoryFileSystem files;
  CheckRecovers(files, 0, false);
  CHECK(absl::IsNotFound(Recover(files, "nowhere/journal").status()));
}

TEST_CASE("A cursor that cannot be read is refused by name") {
  const auto files = MakeJournal();
  REQUIRE(WriteCursor(*files, kDirectory, "settlement", 3).ok());
  files->content("journal/cursors/settlement")[9] ^= std::byte{1};
  CheckRefused(*files, {"journal/cursors/settlement is not a cursor"});
}

TEST_CASE("An error of whoever replays leaves the journal as it was") {
  const auto files = MakeJournal();
  ForgetWatermark(*files);
  Flip(*files, 1, 3 * kPageSize + 200);
  const auto before = files->contents();
  const absl::Status status = RecoverJournal(*files, kDirectory, kRules, [](const BatchView&) {
                                return absl::DataLossError("sequence 1 gives other events");
                              }).status();
  CHECK(status.message() == "sequence 1 gives other events");
  CHECK(files->contents() == before);
}

TEST_CASE("A recovery that fails or loses power at any operation can be done again") {
  for (int failing = 0;; ++failing) {
    const auto files = MakeJournal();
    ForgetWatermark(*files);
    Flip(*files, 1, 3 * kPageSize + 200);
    const auto start = files->Synced();
    int operations = 0;
    FaultyFileSystem faulty(*start, [&](const FileOperation&) {
      const bool fails = operations++ >= failing;
      return FileFault{.status = fails ? absl::UnknownError("power") : absl::OkStatus()};
    });
    const bool finished = Recover(faulty).ok();
    for (const bool keep : {false, true}) {
      const auto after = start->AfterCrash([keep] { return keep; });
      const absl::StatusOr<Recovered> again = Recover(*after);
      REQUIRE_MESSAGE(again.ok(), again.status().ToString());
      CHECK(again->history.last_sequence == 3);
      CHECK(IsGapless(again->history));
    }
    if (finished) {
      CHECK(failing > 5);
      break;
    }
  }
}

// Ends a recovery by one fault at each of its operations, restarts on the same page cache, writes
// on and loses power. `torn`: a journal that ends with a torn write, behind `last_sequence`.
void EndRecoveryByOneFault(const MemoryFileSystem& torn, uint64_t last_sequence) {
  for (int failing = 0;; ++failing) {
    const auto files = torn.Synced();
    int operations = 0;
    FaultyFileSystem faulty(*files, [&](const FileOperation&) {
      const bool fails = operations++ == failing;
      return FileFault{.status = fails ? absl::UnknownError("EIO") : absl::OkStatus()};
    });
    const bool finished = Recover(faulty).ok();
    REQUIRE(WriteBatches(*files, {2}).ok());
    for (const bool keep : {false, true}) {
      const auto after = files->AfterCrash([keep] { return keep; });
      const absl::StatusOr<Recovered> again = Recover(*after);
      REQUIRE_MESSAGE(again.ok(), "operation ", failing, ": ", again.status().ToString());
      CHECK(again->history.last_sequence == last_sequence + 2);
      CHECK(IsGapless(again->history));
    }
    if (finished) {
      CHECK(failing > 5);
      return;
    }
  }
}

TEST_CASE("A recovery that one fault ended is done again, and power may be lost then") {
  const auto files = MakeJournal();
  SUBCASE("The torn write follows a batch of its segment") {
    Flip(*files, 1, 3 * kPageSize + 200);
    ForgetWatermark(*files);
    EndRecoveryByOneFault(*files, 3);
  }
  SUBCASE("The torn write is the first of its segment") {
    REQUIRE(WriteBatches(*files, {1}).ok());
    Flip(*files, 2, kPageSize + 100);
    ForgetWatermark(*files);
    EndRecoveryByOneFault(*files, 6);
  }
}

TEST_CASE("Every row of the table decides some case") {
  std::set<const StopRow*> used;
  for (const Spot spot : {Spot::kNothing, Spot::kDamaged, Spot::kStranger}) {
    for (const Successor successor :
         {Successor::kNone, Successor::kContinues, Successor::kBroken}) {
      for (const bool later_batch : {false, true}) {
        for (const bool known_durable : {false, true}) {
          used.insert(&Decide({spot, later_batch, successor, known_durable}));
        }
      }
    }
  }
  CHECK(used.size() == kStopTable.size());
}

}  // namespace
}  // namespace warpbook::journal::test
