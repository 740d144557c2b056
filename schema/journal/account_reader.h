// AccountReader: the private events of one account in order, behind an account sequence: what a
// session that resumes has missed. It reads the archive too; of sealed segments only the batches
// that their account indexes name (a segment without a usable index is read whole), of the last
// one everything, and never beyond the watermark. It needs no lock and works beside the writer, and
// while segments are archived.
//
// An index is never believed against the journal: where events are not where one says, the reader
// goes on without any. A false one with right checksums can still hide events: where to begin
// (OutOfRange), or the last ones. Its memory is bounded by the largest batch and one segment's
// list.
//
// What it costs (tests/bench, `journal_bench account`): see schema/journal/README.md, "Account
// index". Opening may take as long as reading: not for a thread that others wait for.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "schema/base/file.h"
#include "schema/journal/account_index.h"
#include "schema/journal/sealed_segment.h"
#include "schema/journal/tail_reader.h"
#include "schema/journal/watermark.h"
#include "schema/types/ids.h"
#include "schema/types/timestamp.h"
#include "schema/wire/causes.h"
#include "schema/wire/record.h"

namespace warpbook::journal {

struct AccountEvent {
  uint64_t sequence = 0;    // of the command that caused it
  Timestamp time;           // of that command
  wire::RecordView record;  // the event; valid for the call that it is given to
  wire::RecordView cause;   // what it leaves to another event (schema/wire/causes.h); may be empty
};

// One thread owns it.
class AccountReader {
 public:
  // The first event given will be that of `after_account_sequence` + 1. OutOfRange where what lies
  // between is no longer there, or cannot be told: the account has no event in what is left of the
  // journal. InvalidArgument where the account has not come to `after_account_sequence` yet.
  // Segments all of whose commands came before `from_time` count as no longer there, so that nobody
  // can have the archive searched through. Where the answer is OutOfRange, `oldest`, if it is not
  // null, gets the account sequence of the oldest event that was found; where none was, it is left
  // as it is.
  static absl::StatusOr<std::unique_ptr<AccountReader>> Open(
      FileSystem& files, const std::string& directory, AccountId account,
      uint64_t after_account_sequence,
      Timestamp from_time = Timestamp(std::numeric_limits<int64_t>::min()),
      uint64_t* oldest = nullptr);

  // How much a call may give and read; it may go beyond the bytes by one batch.
  struct Limit {
    size_t events = 1'000;
    uint64_t bytes = uint64_t{4} << 20;
  };
  enum class Progress {
    kMore,  // the limit came first
    kEnd,   // everything durable was given; a later call gives what has come since
  };
  // Gives the next events. DataLoss where the journal is damaged below the watermark.
  absl::StatusOr<Progress> Read(const Limit& limit,
                                absl::FunctionRef<void(const AccountEvent&)> on_event);

 private:
  enum class Step { kEvent, kBatch, kEnd };  // found: an event (pending_), a batch, nothing more

  AccountReader(FileSystem& files, std::string directory, AccountId account,
                uint64_t after_account_sequence, Timestamp from_time,
                std::unique_ptr<Watermark> watermark)
      : files_(files),
        directory_(std::move(directory)),
        account_(account),
        from_time_(from_time),
        watermark_(std::move(watermark)),
        last_(after_account_sequence) {}

  absl::Status FindFirst();
  // Finds where the event behind last_ is, and goes there.
  absl::Status Locate();
  absl::Status SearchBackwards(uint64_t newest);
  absl::StatusOr<SegmentAccounts> LookUp(SealedSegment& segment) const;
  // Null: the segment is being written, or ends above the watermark.
  absl::StatusOr<std::unique_ptr<SealedSegment>> OpenIfSealed(uint64_t number) const;
  void Enter(std::unique_ptr<SealedSegment> segment, const SegmentAccounts& accounts);
  absl::Status EnterNext(uint64_t number);

  absl::StatusOr<Step> Advance();
  absl::StatusOr<Step> NextBatch();
  void SetBatch(std::span<const std::byte> records);
  // Starts again where the last event was, or answers with the fault if no index is to blame.
  absl::StatusOr<Step> DoWithoutIndexes(absl::Status fault);
  absl::Status Gone() const;

  FileSystem& files_;
  const std::string directory_;
  const AccountId account_;
  const Timestamp from_time_;
  const std::unique_ptr<Watermark> watermark_;
  bool use_indexes_ = true;

  uint64_t last_;  // account sequence of the last event that was given or is pending
  // The highest account sequence up to last_ that the journal has shown; nullopt: none.
  std::optional<uint64_t> known_;
  uint64_t oldest_ =
      0;  // the oldest that was found to be behind last_, if what lies between is gone

  uint64_t number_ = 0;                    // of the segment that is being read
  std::unique_ptr<SealedSegment> sealed_;  // null from the unsealed one on
  AccountBatches batches_;                 // in the sealed one
  size_t next_place_ = 0;
  std::unique_ptr<TailReader> tail_;  // from the unsealed one on

  std::span<const std::byte> records_;  // what is left of the batch
  wire::CauseTracker causes_;           // of the batch's records so far
  uint64_t sequence_ = 0;               // of the last command in it
  Timestamp time_;
  uint64_t bytes_read_ = 0;  // of batches
  std::optional<AccountEvent> pending_;
};

}  // namespace warpbook::journal
