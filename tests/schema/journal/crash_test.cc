// Loss of power: torn last batches, crashes between any two operations, lost and misdirected
// writes.
#include <doctest/doctest.h>

#include <algorithm>
#include <bit>
#include <random>

#include "tests/schema/journal/journal_fixture.h"
#include "tests/support/faulty_file_system.h"
#include "tests/support/memory_file_system.h"

namespace warpbook::journal::test {
namespace {

using warpbook::test::FaultyFileSystem;
using warpbook::test::FileFault;
using warpbook::test::FileOperation;
using warpbook::test::MemoryFileSystem;

constexpr int kSectorsPerPage = static_cast<int>(kPageSize / MemoryFileSystem::kSectorSize);

std::unique_ptr<Writer> OpenWriter(FileSystem& files, uint64_t pages) {
  absl::StatusOr<Recovered> recovered = Recover(files);
  REQUIRE_MESSAGE(recovered.ok(), recovered.status().ToString());
  absl::StatusOr<std::unique_ptr<Writer>> writer =
      Writer::Open(files, std::move(recovered->journal), SmallSegments(pages));
  REQUIRE_MESSAGE(writer.ok(), writer.status().ToString());
  return *std::move(writer);
}

// A journal whose last batch, of `command_count` commands from sequence 4 on, was written and not
// synced.
class UnsyncedBatch {
 public:
  explicit UnsyncedBatch(uint32_t command_count)
      : faulty_(memory_, [this](const FileOperation& operation) {
          const bool fails = fail_syncs_ && operation.kind == FileOperation::Kind::kSyncData;
          return FileFault{.status = fails ? absl::UnknownError("power") : absl::OkStatus()};
        }) {
    const std::unique_ptr<Writer> writer = OpenWriter(faulty_, 256);
    REQUIRE(writer->Append(MakeBatch(1, 3).view()).ok());
    fail_syncs_ = true;
    REQUIRE_FALSE(writer->Append(MakeBatch(4, command_count).view()).ok());
  }
  const MemoryFileSystem& memory() const { return memory_; }

