// PostgreSQL ends by kill -9, is not there, has no connection free, is full or slow: the worker
// waits and goes on, and in the end the ledger is the one that a cold replay of the journal gives.
#include <doctest/doctest.h>

#include <atomic>
#include <pqxx/pqxx>
#include <random>
#include <thread>

#include "settlement/service/serve.h"
#include "tests/settlement/support/postgres_server.h"
#include "tests/settlement/support/worker_process.h"
#include "tests/support/temporary_directory.h"

namespace warpbook::settlement {
namespace {

using std::chrono::milliseconds;
using test::CheckLedger;
using test::LetLeasesBecomeDue;
using test::PostgresServer;
using test::TestDatabase;
using test::TestMarket;
using test::TestSender;
using Process = test::WorkerProcess;

// Until nothing is left to do, or the database is away: then Unavailable, and nothing else.
absl::Status Live(const TestDatabase& test, TestMarket& market) {
  TestSender sender(market);
  auto store = Store::Open({.conninfo = test.service()});
  if (!store.ok()) return store.status();
  auto worker = Worker::Create({.key = test::SettlementKey()}, *store, sender);
  if (!worker.ok()) return worker.status();
  const auto reader = market.journal().Open((*worker)->FirstSequence());
  (*worker)->SetReader(*reader);
  while (true) {
    const auto wrote = (*worker)->Step();
    if (!wrote.ok()) return wrote.status();
    if (*wrote) continue;
    if (sender.waiting() == 0) return absl::OkStatus();
    sender.Send(8);
    market.Seal();
    REQUIRE(sender.status().ok());
  }
}

TEST_CASE(
    "PostgreSQL is killed over and over while a market runs, and nothing is lost or doubled") {
  constexpr int kKills = 8;
  TestDatabase test;
  TestMarket market(41);
  const PostgresServer server(test.superuser());
  std::atomic<int> kills = 0;
  std::thread killer([&] {
    std::mt19937_64 random(41);
    while (kills < kKills) {
      std::this_thread::sleep_for(milliseconds(20 + random() % 300));
      server.Kill();
      std::this_thread::sleep_for(milliseconds(random() % 100));
      server.Start();
      ++kills;
    }
  });
  int interruptions = 0;
  const auto live_until_quiet = [&] {
    while (true) {
      const absl::Status status = Live(test, market);
      if (status.ok()) return;
      // The lock of the connection before may not be free yet.
      CAPTURE(status.ToString());
      REQUIRE((absl::IsUnavailable(status) || absl::IsAlreadyExists(status)));
      ++interruptions;
      std::this_thread::sleep_for(milliseconds(10));
    }
  };
  for (int hour = 0; hour < 3 || kills < kKills; ++hour) {
    market.RunHour();
    live_until_quiet();
    LetLeasesBecomeDue(market);
    live_until_quiet();
  }
  killer.join();
  market.EndLastWindow();
  live_until_quiet();
  CHECK(interruptions >= kKills);
  CheckLedger(test, market);
  CHECK(test.Number("SELECT count(*) FROM lease_records WHERE state = 'settled'") > 0);
}

// Serve on a thread of its own, over a journal that is not there: it posts genesis, and waits.
class Service {
 public:
  explicit Service(const std::string& conninfo) {
    options_.journal_directory = directory_ / "journal";
    options_.conninfo = conninfo;
    options_.engine_address = "127.0.0.1:1";
    options_.retry_first = milliseconds(20);
    options_.retry_max = milliseconds(100);
    thread_ = std::thread([this] {
      status_ = Serve(options_, Ed25519PrivateKey::Generate(), stop_);
      ended_ = true;
    });
  }
  ~Service() {
    stop_ = true;
    thread_.join();
    CHECK(status_.ok());
  }
  bool ended() const { return ended_; }

