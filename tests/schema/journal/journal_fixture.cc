#include "tests/schema/journal/journal_fixture.h"

#include <utility>

#include "schema/base/check.h"
#include "schema/wire/record.h"

namespace warpbook::journal::test {
namespace {

void AppendCommand(wire::RecordWriter& writer, uint64_t sequence, uint32_t index,
                   uint32_t& event_count) {
  wire::Tick tick;
  tick.mutable_header().mutate_sequence(sequence);
  tick.mutable_header().mutate_time_us(static_cast<int64_t>(sequence * 1'000));
  tick.mutable_header().mutate_tag(sequence * 0x9e3779b97f4a7c15);
  writer.Append(tick, index);
  wire::CommandAccepted reply;
  reply.mutate_tag(sequence);
  writer.Append(reply, index);
  ++event_count;
  if (sequence % 5 == 0) {
    wire::LeaseHeartbeat heartbeat;
    heartbeat.mutate_lease_id(sequence);
    writer.Append(heartbeat, index);
    ++event_count;
  }
}

}  // namespace

MadeBatch MakeBatch(uint64_t first_sequence, uint32_t command_count) {
  wire::RecordWriter writer;
  MadeBatch batch;
  batch.command_count = command_count;
  for (uint32_t i = 0; i < command_count; ++i) {
    AppendCommand(writer, first_sequence + i, i, batch.event_count);
  }
  batch.records = writer.Take();
  return batch;
}

void History::Add(const BatchView& batch) {
  first_sequences.push_back(batch.first_sequence);
  last_sequence = batch.first_sequence + batch.command_count - 1;
  for (const wire::RecordView record : wire::Records(batch.records)) {
    wire::RecordWriter copy;
    copy.Append(record, 0);
    records.insert(records.end(), copy.bytes().begin(), copy.bytes().end());
  }
}

std::vector<std::byte> ExpectedRecords(uint64_t last_sequence) {
  wire::RecordWriter writer;
  uint32_t events = 0;
  for (uint64_t sequence = 1; sequence <= last_sequence; ++sequence) {
    AppendCommand(writer, sequence, 0, events);
  }
  return writer.Take();
}

bool IsGapless(const History& history) {
  return history.records == ExpectedRecords(history.last_sequence);
}

History ReadAll(LogReader& reader) {
  History history;
  while (true) {
    const absl::StatusOr<std::optional<BatchView>> batch = reader.Next();
    WARPBOOK_CHECK(batch.ok());  // the fuzzers have no doctest
    if (!batch->has_value()) return history;
    history.Add(**batch);
  }
}

absl::StatusOr<Recovered> Recover(FileSystem& files, const std::string& directory) {
  Recovered recovered;
  absl::StatusOr<RecoveredJournal> journal =
      RecoverJournal(files, directory, kRules, [&](const BatchView& batch) {
        recovered.history.Add(batch);
        return absl::OkStatus();
      });
  if (!journal.ok()) return journal.status();
  recovered.journal = *std::move(journal);
  return recovered;
}

absl::StatusOr<JournalScan> Scan(FileSystem& files, History* history) {
  return ScanJournal(files, kDirectory, kRules, 0, [&](const BatchView& batch) {
    history->Add(batch);
    return absl::OkStatus();
  });
}

Writer::Options SmallSegments(uint64_t pages) {
  return {.segment_size = pages * kPageSize,
          .rules_version = kRules,
          .make_segments_in_background = false};
}

absl::Status WriteBatches(FileSystem& files, const std::vector<uint32_t>& command_counts,
                          uint64_t segment_pages) {
  absl::StatusOr<Recovered> recovered = Recover(files);
  if (!recovered.ok()) return recovered.status();
  absl::StatusOr<std::unique_ptr<Writer>> writer =
      Writer::Open(files, std::move(recovered->journal), SmallSegments(segment_pages));
  if (!writer.ok()) return writer.status();
  for (const uint32_t command_count : command_counts) {
    const absl::Status status =
        command_count == 0
            ? (*writer)->WriteIdleMarker()
            : (*writer)->Append(MakeBatch((*writer)->next_sequence(), command_count).view());
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

std::string Segment(uint64_t number) { return SegmentPath(kDirectory, number); }

}  // namespace warpbook::journal::test
