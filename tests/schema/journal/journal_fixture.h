// Helpers of the journal's tests: batches whose content follows from their sequence, and journals
// in memory made of them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "schema/base/file.h"
#include "schema/journal/recovery.h"
#include "schema/journal/writer.h"

namespace warpbook::journal::test {

inline constexpr char kDirectory[] = "journal";
inline constexpr uint32_t kRules = 7;

// Ticks numbered from `first_sequence`, each with its reply, except that every fifth also has a
// second event.
struct MadeBatch {
  std::vector<std::byte> records;
  uint32_t command_count = 0;
  uint32_t event_count = 0;
  BatchToWrite view() const { return {command_count, event_count, records}; }
};
MadeBatch MakeBatch(uint64_t first_sequence, uint32_t command_count);

// What a reader was given: batches' records one behind the other.
struct History {
  uint64_t last_sequence = 0;
  std::vector<uint64_t> first_sequences;
  std::vector<std::byte> records;
  void Add(const BatchView& batch);
  friend bool operator==(const History&, const History&) = default;
};
// What a reader is given of a journal of MakeBatch'es up to the sequence, without regard to how
// they were cut into batches.
std::vector<std::byte> ExpectedRecords(uint64_t last_sequence);

// Whether the history is that of MakeBatch'es 1..last_sequence. The index of a command in its batch
// is left out.
bool IsGapless(const History& history);

// Reads until there is no more for now. Fails the test where the reader finds a fault.
History ReadAll(LogReader& reader);

struct Recovered {
  RecoveredJournal journal;
  History history;
};
absl::StatusOr<Recovered> Recover(FileSystem& files, const std::string& directory = kDirectory);
absl::StatusOr<JournalScan> Scan(FileSystem& files, History* history);

Writer::Options SmallSegments(uint64_t pages);

// Recovers and writes batches of the given numbers of commands; 0 is an idle marker.
absl::Status WriteBatches(FileSystem& files, const std::vector<uint32_t>& command_counts,
                          uint64_t segment_pages = 64);

// "journal/00000001.segment"
std::string Segment(uint64_t number);

}  // namespace warpbook::journal::test