 private:
  MemoryFileSystem memory_;
  bool fail_syncs_ = false;
  FaultyFileSystem faulty_;
};

// The watermark's page counts as a change of its own; it is asked for after the segment's sectors,
// whose number is known.
std::unique_ptr<MemoryFileSystem> Keep(const MemoryFileSystem& memory,
                                       const std::vector<bool>& sectors) {
  size_t at = 0;
  return memory.AfterCrash([&] { return at < sectors.size() ? sectors[at++] : true; });
}

TEST_CASE("Every 512-byte subset of a torn 4 KiB last batch gives the journal with or without it") {
  const uint32_t kCommands = 25;
  const MadeBatch batch = MakeBatch(4, kCommands);
  const size_t length = sizeof(BatchHeader) + batch.records.size();
  REQUIRE(length < kPageSize);
  REQUIRE(length > 5 * MemoryFileSystem::kSectorSize);
  const auto used_sectors =
      (length + MemoryFileSystem::kSectorSize - 1) / MemoryFileSystem::kSectorSize;
  const UnsyncedBatch unsynced(kCommands);
  int with = 0;
  for (unsigned subset = 0; subset < 1u << kSectorsPerPage; ++subset) {
    std::vector<bool> sectors;
    for (int i = 0; i < kSectorsPerPage; ++i) sectors.push_back((subset >> i & 1) != 0);
    const auto after = Keep(unsynced.memory(), sectors);
    const absl::StatusOr<Recovered> recovered = Recover(*after);
    REQUIRE_MESSAGE(recovered.ok(), recovered.status().ToString());
    const bool all_used_sectors_kept =
        std::all_of(sectors.begin(), sectors.begin() + static_cast<ptrdiff_t>(used_sectors),
                    [](bool kept) { return kept; });
    REQUIRE(recovered->history.last_sequence == (all_used_sectors_kept ? 3 + kCommands : 3));
    REQUIRE(IsGapless(recovered->history));
    REQUIRE(recovered->journal.repair_note.empty() ==
            (all_used_sectors_kept || (subset & ((1u << used_sectors) - 1)) == 0));
    with += all_used_sectors_kept ? 1 : 0;
  }
  CHECK(with == 1 << (static_cast<size_t>(kSectorsPerPage) - used_sectors));
}

TEST_CASE("A thousand seeded subsets of a torn larger batch give the journal without it") {
  const UnsyncedBatch unsynced(400);
  std::mt19937 random(7);
  for (int seed = 0; seed < 1'000; ++seed) {
    const unsigned kept_per_16 = static_cast<unsigned>(random() % 17);
    const auto after = unsynced.memory().AfterCrash([&] { return random() % 16 < kept_per_16; });
    const absl::StatusOr<Recovered> recovered = Recover(*after);
    REQUIRE_MESSAGE(recovered.ok(), recovered.status().ToString());
    const uint64_t last = recovered->history.last_sequence;
    REQUIRE((last == 3 || (last == 403 && kept_per_16 > 0)));
    REQUIRE(IsGapless(recovered->history));
  }
}

// Writes until the file system fails; says what was acknowledged.
uint64_t WriteUntilFailure(FileSystem& files, std::mt19937& random, bool* began) {
  absl::StatusOr<Recovered> recovered = Recover(files);
  *began = false;
  if (!recovered.ok()) return 0;
  uint64_t acknowledged = recovered->history.last_sequence;
  absl::StatusOr<std::unique_ptr<Writer>> writer =
      Writer::Open(files, std::move(recovered->journal), SmallSegments(5));
  if (!writer.ok()) return acknowledged;
  *began = true;
  for (int i = 0; i < 12; ++i) {
    const uint32_t count = static_cast<uint32_t>(random() % 40);
    const absl::Status status =
        count == 0 ? (*writer)->WriteIdleMarker()
                   : (*writer)->Append(MakeBatch((*writer)->next_sequence(), count).view());
    if (!status.ok()) break;
    acknowledged = (*writer)->durable_sequence();
  }
  return acknowledged;
}

// Power is lost with all of what is not synced kept, none of it, or parts: each time everything
// acknowledged is there, without a gap. How many times.
int CheckAfterPowerLoss(const MemoryFileSystem& memory, int failing, uint64_t acknowledged) {
  constexpr int kVariants = 6;
  std::mt19937 tear(static_cast<unsigned>(failing));
  for (int variant = 0; variant < kVariants; ++variant) {
    const auto after = memory.AfterCrash([&] {
      if (variant < 2) return variant == 1;
      return tear() % 2 == 0;
    });
    const absl::StatusOr<Recovered> recovered = Recover(*after);
    REQUIRE_MESSAGE(recovered.ok(), "operation ", failing, ", variant ", variant, ": ",
                    recovered.status().ToString());
    REQUIRE(recovered->history.last_sequence >= acknowledged);
    REQUIRE(IsGapless(recovered->history));
  }
  return kVariants;
}

TEST_CASE("A crash at any write, sync or rename loses nothing acknowledged") {
  int crashes = 0;
  for (int failing = 0;; ++failing) {
    // Two lives before the crash, so that recovery and a second epoch are crashed in as well.
    MemoryFileSystem memory;
    int operations = 0;
    FaultyFileSystem faulty(memory, [&](const FileOperation&) {
      const bool fails = operations++ >= failing;
      return FileFault{.status = fails ? absl::UnknownError("power") : absl::OkStatus()};
    });
    std::mt19937 random(99);
    bool began = false;
    uint64_t acknowledged = WriteUntilFailure(faulty, random, &began);
    if (operations <= failing) {
      acknowledged = std::max(acknowledged, WriteUntilFailure(faulty, random, &began));
    }
    const bool finished = operations <= failing;
    crashes += CheckAfterPowerLoss(memory, failing, acknowledged);
    if (finished) break;
  }
  CHECK(crashes > 300);
}

TEST_CASE("One fault at any operation, a restart and a loss of power lose nothing acknowledged") {
  // The page cache of the second life shows what the fault kept from the disk.
  for (int failing = 0;; ++failing) {
    MemoryFileSystem memory;
    int operations = 0;
    FaultyFileSystem faulty(memory, [&](const FileOperation&) {
      const bool fails = operations++ == failing;
      return FileFault{.status = fails ? absl::UnknownError("EIO") : absl::OkStatus()};
    });
    std::mt19937 random(99);
    uint64_t acknowledged = 0;
    for (int life = 0; life < 3; ++life) {
      const bool after_fault = operations > failing;
      bool began = false;
      acknowledged = std::max(acknowledged, WriteUntilFailure(faulty, random, &began));
      if (after_fault) REQUIRE_MESSAGE(began, "operation ", failing);
    }
    CheckAfterPowerLoss(memory, failing, acknowledged);
    if (operations <= failing) {
      CHECK(failing > 100);
      break;
    }
  }
}

TEST_CASE("Random faults, restarts and losses of power lose nothing acknowledged") {
  int faults = 0;
  int crashes = 0;
  for (unsigned seed = 0; seed < 400; ++seed) {
    std::mt19937 random(seed);
    auto memory = std::make_unique<MemoryFileSystem>();
    uint64_t acknowledged = 0;
    for (int life = 0; life < 8; ++life) {
      int faults_of_life = 0;
      FaultyFileSystem faulty(*memory, [&](const FileOperation&) {
        const bool fails = random() % 64 == 0;
        faults_of_life += fails ? 1 : 0;
        return FileFault{.status = fails ? absl::UnknownError("EIO") : absl::OkStatus()};
      });
      bool began = false;
      acknowledged = std::max(acknowledged, WriteUntilFailure(faulty, random, &began));
      REQUIRE_MESSAGE((began || faults_of_life > 0), "seed ", seed, ", life ", life);
      faults += faults_of_life;
      if (random() % 3 == 0) {
        const unsigned kept_per_8 = static_cast<unsigned>(random() % 9);
        memory = memory->AfterCrash([&] { return random() % 8 < kept_per_8; });
        ++crashes;
      }
    }
    const absl::StatusOr<Recovered> recovered = Recover(*memory);
    REQUIRE_MESSAGE(recovered.ok(), "seed ", seed, ": ", recovered.status().ToString());
    REQUIRE(recovered->history.last_sequence >= acknowledged);
    REQUIRE(IsGapless(recovered->history));
  }
  CHECK(faults > 1'000);
  CHECK(crashes > 500);
}

// Writes four batches of two commands, the second (or the last) of which is subject to the fault.
std::unique_ptr<MemoryFileSystem> WriteWithFault(uint64_t faulty_sequence, const FileFault& fault,
                                                 bool keep_watermark) {
  MemoryFileSystem memory;
  bool strike = false;
  FaultyFileSystem faulty(memory, [&](const FileOperation& operation) {
    return strike && operation.kind == FileOperation::Kind::kWrite ? fault : FileFault{};
  });
  {
    const std::unique_ptr<Writer> writer = OpenWriter(faulty, 64);
    for (uint64_t sequence = 1; sequence <= 7; sequence += 2) {
      strike = sequence == faulty_sequence;
      REQUIRE(writer->Append(MakeBatch(sequence, 2).view()).ok());
    }
  }
  if (!keep_watermark) REQUIRE(memory.Remove("journal/watermark").ok());
  return memory.Synced();
}

TEST_CASE("A lost or misdirected write is refused") {
  FileFault lost;
  lost.lost = true;
  FileFault onto_later;
  onto_later.moved_by = 3 * kPageSize;
  FileFault onto_earlier;
  onto_earlier.moved_by = -static_cast<int64_t>(kPageSize);
  for (const FileFault& fault : {lost, onto_later, onto_earlier}) {
    // Batches behind it show it; where it was the last one, the watermark does.
    CHECK(absl::IsDataLoss(Recover(*WriteWithFault(3, fault, false)).status()));
    CHECK(absl::IsDataLoss(Recover(*WriteWithFault(7, fault, true)).status()));
  }
}

}  // namespace
}  // namespace warpbook::journal::test
