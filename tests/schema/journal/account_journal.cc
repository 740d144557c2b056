#include "tests/schema/journal/account_journal.h"

#include <atomic>
#include <utility>

#include "schema/base/check.h"
#include "schema/journal/account_indexer.h"
#include "schema/journal/segment_reader.h"
#include "schema/journal/tail_reader.h"
#include "schema/wire/record.h"

namespace warpbook::journal::test {

MadeBatch RandomBatches::Make(uint64_t first_sequence, uint32_t command_count) {
  wire::RecordWriter writer;
  MadeBatch batch;
  batch.command_count = command_count;
  for (uint32_t i = 0; i < command_count; ++i) {
    wire::Tick tick;
    tick.mutable_header().mutate_sequence(first_sequence + i);
    tick.mutable_header().mutate_time_us(static_cast<int64_t>((first_sequence + i) * 1'000));
    writer.Append(tick, i);
    for (uint64_t events = Below(5); events > 0; --events) {
      const uint64_t account = first_account_ + Below(account_count_ - first_account_ + 1);
      wire::LeaseHeartbeat event;
      event.mutate_lease_id(random_());
      // One in three is no private event: a reply to the account, or public.
      if (Below(3) != 0) {
        event.mutable_header().mutate_account_id(account);
        event.mutable_header().mutate_account_sequence(++account_sequences_[account]);
      } else if (Below(2) != 0) {
        event.mutable_header().mutate_account_id(account);
      }
      writer.Append(event, i);
      ++batch.event_count;
    }
  }
  batch.records = writer.Take();
  return batch;
}

absl::Status WriteLife(FileSystem& files, const std::string& directory, RandomBatches& batches,
                       int batch_count, uint64_t segment_pages, uint32_t commands_max) {
  absl::StatusOr<Recovered> recovered = Recover(files, directory);
  if (!recovered.ok()) return recovered.status();
  const absl::StatusOr<std::unique_ptr<Writer>> writer =
      Writer::Open(files, std::move(recovered->journal), SmallSegments(segment_pages));
  if (!writer.ok()) return writer.status();
  for (int i = 0; i < batch_count; ++i) {
    const auto command_count = static_cast<uint32_t>(1 + batches.Below(commands_max));
    absl::Status status =
        (*writer)->Append(batches.Make((*writer)->next_sequence(), command_count).view());
    if (status.ok() && batches.Below(6) == 0) status = (*writer)->WriteIdleMarker();
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

PrivateEvents::PrivateEvents(FileSystem& files, const std::string& directory) {
  const uint64_t oldest = ListAllSegments(files, directory)->front();
  from_the_start_ = oldest == 1;
  const uint64_t first = (*SegmentReader::Open(files, directory, oldest))->header().first_sequence;
  const auto reader = TailReader::Open(files, directory, first);
  WARPBOOK_CHECK(reader.ok());
  while (true) {
    const auto batch = (*reader)->Next();
    WARPBOOK_CHECK(batch.ok());
    if (!batch->has_value()) return;
    AccountEvent event;
    for (const wire::RecordView record : wire::Records((*batch)->records)) {
      event.record = record;
      if (wire::IsCommand(record.type())) {
        event.sequence = record.command_header().sequence();
        event.time = Timestamp(record.command_header().time_us());
      } else if (record.event_header().account_sequence() != 0) {
        events_[record.event_header().account_id()].push_back(Copy(event));
      }
    }
  }
}

Answer PrivateEvents::Behind(uint64_t account, uint64_t after_account_sequence) const {
  const auto found = events_.find(account);
  if (found == events_.end()) {
    if (!from_the_start_) return {absl::StatusCode::kOutOfRange, {}};
    if (after_account_sequence > 0) return {absl::StatusCode::kInvalidArgument, {}};
    return {};
  }
  const std::vector<GivenEvent>& events = found->second;
  if (events.back().account_sequence < after_account_sequence) {
    return {absl::StatusCode::kInvalidArgument, {}};
  }
  if (events.front().account_sequence > after_account_sequence + 1) {
    return {absl::StatusCode::kOutOfRange, {}};
  }
  const uint64_t known = after_account_sequence + 1 - events.front().account_sequence;
  return {absl::StatusCode::kOk, {events.begin() + static_cast<int64_t>(known), events.end()}};
}

uint64_t PrivateEvents::LastOf(uint64_t account) const {
  const auto found = events_.find(account);
  return found == events_.end() ? 0 : found->second.back().account_sequence;
}

GivenEvent Copy(const AccountEvent& event) {
  const std::span<const std::byte> bytes = event.record.bytes();
  return {event.record.event_header().account_sequence(),
          event.sequence,
          event.time,
          {bytes.begin(), bytes.end()}};
}

Answer ReadBehind(FileSystem& files, const std::string& directory, uint64_t account,
                  uint64_t after_account_sequence, const AccountReader::Limit& limit) {
  const absl::StatusOr<std::unique_ptr<AccountReader>> reader =
      AccountReader::Open(files, directory, AccountId(account), after_account_sequence);
  if (!reader.ok()) return {reader.status().code(), {}};
  Answer answer;
  while (true) {
    const size_t before = answer.events.size();
    const absl::StatusOr<AccountReader::Progress> progress = (*reader)->Read(
        limit, [&](const AccountEvent& event) { answer.events.push_back(Copy(event)); });
    if (!progress.ok()) return {progress.status().code(), {}};
    WARPBOOK_CHECK(answer.events.size() - before <= limit.events);
    if (*progress == AccountReader::Progress::kEnd) return answer;
  }
}

absl::Status MakeIndexes(FileSystem& files, const std::string& directory) {
  const std::atomic<bool> stop = false;
  return AccountIndexer(files, directory).MakeMissing(stop);
}

}  // namespace warpbook::journal::test