 private:
  test::TemporaryDirectory directory_;
  ServeOptions options_;
  std::atomic<bool> stop_ = false;
  std::atomic<bool> ended_ = false;
  absl::Status status_;
  std::thread thread_;
};

bool AwaitGenesis(const TestDatabase& test) {
  for (int i = 0; i < 1'000; ++i) {
    if (test.Number("SELECT count(*) FROM transfers") == 1) return true;
    std::this_thread::sleep_for(milliseconds(10));
  }
  return false;
}

TEST_CASE("A service that is started before its PostgreSQL waits for it") {
  TestDatabase test;
  const PostgresServer server(test.superuser());
  server.Kill();
  Service service(test.service());
  std::this_thread::sleep_for(milliseconds(300));
  CHECK_FALSE(service.ended());
  server.Start();
  CHECK(AwaitGenesis(test));
}

TEST_CASE("A service waits for a connection where PostgreSQL has none free") {
  TestDatabase test;
  const std::string limit = "ALTER ROLE warpbook_settlement CONNECTION LIMIT ";
  REQUIRE(TestDatabase::Run(test.superuser(), limit + "0").ok());
  Service service(test.service());
  std::this_thread::sleep_for(milliseconds(300));
  CHECK_FALSE(service.ended());
  CHECK(test.Number("SELECT count(*) FROM transfers") == 0);
  REQUIRE(TestDatabase::Run(test.superuser(), limit + "-1").ok());
  CHECK(AwaitGenesis(test));
}

TEST_CASE("A full disk is waited for: nothing of the transaction is there, and it is made again") {
  TestDatabase test;
  TestMarket market(3);
  REQUIRE(Live(test, market).ok());
  market.RunHour();
  REQUIRE(TestDatabase::Run(test.superuser(),
                            "CREATE FUNCTION fill() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
                            " RAISE EXCEPTION 'no space left on device' USING ERRCODE = '53100';"
                            " END $$;"
                            "CREATE TRIGGER fill BEFORE INSERT ON account_balances"
                            " FOR EACH ROW EXECUTE FUNCTION fill()")
              .ok());
  const int64_t transfers = test.Number("SELECT count(*) FROM transfers");
  const absl::Status full = Live(test, market);
  CHECK(absl::IsUnavailable(full));
  CHECK(std::string(full.message()).find("no space left") != std::string::npos);
  CHECK(test.Number("SELECT count(*) FROM transfers") == transfers);
  REQUIRE(TestDatabase::Run(test.superuser(), "DROP TRIGGER fill ON account_balances").ok());
  CHECK(Live(test, market).ok());
  LetLeasesBecomeDue(market);
  CHECK(Live(test, market).ok());
  CheckLedger(test, market);
}

TEST_CASE("A commit that takes long is told, and is made when the database goes on") {
  TestDatabase test;
  TestMarket market;
  TestSender sender(market);
  auto store = test.OpenStore();
  std::atomic<int> told = 0;
  auto worker = Worker::Create(
      {.slow_commit = milliseconds(50), .on_slow_commit = [&told](milliseconds) { ++told; }}, store,
      sender);
  REQUIRE(worker.ok());
  market.RunHour();
  const auto reader = market.journal().Open((*worker)->FirstSequence());
  (*worker)->SetReader(*reader);
  std::atomic<bool> locked = false;
  std::thread other([&] {
    auto database = Database::Connect(test.superuser());
    REQUIRE(database.ok());
    const absl::Status held = database->Transact(Database::Mode::kReadWrite, "holding a lock",
                                                 [&](pqxx::transaction_base& transaction) {
                                                   transaction.exec("LOCK TABLE account_balances");
                                                   locked = true;
                                                   while (told < 3)
                                                     std::this_thread::sleep_for(milliseconds(5));
                                                   return absl::OkStatus();
                                                 });
    REQUIRE(held.ok());
  });
  while (!locked) std::this_thread::sleep_for(milliseconds(5));
  const auto wrote = (*worker)->Step();
  other.join();
  REQUIRE(wrote.ok());
  CHECK(*wrote);
  CHECK(told >= 3);
  CHECK(test.Number("SELECT sequence FROM journal_cursor") ==
        static_cast<int64_t>(market.journal().last_sequence()));
}

TEST_CASE("A worker whose connection was cut posts nothing after another one has taken over") {
  TestDatabase test;
  TestMarket market(5);
  TestSender first_sender(market);
  Process first(test.service(), market, first_sender);
  market.RunHour();
  first.Run();
  REQUIRE(TestDatabase::Run(test.superuser(),
                            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                            " WHERE usename = 'warpbook_settlement'")
              .ok());
  TestSender sender(market);
  Process second(test.service(), market, sender);
  RunToQuiet(second, market, sender);
  const int64_t transfers = test.Number("SELECT count(*) FROM transfers");
  market.RunHour();
  CHECK(absl::IsUnavailable(first->Step().status()));
  CHECK(test.Number("SELECT count(*) FROM transfers") == transfers);
  // And when it comes again, the lock is the other one's.
  const auto again = Store::Open({.conninfo = test.service(), .lock_wait = milliseconds(100)});
  CHECK(absl::IsAlreadyExists(again.status()));
  RunToQuiet(second, market, sender);
  LetLeasesBecomeDue(market);
  RunToQuiet(second, market, sender);
  CheckLedger(test, market);
}

}  // namespace
}  // namespace warpbook::settlement
