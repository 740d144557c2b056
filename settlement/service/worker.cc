#include "settlement/service/worker.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "schema/journal/tail_reader.h"
#include "settlement/service/decider.h"

namespace warpbook::settlement {

absl::StatusOr<std::unique_ptr<Worker>> Worker::Create(Options options, Store& store,
                                                       DecisionSender& sender) {
  auto state = store.Load();
  if (!state.ok()) return state.status();
  const std::vector<Decision> pending = state->outbox;
  auto books = Books::Restore(*std::move(state));
  if (!books.ok()) return books.status();
  auto outbox = Outbox::Restore(pending, *books);
  if (!outbox.ok()) return outbox.status();
  sender.Replace(pending);
  return std::unique_ptr<Worker>(
      new Worker(std::move(options), store, sender, *std::move(books), *std::move(outbox)));
}

Worker::Worker(Options options, Store& store, DecisionSender& sender, Books books, Outbox outbox)
    : options_(std::move(options)),
      store_(store),
      sender_(sender),
      books_(std::move(books)),
      outbox_(std::move(outbox)),
      committed_(books_.cursor().sequence) {}

uint64_t Worker::FirstSequence() const {
  const uint64_t posted = books_.cursor().sequence.value();
  return posted == 0 ? 1 : posted;
}

absl::StatusOr<bool> Worker::Step() {
  WARPBOOK_CHECK(reader_ != nullptr);
  if (absl::Status status = sender_.status(); !status.ok()) return status;
  // Asked before the journal is read: what it held then is at or before the end that is reached.
  const bool heard_engine = sender_.HeardEngine();
  const Sequence before = books_.cursor().sequence;
  const auto at_end = Gather();
  if (!at_end.ok()) return at_end.status();
  at_end_ = false;
  const bool posted = books_.cursor().sequence != before;
  if (!books_.journal_confirmed()) return false;

  auto changes = books_.TakeChanges();
  if (!changes.ok()) return changes.status();
  for (const ConfirmedDecision& confirmed : changes->confirmed) {
    if (outbox_.TakeBack(confirmed.decision)) {
      changes->void_from = changes->void_from.value_or(confirmed.decision.number);
    }
  }
  if (options_.key && !account_told_) {
    if (const auto account = books_.FindSettlementAccount(*options_.key)) {
      sender_.SetAccount(*account);
      account_told_ = true;
    }
  }
  deciding_ = deciding_ || (options_.key && heard_engine && *at_end);
  if (deciding_) changes->decided = Decide(books_, outbox_);
  if (!posted && changes->decided.empty()) {
    if (absl::Status status = FinishCommit(); !status.ok()) return status;
    at_end_ = *at_end;
    return false;
  }
  if (absl::Status status = Write(*std::move(changes), *at_end); !status.ok()) return status;
  at_end_ = *at_end;
  return true;
}

absl::StatusOr<bool> Worker::Gather() {
  size_t bytes = 0;
  while (bytes < kBytesPerTransactionMax) {
    if (options_.last_sequence && books_.cursor().sequence >= options_.last_sequence) return true;
    const auto batch = reader_->Next();
    if (!batch.ok()) return batch.status();
    if (!*batch) return true;
    if (absl::Status status = books_.Apply(**batch); !status.ok()) return status;
    bytes += (*batch)->records.size();
    ++figures_.batches;
  }
  return false;
}

absl::Status Worker::Write(Changes changes, bool wait) {
  if (absl::Status status = FinishCommit(); !status.ok()) return status;
  committing_ = std::move(changes);
  commit_ = std::async(std::launch::async, [this] {
    const auto begin = std::chrono::steady_clock::now();
    absl::Status status = store_.Commit(committing_);
    options_.on_commit(std::chrono::steady_clock::now() - begin);
    return status;
  });
  return wait ? FinishCommit() : absl::OkStatus();
}

absl::Status Worker::FinishCommit() {
  if (!commit_.valid()) return absl::OkStatus();
  std::chrono::milliseconds waited{0};
  while (commit_.wait_for(options_.slow_commit) == std::future_status::timeout) {
    options_.on_slow_commit(waited += options_.slow_commit);
  }
  if (absl::Status status = commit_.get(); !status.ok()) return status;
  return Announce(std::exchange(committing_, Changes()));
}

absl::Status Worker::Announce(const Changes& changes) {
  committed_ = changes.to.sequence;
  ++figures_.transactions;
  figures_.transfers += changes.transfers.size();
  figures_.decisions += changes.decided.size();
  if (!options_.cursor_directory.empty() && changes.from.sequence != changes.to.sequence) {
    if (absl::Status status = journal::WriteCursor(options_.cursor_directory, "settlement",
                                                   changes.to.sequence.value());
        !status.ok()) {
      return status;
    }
  }
  if (changes.void_from) {
    // What is left are the decisions just made.
    ++figures_.voided;
    sender_.Replace(changes.decided);
    return absl::OkStatus();
  }
  sender_.Confirm(changes.to.decision_number);
  if (!changes.decided.empty()) sender_.Add(changes.decided);
  return absl::OkStatus();
}

}  // namespace warpbook::settlement
