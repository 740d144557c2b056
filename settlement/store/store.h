// Store: settlement's database, as its one worker uses it. All that a set of journal batches
// changes is written in one transaction with the journal's cursor inside it: a crash leaves all of
// it or nothing, and what is applied is never applied again. The worker's thread owns it.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "schema/catalogue/catalogue.h"
#include "settlement/store/database.h"
#include "settlement/store/rows.h"

namespace warpbook::settlement {

// What of a commit is done; until the last row it may be waiting to be sent.
enum class CommitStep : uint8_t {
  kCursorMoved,
  kTransfersWritten,
  kBalancesWritten,
  kRowsWritten,
  kOutboxWritten,  // all; the next is the commit
  kCommitted,
};

class Store {
 public:
  struct Options {
    std::string conninfo;
    // How long the lock of a worker that died may take to come free.
    std::chrono::milliseconds lock_wait{5'000};
    // Called after each step, so that tests can end the process there.
    std::function<void(CommitStep)> on_step = [](CommitStep) {};
  };

  // Connects, checks the schema and takes the worker's lock, which the connection holds for as long
  // as it lives. AlreadyExists where another worker has it.
  static absl::StatusOr<Store> Open(Options options);

  // What is stored. In an empty database it first posts genesis.
  absl::StatusOr<StoredState> Load();

  // Writes the changes. Aborted where the cursor is not at changes.from: another worker wrote.
  // Unavailable: whether it was written is not known; open a new Store and load.
  absl::Status Commit(const Changes& changes);

  // The catalogue's names, for people who read the tables.
  absl::Status WriteNames(const Catalogue& catalogue);

 private:
  Store(Options options, Database database);
  // Makes the partitions of `transfers` that these transfers go to.
  void OpenPartitions(pqxx::transaction_base& transaction, const std::vector<Transfer>& transfers);

  Options options_;
  Database database_;
  int64_t partitions_end_ = 0;  // the first event that may have no partition yet
};

// Reads everything that a worker begins with; Load without the lock. NotFound where not even
// genesis is posted.
absl::StatusOr<StoredState> LoadState(pqxx::transaction_base& transaction);

// Writes the changes into the transaction. Throws what PostgreSQL refuses, and BodyFailed: Aborted
// where the cursor is not at changes.from.
void WriteChanges(pqxx::transaction_base& transaction, const Changes& changes,
                  const std::function<void(CommitStep)>& on_step);

}  // namespace warpbook::settlement
