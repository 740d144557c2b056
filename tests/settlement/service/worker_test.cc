// The worker on a real PostgreSQL: restarts at every step of a commit, decisions sent twice,
// foreign decisions, cold starts. Whatever happened on the way, the ledger must in the end be the
// one that a cold replay of the journal gives, and keep every invariant.
#include "settlement/service/worker.h"

#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <fstream>

#include "settlement/service/replay.h"
#include "settlement/service/report.h"
#include "settlement/store/audit.h"
#include "tests/settlement/support/test_database.h"
#include "tests/settlement/support/test_market.h"
#include "tests/settlement/support/test_sender.h"
#include "tests/support/temporary_directory.h"

namespace warpbook::settlement {
namespace {

using test::TestDatabase;
using test::TestMarket;
using test::TestSender;

// Thrown by a store's hook: the process would have ended here.
struct Crash {};

// A worker with its connection, as a process has them.
class Process {
 public:
  struct Options {
    bool decides = true;
    std::string cursor_directory = {};
    std::function<void(CommitStep)> on_step = [](CommitStep) {};
    Sequence last_sequence = {};
  };
  Process(const std::string& conninfo, TestMarket& market, DecisionSender& sender, Options options)
      : store_(MakeStore(conninfo, options)) {
    auto worker = Worker::Create(
        {.cursor_directory = options.cursor_directory,
         .key = options.decides ? std::optional(test::SettlementKey()) : std::nullopt,
         .last_sequence = options.last_sequence},
        store_, sender);
    CAPTURE(worker.status().ToString());
    REQUIRE(worker.ok());
    worker_ = *std::move(worker);
    reader_ = market.journal().Open(worker_->FirstSequence());
    worker_->SetReader(*reader_);
  }
  Process(const std::string& conninfo, TestMarket& market, DecisionSender& sender)
      : Process(conninfo, market, sender, Options()) {}

  Worker& operator*() { return *worker_; }
  Worker* operator->() { return worker_.get(); }
  // Steps until there is nothing to do.
  void Run() {
    while (true) {
      const auto wrote = worker_->Step();
      CAPTURE(wrote.status().ToString());
      REQUIRE(wrote.ok());
      if (!*wrote) return;
    }
  }

