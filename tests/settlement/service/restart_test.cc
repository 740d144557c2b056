// The worker on a real PostgreSQL over every kind of restart: crashes at every step of a commit,
// decisions sent twice, foreign decisions, cold starts, lost connections. Whatever happened on the
// way, the ledger must in the end be the one that a cold replay of the journal gives, and keep
// every invariant.
#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <random>

#include "tests/settlement/support/worker_process.h"

namespace warpbook::settlement {
namespace {

using test::CheckLedger;
using test::LetLeasesBecomeDue;
using test::RunToQuiet;
using test::TestDatabase;
using test::TestMarket;
using test::TestSender;
using Process = test::WorkerProcess;

// Thrown by a store's hook: the process would have ended here.
struct Crash {};

TEST_CASE("A crash at any step of a commit neither repeats nor loses anything") {
  int64_t resold = 0;
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
    market.EndLastWindow();
    while (!live()) continue;
    crashing = false;
    CHECK(live());
    CheckLedger(test, market);
    CHECK(test.Number("SELECT count(*) FROM lease_records"
                      " WHERE state NOT IN ('settled', 'resold')") == 0);
    resold += test.Number("SELECT count(*) FROM lease_records WHERE resold_gpus > 0");
  }
  for (const int count : crashes) CHECK(count > 0);
  CHECK(repeated > 0);
  CHECK(resold > 10);
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
  CHECK(absl::IsAlreadyExists(second.status()));
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
  market.Tick(1);  // a checkpoint, with which every journal begins
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

}  // namespace
}  // namespace warpbook::settlement
