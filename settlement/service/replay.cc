#include "settlement/service/replay.h"

#include <algorithm>
#include <map>

#include "absl/strings/str_cat.h"
#include "schema/journal/tail_reader.h"
#include "settlement/service/worker.h"
#include "settlement/store/migrations.h"
#include "settlement/store/store.h"

namespace warpbook::settlement {
namespace {

absl::Status PrepareDatabase(const std::string& conninfo) {
  auto database = Database::Connect(conninfo);
  if (!database.ok()) return database.status();
  return Migrate(*database).status();
}

std::string Describe(LedgerAccount account) {
  const std::string_view name = InfoOf(account.holding()).name;
  return absl::StrCat("balance ", std::string(name), " of ", account.member().value());
}

}  // namespace

absl::Status CheckJournal(const std::string& journal_directory, const Cursor& cursor) {
  if (cursor.sequence == Sequence()) return absl::OkStatus();
  auto reader = journal::TailReader::Open(journal_directory, cursor.sequence.value());
  if (!reader.ok()) return reader.status();
  const auto batch = (*reader)->Next();
  if (!batch.ok()) return batch.status();
  if (!*batch)
    return absl::FailedPreconditionError("the journal ends before the ledger's sequence");
  // Books that know nothing but the cursor: what is behind it is no matter here.
  StoredState state;
  state.cursor = cursor;
  auto books = Books::Restore(state);
  if (!books.ok()) return books.status();
  const absl::Status status = books->Apply(**batch);
  return books->journal_confirmed() ? absl::OkStatus() : status;
}

absl::Status Replay(const ReplayOptions& options) {
  if (absl::Status status = PrepareDatabase(options.conninfo); !status.ok()) return status;
  auto store = Store::Open({.conninfo = options.conninfo});
  if (!store.ok()) return store.status();
  NoSender sender;
  auto worker = Worker::Create({.last_sequence = options.last_sequence}, *store, sender);
  if (!worker.ok()) return worker.status();
  const Books& books = (*worker)->books();
  if (books.cursor().sequence != Sequence()) {
    return absl::FailedPreconditionError("the database to replay into is not empty");
  }
  auto reader = journal::TailReader::Open(options.journal_directory, 1);
  if (!reader.ok()) return reader.status();
  (*worker)->SetReader(**reader);
  while (books.cursor().sequence < options.last_sequence) {
    const auto wrote = (*worker)->Step();
    if (!wrote.ok()) return wrote.status();
    if (!*wrote) {
      return absl::FailedPreconditionError(
          absl::StrCat("the journal ends at sequence ", books.cursor().sequence.value(),
                       ", before the ledger's ", options.last_sequence.value()));
    }
    if (!options.on_progress(books.cursor().sequence)) return absl::CancelledError("stopped");
  }
  if (books.cursor().sequence == options.last_sequence) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat(
      "no batch of the journal ends at the ledger's sequence ", options.last_sequence.value()));
}

std::vector<std::string> Differences(const LedgerDigest& posted, const LedgerDigest& replayed,
                                     size_t most) {
  std::vector<std::string> differences;
  if (posted.cursor != replayed.cursor) {
    differences.push_back(absl::StrCat("the cursors differ: event ", posted.cursor.event.value(),
                                       " and ", replayed.cursor.event.value()));
  }
  for (size_t i = 0; i < posted.tables.size(); ++i) {
    const TableDigest& one = posted.tables[i];
    const TableDigest& other = replayed.tables[i];
    if (one == other) continue;
    differences.push_back(absl::StrCat("table ", one.table, " differs: ", one.rows, " rows and ",
                                       other.rows, " rows"));
  }
  std::map<LedgerAccount, std::pair<int64_t, int64_t>> balances;
  for (const auto& [account, balance] : posted.balances) balances[account].first = balance;
  for (const auto& [account, balance] : replayed.balances) balances[account].second = balance;
  for (const auto& [account, pair] : balances) {
    if (pair.first == pair.second) continue;
    differences.push_back(
        absl::StrCat(Describe(account), " is ", pair.first, ", replayed ", pair.second));
  }
  if (differences.size() > most) differences.resize(most);
  return differences;
}

}  // namespace warpbook::settlement
