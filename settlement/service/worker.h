// Worker: reads the journal's durable batches, posts them, decides, and hands its decisions to the
// sender. One step is one transaction: batches, cursor and new decisions together. So at every
// moment of a crash:
//   before the commit   nothing happened; the same batches are read again
//   after it            the cursor is behind them, and the decisions are in the outbox, from which
//                       they are sent again; the engine takes each number once
// A decision is posted when it is read back, never before, and one that this database has never
// seen (it is new and the journal is old) is posted like any other. None is made before the engine
// was heard and the journal read to its end after that: what is decided already is then known. If
// all the same another decision has the number of one of ours, ours are void and made anew.
//
// Behind the journal's end, the next batches are read and applied while PostgreSQL takes the ones
// before: the store then belongs to a thread of that commit until the next step has waited for it.
//
// One thread owns a worker. After a failed step it is of no more use: Unavailable says that a new
// one may go on from what the database holds.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "schema/journal/command_log.h"
#include "schema/types/public_key.h"
#include "settlement/service/books.h"
#include "settlement/service/decision_sender.h"
#include "settlement/service/outbox.h"
#include "settlement/store/store.h"

namespace warpbook::settlement {

// What of the journal one transaction takes at most, and one batch more. It is as much as that only
// while the worker is behind: the rest waits, which costs nothing.
inline constexpr size_t kBytesPerTransactionMax = size_t{64} << 20;

class Worker {
 public:
  struct Options {
    // Where the cursor file is kept for the engine's recovery and retention; empty: nowhere.
    std::string cursor_directory = {};
    // Of settlement's account; nullopt: nothing is decided, the journal is only posted.
    std::optional<PublicKey> key = {};
    // Stops reading behind this command; 0: never.
    Sequence last_sequence = {};
    // A commit that takes longer is told as slow: how long it has taken by now, each time that as
    // much has passed again.
    std::chrono::milliseconds slow_commit{10'000};
    std::function<void(std::chrono::milliseconds)> on_slow_commit = [](std::chrono::milliseconds) {
    };
    // A commit has taken so long; on its own thread.
    std::function<void(std::chrono::nanoseconds)> on_commit = [](std::chrono::nanoseconds) {};
  };

  // What it did so far, for a status line.
  struct Figures {
    uint64_t transactions = 0;
    uint64_t batches = 0;
    uint64_t transfers = 0;
    uint64_t decisions = 0;
    uint64_t voided = 0;  // times that the journal had another decision
  };

  // Loads what the store holds. The store, the reader (from the cursor's sequence on, which it must
  // be opened with: see FirstSequence) and the sender belong to the worker's thread and outlive it.
  static absl::StatusOr<std::unique_ptr<Worker>> Create(Options options, Store& store,
                                                        DecisionSender& sender);
  // From which sequence the journal is read: the last one posted, which is compared, or the first.
  uint64_t FirstSequence() const;
  void SetReader(journal::LogReader& reader) { reader_ = &reader; }

  // One transaction, if there is something to write. Returns whether there was. Where the journal
  // goes on, the transaction may still be on its way; where it does not, all are committed.
  absl::StatusOr<bool> Step();

  const Books& books() const { return books_; }
  const Outbox& outbox() const { return outbox_; }
  const Figures& figures() const { return figures_; }
  // Whether decisions are made by now.
  bool deciding() const { return deciding_; }
  // The last command that is in the database.
  Sequence committed() const { return committed_; }
  // Whether the last step found the journal's end, and all before it is committed.
  bool at_end() const { return at_end_; }

 private:
  Worker(Options options, Store& store, DecisionSender& sender, Books books, Outbox outbox);
  // Reads batches until the journal's end (true) or a limit (false).
  absl::StatusOr<bool> Gather();
  // Commits the changes, at once or (`wait` false) while the next step goes on.
  absl::Status Write(Changes changes, bool wait);
  // Waits for the commit that is on its way, if there is one.
  absl::Status FinishCommit();
  // Tells those who must know only what is committed.
  absl::Status Announce(const Changes& changes);

  const Options options_;
  Store& store_;
  DecisionSender& sender_;
  journal::LogReader* reader_ = nullptr;
  Books books_;
  Outbox outbox_;
  Figures figures_;
  bool deciding_ = false;
  Sequence committed_;
  bool at_end_ = false;
  bool account_told_ = false;
  Changes committing_;
  std::future<absl::Status> commit_;  // of committing_; the last member, so that its end waits
};

}  // namespace warpbook::settlement