 private:
  static Store MakeStore(const std::string& conninfo, const Options& options) {
    auto store = Store::Open({.conninfo = conninfo, .on_step = options.on_step});
    CAPTURE(store.status().ToString());
    REQUIRE(store.ok());
    return *std::move(store);
  }
  Store store_;
  std::unique_ptr<Worker> worker_;
  std::unique_ptr<journal::TailReader> reader_;
};

// Lets the worker and the engine talk until neither has anything to do.
void RunToQuiet(Process& process, TestMarket& market, TestSender& sender) {
  while (true) {
    process.Run();
    if (sender.waiting() == 0) return;
    sender.Send();
    market.Seal();
    REQUIRE(sender.status().ok());
  }
}

// A quarter of an hour in which all leases become due, with prices.
void LetLeasesBecomeDue(TestMarket& market) {
  for (int i = 0; i < 13; ++i) {
    market.Advance(60);
    market.SetMarketPrice();
  }
  market.Tick(1);
  market.Seal();
}

Audit AuditOf(const TestDatabase& test) {
  auto database = Database::Connect(test.service());
  REQUIRE(database.ok());
  auto audit = ReadAudit(*database);
  CAPTURE(audit.status().ToString());
  REQUIRE(audit.ok());
  return *std::move(audit);
}

LedgerDigest DigestOf(const TestDatabase& test) {
  auto database = Database::Connect(test.service());
  REQUIRE(database.ok());
  auto digest = ReadDigest(*database);
  REQUIRE(digest.ok());
  return *std::move(digest);
}

// That the ledger keeps every invariant and is what the journal alone gives, in an empty database.
void CheckLedger(const TestDatabase& test, TestMarket& market) {
  bool all_hold = false;
  const std::string text = AuditText(AuditOf(test), &all_hold);
  CAPTURE(text);
  CHECK(all_hold);
  const LedgerDigest posted = DigestOf(test);
  CHECK(posted.cursor.sequence.value() == market.journal().last_sequence());

  TestDatabase replayed;
  TestSender nobody(market);
  Process process(replayed.service(), market, nobody, {.decides = false});
  process.Run();
  CHECK(nobody.waiting() == 0);
  for (const std::string& difference : Differences(posted, DigestOf(replayed), 10))
    FAIL(difference);
  CHECK(test.Number("SELECT count(*) FROM outbox WHERE posted_sequence IS NULL AND NOT void") == 0);
}

TEST_CASE("Genesis is posted once") {
  TestDatabase test;
  TestMarket market;
  TestSender sender(market);
  for (int start = 0; start < 3; ++start) Process(test.service(), market, sender);
  CHECK(test.Number("SELECT count(*) FROM transfers") == 1);
  CHECK(test.Value("SELECT event_sequence || ' ' || from_holding || ' ' || to_holding || ' ' ||"
                   " amount FROM ledger") == "0 issuance outside 400000000000000");
  CHECK(test.Number("SELECT balance FROM balances WHERE holding = 'issuance'") ==
        -400'000'000'000'000);
}

TEST_CASE("A day of trading is posted, settled and read back as it was") {
  TestDatabase test;
  TestMarket market(11);
  TestSender sender(market);
  test::TemporaryDirectory directory;
  {
    Process process(test.service(), market, sender, {.cursor_directory = directory.path()});
    for (int hour = 0; hour < 6; ++hour) {
      market.RunHour();
      RunToQuiet(process, market, sender);
      LetLeasesBecomeDue(market);
      RunToQuiet(process, market, sender);
    }
    CHECK(process->books().open_leases() == 0);
    CHECK(process->figures().decisions > 20);
    CHECK(sender.repeated() == 0);
  }
  CheckLedger(test, market);
  CHECK(test.Number("SELECT count(*) FROM leases WHERE state = 'settled'") > 10);
  // The cursor file tells the engine's recovery how far the ledger has gone.
  std::ifstream cursor(directory / "cursors/settlement");
  std::string word;
  uint64_t sequence = 0;
  cursor >> word >> sequence;
  CHECK(sequence == market.journal().last_sequence());
}

TEST_CASE("What a worker loads is what the one before it had") {
  TestDatabase test;
  TestMarket market(5);
  TestSender sender(market);
  size_t leases = 0, requests = 0, pending = 0;
  for (int hour = 0; hour < 4; ++hour) {
    market.RunHour();
    // The decisions stay in the outbox in every other hour.
    Process process(test.service(), market, sender);
    hour % 2 == 0 ? process.Run() : RunToQuiet(process, market, sender);

    auto database = Database::Connect(test.service());
    REQUIRE(database.ok());
    absl::StatusOr<StoredState> state = absl::UnknownError("");
    REQUIRE(database
                ->Transact(Database::Mode::kSnapshot, "test",
                           [&state](pqxx::transaction_base& transaction) {
                             state = LoadState(transaction);
                             return state.status();
                           })
                .ok());
    const std::vector<Decision> outbox = state->outbox;
    const std::vector<LeaseRow> open_leases = state->open_leases;
    const auto loaded = Books::Restore(*std::move(state));
    REQUIRE(loaded.ok());
    const Books& books = process->books();
    CHECK(loaded->cursor() == books.cursor());
    CHECK(loaded->ledger().totals() == books.ledger().totals());
    CHECK(loaded->ledger().counters() == books.ledger().counters());
    CHECK(loaded->prices() == books.prices());
    CHECK(loaded->due_leases().needing_price() == books.due_leases().needing_price());
    CHECK(loaded->due_leases().needing_none() == books.due_leases().needing_none());
    CHECK(loaded->FindSettlementAccount(test::SettlementKey()) == market.settlement_account());
    CHECK(loaded->open_leases() == books.open_leases());
    for (const LeaseRow& row : open_leases) {
      const Lease* lease = books.FindOpenLease(row.lease.terms().id);
      REQUIRE(lease != nullptr);
      CHECK(row.lease.terms() == lease->terms());
      CHECK(row.lease.state() == lease->state());
      CHECK(row.lease.completed() == lease->completed());
      CHECK(row.lease.started_at() == lease->started_at());
      CHECK(row.lease.delivered() == lease->delivered());
    }
    CHECK(loaded->open_requests().size() == books.open_requests().size());
    for (const auto& [sequence, request] : books.open_requests()) {
      const auto found = loaded->open_requests().find(sequence);
      REQUIRE(found != loaded->open_requests().end());
      CHECK(found->second.kind == request.kind);
      CHECK(found->second.account == request.account);
      CHECK(found->second.amount == request.amount);
      CHECK(found->second.reference == request.reference);
    }
    REQUIRE(outbox.size() == process->outbox().size());
    for (size_t i = 0; i < outbox.size(); ++i) {
      CHECK(outbox[i] == process->outbox().decision(i));
    }
    leases += open_leases.size();
    requests += books.open_requests().size();
    pending += outbox.size();
  }
  CHECK(leases > 0);
  CHECK(requests > 0);
  CHECK(pending > 0);
}

TEST_CASE("References are kept as they are, whatever characters they have") {
  TestDatabase test;
  TestMarket market;
  TestSender sender(market);
  const AccountId member = market.OpenMember();
  const std::string references[] = {"NULL", "\"", "\\", "{},'", "\\x41", "a\\\"b", "');DROP--"};
  int64_t count = 0;
  for (const std::string& reference : references) {
    market.RequestDeposit(member, Tokens(++count), reference);
  }
  market.Seal();
  Process process(test.service(), market, sender);
  RunToQuiet(process, market, sender);
  std::string all;
  for (const std::string& reference : references) all += reference + "\n";
  CHECK(test.Value("SELECT string_agg(reference, E'\n' ORDER BY amount_utok) || E'\n'"
                   " FROM requests WHERE state = 'posted'") == all);
}

TEST_CASE("A crash at any step of a commit neither repeats nor loses anything") {
  // About half of all commits end at a random step: rolled back before the commit, kept after it,
  // and then without the sender having heard of its decisions.
  int crashes[6] = {};
  int repeated = 0;
  for (const uint64_t seed : {21, 22, 23, 24}) {
    CAPTURE(seed);
    TestDatabase test;
    TestMarket market(seed);
    std::mt19937_64 random(seed);
    bool crashing = true;
    const auto on_step = [&](CommitStep step) {
      if (!crashing || random() % 8 != 0) return;
      ++crashes[static_cast<int>(step)];
      throw Crash();
    };
    // A life of the process: until it crashes or nothing is left to do. Decisions are sent again
    // from the start of each life on.
    const auto live = [&] {
      TestSender sender(market);
      try {
        Process process(test.service(), market, sender, {.on_step = on_step});
        while (true) {
          const auto wrote = process->Step();
          REQUIRE(wrote.ok());
          if (random() % 3 == 0) sender.Reconnect();
          // Not always all of them, nor at once.
          sender.Send(random() % 5);
          if (random() % 2 == 0) market.Seal();
          REQUIRE(sender.status().ok());
          if (!*wrote && sender.waiting() == 0) {
            market.Seal();
            const auto last = process->Step();
            REQUIRE(last.ok());
            if (!*last && process->outbox().size() == 0) break;
          }
        }
        repeated += sender.repeated();
        return true;
      } catch (const Crash&) {
        repeated += sender.repeated();
        return false;
      }
    };
    for (int hour = 0; hour < 3; ++hour) {
      market.RunHour();
      while (!live()) continue;
      LetLeasesBecomeDue(market);
      while (!live()) continue;
    }
    crashing = false;
    CHECK(live());
    CheckLedger(test, market);
    CHECK(test.Number("SELECT count(*) FROM lease_records WHERE state <> 'settled'") == 0);
  }
  for (const int count : crashes) CHECK(count > 0);
  CHECK(repeated > 0);
}

// Runs a worker in a process of its own that is killed at the `count`-th step of that kind, or ends
// when there is nothing to do. Returns whether it was killed. It sends nothing.
bool RunAndKill(const std::string& conninfo, TestMarket& market, CommitStep at, int count) {
  const pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    std::signal(SIGABRT, SIG_DFL);
    TestSender sender(market);
    const auto on_step = [&](CommitStep step) {
      if (step == at && --count == 0) raise(SIGKILL);
    };
    auto store = Store::Open({.conninfo = conninfo, .on_step = on_step});
    if (!store.ok()) _exit(2);
    auto worker = Worker::Create({.key = test::SettlementKey()}, *store, sender);
    if (!worker.ok()) _exit(3);
    const auto reader = market.journal().Open((*worker)->FirstSequence());
    (*worker)->SetReader(*reader);
    while (true) {
      const auto wrote = (*worker)->Step();
      if (!wrote.ok()) _exit(4);
      if (!*wrote) _exit(0);
    }
  }
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  if (WIFSIGNALED(status)) {
    CHECK(WTERMSIG(status) == SIGKILL);
    return true;
  }
  CHECK(WEXITSTATUS(status) == 0);
  return false;
}

TEST_CASE("Killed with kill -9 at each step of each commit, it goes on where it was") {
  TestDatabase test;
  TestMarket market(31);
  int kills = 0;
  for (int hour = 0; hour < 2; ++hour) {
    market.RunHour();
    for (int round = 0; round < 2; ++round) {
      for (int step = 0; step <= static_cast<int>(CommitStep::kCommitted); ++step) {
        // The journal grows by a batch now and then, so that there is something to post.
        market.Tick(1);
        market.Seal();
        if (RunAndKill(test.service(), market, static_cast<CommitStep>(step), 1)) ++kills;
      }
      TestSender sender(market);
      Process process(test.service(), market, sender);
      RunToQuiet(process, market, sender);
      LetLeasesBecomeDue(market);
    }
  }
  CHECK(kills == 24);
  {
    TestSender sender(market);
    Process process(test.service(), market, sender);
    RunToQuiet(process, market, sender);
  }
  CheckLedger(test, market);
}

TEST_CASE("A second worker on the same database is refused, and the first goes on") {
  TestDatabase test;
  TestMarket market;
  TestSender sender(market);
  Process first(test.service(), market, sender);
  const auto second =
      Store::Open({.conninfo = test.service(), .lock_wait = std::chrono::milliseconds(100)});
  CHECK(absl::IsFailedPrecondition(second.status()));
  CHECK(std::string(second.status().message()).find("another settlement worker") !=
        std::string::npos);
  market.Tick();
  market.Seal();
  first.Run();
  CHECK(first->books().cursor().sequence.value() == market.journal().last_sequence());
}

TEST_CASE("A writer whose cursor was moved by another posts nothing, even without the lock") {
  TestDatabase test;
  TestMarket market;
  TestSender sender(market);
  Process process(test.service(), market, sender);
  process.Run();
  REQUIRE(
      TestDatabase::Run(test.service(), "UPDATE journal_cursor SET sequence = sequence + 1").ok());
  const int64_t transfers = test.Number("SELECT count(*) FROM transfers");
  const AccountId member = market.OpenMember();
  market.RequestDeposit(member, Tokens(1));
  market.Seal();
  const auto wrote = process->Step();
  CHECK(absl::IsAborted(wrote.status()));
  CHECK(test.Number("SELECT count(*) FROM transfers") == transfers);
  CHECK(test.Number("SELECT count(*) FROM outbox") == 0);
}

TEST_CASE("A lost connection is told as such, and a new worker goes on") {
  TestDatabase test;
  TestMarket market(8);
  TestSender sender(market);
  {
    Process process(test.service(), market, sender);
    market.RunHour();
    process.Run();
    REQUIRE(TestDatabase::Run(test.superuser(),
                              "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                              " WHERE usename = 'warpbook_settlement'")
                .ok());
    market.RunHour();
    const auto wrote = process->Step();
    CAPTURE(wrote.status().ToString());
    CHECK(absl::IsUnavailable(wrote.status()));
  }
  Process process(test.service(), market, sender);
  RunToQuiet(process, market, sender);
  LetLeasesBecomeDue(market);
  RunToQuiet(process, market, sender);
  CheckLedger(test, market);
}

TEST_CASE("Nothing is decided before the engine was heard and the journal read to its end") {
  TestDatabase test;
  TestMarket market;
  TestSender sender(market);
  const AccountId member = market.OpenMember();
  market.RequestDeposit(member, Tokens(1));
  market.Seal();
  sender.set_heard(false);
  Process process(test.service(), market, sender);
  process.Run();
  CHECK(sender.account() == market.settlement_account());
  CHECK_FALSE(process->deciding());
  CHECK(process->outbox().size() == 0);
  sender.set_heard(true);
  process.Run();
  CHECK(process->deciding());
  CHECK(process->outbox().size() == 1);
}

TEST_CASE("A new database does not decide again what the journal holds") {
  TestMarket market(9);
  TestDatabase lost;
  {
    TestSender sender(market);
    Process process(lost.service(), market, sender);
    for (int hour = 0; hour < 2; ++hour) {
      market.RunHour();
      RunToQuiet(process, market, sender);
      LetLeasesBecomeDue(market);
      RunToQuiet(process, market, sender);
    }
    market.RunHour();  // with requests and leases that are not decided yet
  }
  TestDatabase test;
  TestSender sender(market);
  Process process(test.service(), market, sender);
  const uint64_t taken = market.engine().settlement_number();
  CHECK(taken > 10);
  // While it catches up, in many transactions, it decides nothing.
  while (!process->deciding()) REQUIRE(process->Step().ok());
  process.Run();
  REQUIRE(process->outbox().size() > 0);
  CHECK(process->outbox().decision(0).number == taken + 1);
  RunToQuiet(process, market, sender);
  LetLeasesBecomeDue(market);
  RunToQuiet(process, market, sender);
  CHECK(sender.repeated() == 0);
  CHECK(process->figures().voided == 0);
  CheckLedger(test, market);
}

TEST_CASE("A database restored from an older copy takes up what was decided since") {
  // The copy: a worker that stopped before the end, with decisions in its outbox.
  TestMarket market(10);
  TestDatabase old;
  market.RunHour();
  {
    TestSender sender(market);
    Process process(old.service(), market, sender);
    process.Run();
    CHECK(process->outbox().size() > 0);
    // The original: sends them, and goes on for a while in another database.
    sender.Send();
    market.Seal();
  }
  TestDatabase original;
  {
    TestSender sender(market);
    Process process(original.service(), market, sender);
    RunToQuiet(process, market, sender);
    LetLeasesBecomeDue(market);
    RunToQuiet(process, market, sender);
  }
  TestSender sender(market);
  Process process(old.service(), market, sender);
  RunToQuiet(process, market, sender);
  market.RunHour();
  RunToQuiet(process, market, sender);
  CHECK(process->figures().voided == 0);
  CheckLedger(old, market);
}

TEST_CASE("Where the journal has another decision under our number, ours is made anew") {
  TestMarket market;
  const AccountId member = market.OpenMember();
  market.RequestDeposit(member, Tokens(5), "same");
  market.RequestDeposit(member, Tokens(7), "same");
  market.RequestDeposit(member, Tokens(9), "other");
  market.Seal();
  TestDatabase test;
  TestSender sender(market);
  Process process(test.service(), market, sender);
  process.Run();
  REQUIRE(process->outbox().size() == 3);
  // What a process that is gone had sent comes in first: it refused the first deposit.
  Decision foreign;
  foreign.number = 1;
  foreign.kind = DecisionKind::kRefuseRequest;
  foreign.request = process->outbox().decision(0).request;
  foreign.reason = RejectReason::kInsufficientTokens;
  REQUIRE(market.Submit(foreign) == RejectReason::kNone);
  market.Seal();
  process.Run();
  CHECK(process->figures().voided == 1);
  // The second deposit now has the reference for itself.
  REQUIRE(process->outbox().size() == 2);
  CHECK(process->outbox().decision(0).number == 2);
  CHECK(process->outbox().decision(0).kind == DecisionKind::kPostDeposit);
  RunToQuiet(process, market, sender);
  CHECK(process->books().ledger().balance(LedgerAccount(member, Holding::kTokens)) == 16);
  CHECK(test.Number("SELECT count(*) FROM outbox WHERE void") == 3);
  CheckLedger(test, market);
}

TEST_CASE("A journal other than the one that was posted stops the worker") {
  TestDatabase test;
  TestMarket market(1);
  {
    TestSender sender(market);
    market.Tick();
    market.Seal();
    Process process(test.service(), market, sender);
    process.Run();
  }
  TestMarket other(1);
  other.Advance(1);
  other.Tick();
  other.Seal();
  other.Tick();
  other.Seal();
  TestSender sender(other);
  Process process(test.service(), other, sender);
  const auto wrote = process->Step();
  CHECK(absl::IsFailedPrecondition(wrote.status()));
  CHECK(std::string(wrote.status().message()).find("another journal") != std::string::npos);
}

TEST_CASE("A journal that is shorter than the ledger is waited for") {
  TestDatabase test;
  TestMarket market(1);
  TestSender sender(market);
  market.Tick();
  market.Seal();
  Process(test.service(), market, sender).Run();
  market.journal().ShowOnly(1);
  Process process(test.service(), market, sender);
  process.Run();
  CHECK_FALSE(process->books().journal_confirmed());
  market.journal().ShowAll();
  market.OpenMember();
  market.Seal();
  process.Run();
  CHECK(process->books().journal_confirmed());
  CHECK(process->books().cursor().sequence.value() == market.journal().last_sequence());
}

TEST_CASE("A refused decision stops the worker") {
  TestDatabase test;
  TestMarket market;
  TestSender sender(market);
  const AccountId member = market.OpenMember();
  const Sequence request = market.RequestDeposit(member, Tokens(5));
  market.Seal();
  Process process(test.service(), market, sender);
  process.Run();
  // Somebody else settles the request under a number of its own.
  Decision first = process->outbox().decision(0);
  REQUIRE(market.Submit(first) == RejectReason::kNone);
  Decision second = first;
  second.number = 2;
  second.request = request;
  sender.Add({second});
  sender.Send();
  CHECK(absl::IsFailedPrecondition(process->Step().status()));
}

TEST_CASE("People can read leases, balances and the ledger") {
  TestDatabase test;
  TestMarket market;
  TestSender sender(market);
  Process process(test.service(), market, sender);
  const AccountId buyer = market.OpenMember();
  const AccountId provider = market.OpenMember();
  const NodeId node = market.GiveNode(provider);
  market.RequestDeposit(buyer, Tokens(1'000'000'000));
  market.SetPrice(TokenPrice(2'000'000));
  market.Seal();
  RunToQuiet(process, market, sender);
  market.RequestTopUp(buyer, Tokens(100'000'000));
  const InstrumentId window = market.OpenWindow(test::kMarketStart.PlusMinutes(60));
  market.Seal();
  RunToQuiet(process, market, sender);
  market.Trade(window, buyer, provider, node, Price(2'500'000), Quantity(8), Tier::kStandard);
  market.Seal();
  process.Run();
  const std::string lease = "SELECT %s FROM leases WHERE id = 1";
  const auto column = [&](const std::string& name) {
    return test.Value("SELECT " + name + " FROM leases WHERE id = 1");
  };
  // Without a catalogue the classes have numbers for names.
  CHECK(column("symbol") == "class-1.region-1.2027-01-15T09:00");
  REQUIRE(TestDatabase::Run(test.service(),
                            "INSERT INTO hardware_classes VALUES (1, 'H100-SXM');"
                            "INSERT INTO regions VALUES (1, 'us-east')")
              .ok());
  CHECK(column("symbol") == "H100-SXM.us-east.2027-01-15T09:00");
  CHECK(column("state") == "reserved");
  CHECK(column("price_usd") == "2.500000");
  CHECK(column("gpus || ' ' || minutes") == "8 60");
  CHECK(column("notional") == "1200000000");
  CHECK(column("notional_usd") == "20.000000");
  CHECK(column("surcharge_usd") == "0.020000");
  CHECK(column("to_char(delivery_start, 'YYYY-MM-DD HH24:MI')") == "2027-01-15 09:00");
  CHECK(test.Value("SELECT tok_or_usd FROM balances WHERE holding = 'escrow' AND member = " +
                   std::to_string(buyer.value())) == "20.020000");
  CHECK(test.Value("SELECT from_holding || ' ' || to_holding FROM ledger WHERE lease_id = 1") ==
        "locked escrow");
}

}  // namespace
}  // namespace warpbook::settlement
