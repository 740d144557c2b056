#include "settlement/store/store.h"

#include <pqxx/pqxx>
#include <thread>
#include <utility>

#include "settlement/ledger/postings.h"
#include "settlement/store/migrations.h"
#include "settlement/store/row_writer.h"

namespace warpbook::settlement {
namespace {

// Of a database's one worker.
constexpr int64_t kWorkerLock = 0x77617270'00000002;

absl::Status TakeWorkerLock(Database& database, std::chrono::milliseconds wait) {
  constexpr std::chrono::milliseconds kPause(50);
  const auto deadline = std::chrono::steady_clock::now() + wait;
  while (true) {
    bool taken = false;
    const absl::Status status = database.Transact(
        Database::Mode::kReadWrite, "taking the worker's lock",
        [&taken](pqxx::transaction_base& transaction) {
          taken = transaction
                      .exec1("SELECT pg_try_advisory_lock(" + std::to_string(kWorkerLock) + ")")[0]
                      .as<bool>();
          return absl::OkStatus();
        });
    if (!status.ok() || taken) return status;
    if (std::chrono::steady_clock::now() >= deadline) {
      return absl::AlreadyExistsError("another settlement worker is at work on this database");
    }
    std::this_thread::sleep_for(kPause);
  }
}

// The worker's statements find rows by their keys. Left alone, the planner would rather read a
// whole table for some ten thousand of them, or compile the statement first.
absl::Status PlanByKeys(Database& database) {
  return database.Transact(Database::Mode::kReadWrite, "preparing the connection",
                           [](pqxx::transaction_base& transaction) {
                             transaction.exec0(
                                 "SET enable_hashjoin = off; SET enable_mergejoin = off;"
                                 " SET jit = off; SET plan_cache_mode = force_generic_plan");
                             return absl::OkStatus();
                           });
}

// The changes that genesis is: to an empty database.
Changes GenesisChanges() {
  Ledger ledger;
  const Transfer genesis = GenesisPosting();
  WARPBOOK_CHECK(ledger.Post(genesis).ok());
  for (const HoldingInfo& info : kHoldings) {
    if (!info.of_member) ledger.Open(LedgerAccount(info.holding));
  }
  Changes changes;
  changes.transfers = {genesis};
  changes.balances = ledger.TakeChanged();
  changes.counters = ledger.counters();
  changes.prices = PriceState();
  return changes;
}

// Makes the partition of the event, if need be; the first event behind it.
int64_t OpenPartition(pqxx::transaction_base& transaction, int64_t event) {
  return transaction.exec1("SELECT open_transfers_partition(" + std::to_string(event) + ")")[0]
      .as<int64_t>();
}

void WriteGenesis(pqxx::transaction_base& transaction) {
  OpenPartition(transaction, 0);
  transaction.exec0(
      "INSERT INTO journal_cursor (sequence, event_sequence, market_time_us, decision_number,"
      " command_hash) VALUES (0, 0, 0, 0, 0)");
  WriteChanges(transaction, GenesisChanges(), [](CommitStep) {});
}

template <typename Rows>
void WriteNameTable(StatementQueue& queue, std::string_view table, const Rows& rows) {
  RowWriter writer(queue, table, {{"id", "integer"}, {"name", "text"}}, RowWriter::Rows::kNewest,
                   rows.size());
  for (const auto& row : rows) writer.Add(int64_t{row.id.value()}).Add(std::string_view(row.name));
  writer.Finish();
}

}  // namespace

absl::StatusOr<Store> Store::Open(Options options) {
  auto database = Database::Connect(options.conninfo);
  if (!database.ok()) return database.status();
  if (const absl::Status status = CheckSchema(*database); !status.ok()) return status;
  if (const absl::Status status = TakeWorkerLock(*database, options.lock_wait); !status.ok()) {
    return status;
  }
  if (const absl::Status status = PlanByKeys(*database); !status.ok()) return status;
  return Store(std::move(options), *std::move(database));
}

Store::Store(Options options, Database database)
    : options_(std::move(options)), database_(std::move(database)) {}

absl::StatusOr<StoredState> Store::Load() {
  absl::StatusOr<StoredState> state = absl::UnknownError("");
  const absl::Status status =
      database_.Transact(Database::Mode::kReadWrite, "loading the ledger",
                         [&state](pqxx::transaction_base& transaction) {
                           if (transaction.exec("SELECT 1 FROM journal_cursor").empty()) {
                             WriteGenesis(transaction);
                           }
                           state = LoadState(transaction);
                           return state.status();
                         });
  if (!status.ok()) return status;
  return state;
}

absl::Status Store::Commit(const Changes& changes) {
  const absl::Status status =
      database_.Transact(Database::Mode::kReadWrite, "posting the journal",
                         [this, &changes](pqxx::transaction_base& transaction) {
                           OpenPartitions(transaction, changes.transfers);
                           WriteChanges(transaction, changes, options_.on_step);
                           return absl::OkStatus();
                         });
  if (status.ok()) options_.on_step(CommitStep::kCommitted);
  return status;
}

void Store::OpenPartitions(pqxx::transaction_base& transaction,
                           const std::vector<Transfer>& transfers) {
  if (transfers.empty()) return;
  const auto last = static_cast<int64_t>(transfers.back().event.value());
  if (partitions_end_ == 0) {
    partitions_end_ =
        OpenPartition(transaction, static_cast<int64_t>(transfers.front().event.value()));
  }
  while (partitions_end_ <= last) partitions_end_ = OpenPartition(transaction, partitions_end_);
}

absl::Status Store::WriteNames(const Catalogue& catalogue) {
  return database_.Transact(Database::Mode::kReadWrite, "writing the catalogue's names",
                            [&catalogue](pqxx::transaction_base& transaction) {
                              StatementQueue queue(transaction);
                              WriteNameTable(queue, "hardware_classes", catalogue.classes);
                              WriteNameTable(queue, "regions", catalogue.regions);
                              queue.Flush();
                              return absl::OkStatus();
                            });
}

}  // namespace warpbook::settlement
