#include "schema/journal/account_reader.h"

#include <algorithm>
#include <vector>

#include "absl/strings/str_cat.h"
#include "schema/base/check.h"
#include "schema/journal/segment_reader.h"

namespace warpbook::journal {

absl::StatusOr<std::unique_ptr<AccountReader>> AccountReader::Open(
    FileSystem& files, const std::string& directory, AccountId account,
    uint64_t after_account_sequence, Timestamp from_time, uint64_t* oldest) {
  absl::StatusOr<std::unique_ptr<Watermark>> watermark = Watermark::Open(files, directory);
  if (!watermark.ok()) return watermark.status();
  std::unique_ptr<AccountReader> reader(new AccountReader(
      files, directory, account, after_account_sequence, from_time, *std::move(watermark)));
  const absl::Status found = reader->FindFirst();
  if (absl::IsOutOfRange(found) && oldest != nullptr && reader->oldest_ != 0) {
    *oldest = reader->oldest_;
  }
  if (!found.ok()) return found;
  return reader;
}

// Goes to the first event: whether it is the right one is the answer.
absl::Status AccountReader::FindFirst() {
  const uint64_t after_account_sequence = last_;
  const absl::Status located = Locate();
  if (!located.ok()) return located;
  while (true) {
    const absl::StatusOr<Step> step = Advance();
    if (!step.ok()) return step.status();
    if (*step == Step::kEvent) return absl::OkStatus();
    if (*step == Step::kEnd) break;
  }
  if (!known_) return Gone();
  if (*known_ < after_account_sequence) {
    return absl::InvalidArgumentError(absl::StrCat("account ", account_.value(), " is at ", *known_,
                                                   ", not yet at ", after_account_sequence));
  }
  return absl::OkStatus();
}

absl::StatusOr<AccountReader::Progress> AccountReader::Read(
    const Limit& limit, absl::FunctionRef<void(const AccountEvent&)> on_event) {
  WARPBOOK_CHECK(limit.events > 0 && limit.bytes > 0);
  const uint64_t bytes_end = bytes_read_ + limit.bytes;
  size_t given = 0;
  while (true) {
    if (pending_) {
      if (given == limit.events) return Progress::kMore;
      on_event(*pending_);
      pending_.reset();
      ++given;
    }
    const absl::StatusOr<Step> step = Advance();
    if (!step.ok()) return step.status();
    if (*step == Step::kEnd) return Progress::kEnd;
    if (*step == Step::kBatch && bytes_read_ >= bytes_end) return Progress::kMore;
  }
}

// ---- Finding the place ----

absl::Status AccountReader::Locate() {
  sealed_.reset();
  tail_.reset();
  records_ = {};
  known_.reset();
  // The one that is being written is never in the archive.
  const absl::StatusOr<std::vector<uint64_t>> numbers = ListSegments(files_, directory_);
  if (!numbers.ok()) return numbers.status();
  if (numbers->empty()) {
    return absl::NotFoundError(absl::StrCat(directory_, " holds no journal yet"));
  }
  return SearchBackwards(numbers->back());
}

// The newest sealed segment that begins, for the account, at or before what is wanted. If there is
// none, all that the account has is in the unsealed one.
absl::Status AccountReader::SearchBackwards(uint64_t newest) {
  uint64_t first_unsealed = newest;
  bool too_late = false;  // an event was seen, but none that is early enough
  for (uint64_t number = newest; number > 0; --number) {
    absl::StatusOr<std::unique_ptr<SealedSegment>> segment = OpenIfSealed(number);
    if (absl::IsNotFound(segment.status())) break;
    if (!segment.ok()) return segment.status();
    if (*segment == nullptr) {
      first_unsealed = number;
    } else if ((*segment)->has_commands()) {
      const absl::StatusOr<SegmentAccounts> found = LookUp(**segment);
      if (!found.ok()) return found.status();
      if (!found->accounts.empty()) {
        const AccountBatches& batches = found->accounts.begin()->second;
        if (batches.first_account_sequence - 1 <= last_) {
          number_ = number;
          known_ = std::min(batches.last_account_sequence(), last_);
          Enter(*std::move(segment), *found);
          return absl::OkStatus();
        }
        too_late = true;
        oldest_ = batches.first_account_sequence;
      }
      if (found->first_time < from_time_) break;
    }
    if (number == 1) known_ = 0;  // before the journal's first segment there is nothing
  }
  if (too_late) return Gone();
  return EnterNext(first_unsealed);
}

// Of this account only.
absl::StatusOr<SegmentAccounts> AccountReader::LookUp(SealedSegment& segment) const {
  if (use_indexes_) {
    const absl::StatusOr<std::unique_ptr<AccountIndex>> index =
        AccountIndex::Open(files_, directory_, segment);
    if (index.ok()) {
      absl::StatusOr<std::optional<AccountBatches>> batches = (*index)->Find(account_);
      if (batches.ok()) {
        SegmentAccounts found;
        found.first_time = (*index)->first_time();
        if (batches->has_value()) {
          found.accounts.emplace(account_.value(), **std::move(batches));
        }
        return found;
      }
    }
  }
  return ReadAccounts(segment, account_, nullptr);
}

absl::StatusOr<std::unique_ptr<SealedSegment>> AccountReader::OpenIfSealed(uint64_t number) const {
  absl::StatusOr<std::unique_ptr<SealedSegment>> segment =
      SealedSegment::Open(files_, directory_, number);
  if (!segment.ok() || *segment == nullptr) return segment;
  // After a loss of power, until recovery has set it, the watermark may be far behind.
  if ((*segment)->successor().first_sequence > watermark_->Load() + 1) return nullptr;
  return segment;
}

void AccountReader::Enter(std::unique_ptr<SealedSegment> segment, const SegmentAccounts& accounts) {
  sealed_ = std::move(segment);
  batches_ = accounts.accounts.empty() ? AccountBatches() : accounts.accounts.begin()->second;
  next_place_ = batches_.places.empty() ? 0 : batches_.PlaceBehind(last_);
}

absl::Status AccountReader::EnterNext(uint64_t number) {
  absl::StatusOr<std::unique_ptr<SealedSegment>> segment = OpenIfSealed(number);
  if (!segment.ok()) return segment.status();
  number_ = number;
  if (*segment != nullptr) {
    SegmentAccounts found;
    if ((*segment)->has_commands()) {
      absl::StatusOr<SegmentAccounts> looked_up = LookUp(**segment);
      if (!looked_up.ok()) return looked_up.status();
      found = *std::move(looked_up);
    }
    Enter(*std::move(segment), found);
    return absl::OkStatus();
  }
  const absl::StatusOr<std::unique_ptr<SegmentReader>> unsealed =
      SegmentReader::Open(files_, directory_, number);
  if (!unsealed.ok()) return unsealed.status();
  absl::StatusOr<std::unique_ptr<TailReader>> tail =
      TailReader::Open(files_, directory_, (*unsealed)->header().first_sequence);
  if (!tail.ok()) return tail.status();
  sealed_.reset();
  tail_ = *std::move(tail);
  return absl::OkStatus();
}

absl::Status AccountReader::Gone() const {
  return absl::OutOfRangeError(absl::StrCat(directory_, " no longer has what follows ", last_,
                                            " of account ", account_.value()));
}

// ---- Going on ----

absl::StatusOr<AccountReader::Step> AccountReader::Advance() {
  while (!records_.empty()) {
    const wire::RecordView record(records_.data());
    records_ = records_.subspan(record.total_size());
    const wire::RecordView cause = causes_.Next(record);
    if (wire::IsCommand(record.type())) {
      sequence_ = record.command_header().sequence();
      time_ = Timestamp(record.command_header().time_us());
      continue;
    }
    const wire::EventHeader& event = record.event_header();
    const uint64_t account_sequence = event.account_sequence();
    if (event.account_id() != account_.value() || account_sequence == 0) continue;
    if (account_sequence - 1 > last_) {
      if (!known_) {
        oldest_ = account_sequence;
        return Gone();
      }
      return DoWithoutIndexes(absl::DataLossError(
          absl::StrCat(directory_, ", sequence ", sequence_, ": account ", account_.value(),
                       " goes from ", last_, " to ", account_sequence)));
    }
    known_ = account_sequence;
    if (account_sequence <= last_) continue;
    last_ = account_sequence;
    pending_ = {sequence_, time_, record, cause};
    return Step::kEvent;
  }
  return NextBatch();
}

absl::StatusOr<AccountReader::Step> AccountReader::NextBatch() {
  if (tail_ != nullptr) {
    const absl::StatusOr<std::optional<BatchView>> batch = tail_->Next();
    if (!batch.ok()) return batch.status();
    if (!batch->has_value()) return Step::kEnd;
    SetBatch((*batch)->records);
    return Step::kBatch;
  }
  if (next_place_ < batches_.places.size()) {
    const absl::StatusOr<StoredBatch> batch =
        sealed_->ReadBatch(batches_.places[next_place_].offset);
    if (!batch.ok()) return DoWithoutIndexes(batch.status());
    ++next_place_;
    SetBatch(batch->body);
    return Step::kBatch;
  }
  if (batches_.event_count > 0 && last_ < batches_.last_account_sequence()) {
    return DoWithoutIndexes(absl::DataLossError(
        absl::StrCat(directory_, ", segment ", number_, ": no event of account ", account_.value(),
                     " follows ", last_)));
  }
  const absl::Status entered = EnterNext(number_ + 1);
  if (!entered.ok()) return entered;
  return Step::kBatch;
}

void AccountReader::SetBatch(std::span<const std::byte> records) {
  records_ = records;
  bytes_read_ += records.size();
}

absl::StatusOr<AccountReader::Step> AccountReader::DoWithoutIndexes(absl::Status fault) {
  if (!use_indexes_) return fault;
  use_indexes_ = false;
  const absl::Status located = Locate();
  if (!located.ok()) return located;
  return Step::kBatch;
}

}  // namespace warpbook::journal
