// The whole service in one process: a real journal on disk written by the engine's service, a real
// gateway, a real PostgreSQL, and Serve between them.
#include "settlement/service/serve.h"

#include <doctest/doctest.h>

#include <functional>
#include <pqxx/pqxx>
#include <thread>

#include "engine/service/engine_service.h"
#include "gateway/client/client.h"
#include "gateway/net/server.h"
#include "schema/base/log.h"
#include "settlement/service/replay.h"
#include "settlement/service/report.h"
#include "settlement/store/audit.h"
#include "tests/gateway/support/direct_exchange.h"
#include "tests/settlement/support/test_database.h"
#include "tests/support/temporary_directory.h"

namespace warpbook::settlement {
namespace {

using gateway::Client;
using std::chrono::milliseconds;
using test::TestDatabase;

constexpr const char* kServerName = "warpbook-test";

bool Await(const std::function<bool()>& condition) {
  for (int i = 0; i < 2'000; ++i) {
    if (condition()) return true;
    std::this_thread::sleep_for(milliseconds(10));
  }
  return false;
}

// Keys in files, as the processes have them.
struct Keys {
  test::TemporaryDirectory directory;
  Keys() {
    for (const std::string name : {"operator", "settlement", "member"}) {
      CHECK(Ed25519PrivateKey::Generate().SavePem(directory / name).ok());
    }
  }
  Ed25519PrivateKey Load(const std::string& name) const {
    return *Ed25519PrivateKey::LoadPem(directory / name);
  }
};

// Engine and gateway, as `warpbook serve` runs them; the journal stays when it ends.
class Exchange {
 public:
  Exchange(const std::string& journal, const Keys& keys, const std::string& admin_listen) {
    SetLogLevel(LogLevel::kError);
    gateway::GatewayServer::Options options;
    options.listen = "127.0.0.1:0";
    options.admin_listen = admin_listen;
    options.server_name = kServerName;
    auto server = gateway::GatewayServer::Create(std::move(options), gateway::TestCatalogue());
    CAPTURE(server.status().ToString());
    REQUIRE(server.ok());
    server_ = *std::move(server);
    engine::EngineService::Options engine;
    engine.journal_directory = journal;
    engine.catalogue = gateway::TestCatalogue();
    engine.operator_key = keys.Load("operator").public_key();
    engine.settlement_key = keys.Load("settlement").public_key();
    auto service = engine::EngineService::Recover(
        std::move(engine),
        [this](const engine::DurableBatch& batch) { return server_->ApplyReplayed(batch); });
    CAPTURE(service.status().ToString());
    REQUIRE(service.ok());
    service_ = *std::move(service);
    std::vector<std::unique_ptr<engine::EnginePort>> ports;
    ports.push_back(service_->CreatePort());
    REQUIRE(service_->Start().ok());
    REQUIRE(server_->Start(std::move(ports), service_->market_clock()).ok());
  }
  ~Exchange() {
    server_->Stop();
    CHECK(service_->Stop().ok());
  }
  std::string admin_address() const { return "127.0.0.1:" + std::to_string(server_->admin_port()); }
  std::unique_ptr<Client> Connect() const {
    gateway::ConnectOptions options;
    options.address = admin_address();
    auto client = Client::Connect(options);
    REQUIRE(client.ok());
    return *std::move(client);
  }
  const Clock& clock() const { return service_->market_clock(); }

 private:
  std::unique_ptr<gateway::GatewayServer> server_;
  std::unique_ptr<engine::EngineService> service_;
};

// Serve on a thread of its own.
class Service {
 public:
  Service(ServeOptions options, const Keys& keys)
      : options_(std::move(options)),
        thread_([this, &keys] { status_ = Serve(options_, keys.Load("settlement"), stop_); }) {}
  ~Service() {
    if (thread_.joinable()) CHECK(Stop().ok());
  }
  absl::Status Stop() {
    stop_ = true;
    thread_.join();
    return status_;
  }
  // Waits until it ends by itself.
  absl::Status Join() {
    thread_.join();
    return status_;
  }

 private:
  const ServeOptions options_;
  std::atomic<bool> stop_ = false;
  absl::Status status_;
  std::thread thread_;
};

void CallOk(Client& client, const std::string& method, const std::string& params) {
  const auto reply = client.Call(method, params);
  REQUIRE(reply.ok());
  REQUIRE_MESSAGE(reply->success, reply->text);
}

ServeOptions OptionsFor(const std::string& journal, const TestDatabase& test,
                        const std::string& engine_address) {
  ServeOptions options;
  options.journal_directory = journal;
  options.conninfo = test.service();
  options.engine_address = engine_address;
  options.server_name = kServerName;
  options.catalogue = gateway::TestCatalogue();
  options.retry_first = milliseconds(20);
  options.retry_max = milliseconds(100);
  return options;
}

// An exchange on disk and a member of it.
struct Fixture {
  Keys keys;
  test::TemporaryDirectory directory;
  const std::string journal = directory / "journal";
  TestDatabase test;
  std::unique_ptr<Exchange> exchange = std::make_unique<Exchange>(journal, keys, "127.0.0.1:0");
  const std::string admin = exchange->admin_address();
  uint64_t account = 0;
  int deposits = 0;

  Fixture() {
    auto member = exchange->Connect();
    const auto opened = member->OpenAccount(keys.Load("member"));
    REQUIRE((opened.ok() && opened->success));
    account = opened->result["account"].id();
  }
  std::unique_ptr<Service> StartService() {
    return std::make_unique<Service>(OptionsFor(journal, test, admin), keys);
  }
  void RestartExchange() {
    exchange.reset();
    exchange = std::make_unique<Exchange>(journal, keys, admin);
  }
  std::unique_ptr<Client> Logon(uint64_t id, const std::string& key) {
    auto client = exchange->Connect();
    const auto reply = client->Logon(AccountId(id), keys.Load(key));
    REQUIRE((reply.ok() && reply->success));
    return client;
  }
  // 2.5 TOK. The reply comes when settlement has decided.
  void Deposit() {
    CallOk(*Logon(1, "operator"), "token.deposit",
           R"({"account":")" + std::to_string(account) + R"(","amount":"2.5","reference":"d)" +
               std::to_string(++deposits) + R"("})");
  }
  void SetTwoDollars() {
    const std::string feed =
        R"({"price":"2.00","time":)" + std::to_string(exchange->clock().NowMicros()) + "}";
    CallOk(*Logon(1, "operator"), "price.set",
           R"({"feeds":[)" + feed + "," + feed + "," + feed + "," + feed + "," + feed + "]}");
  }
  // Ends the exchange, lets the service read all of it, and gives the sequence at which it stands.
  Sequence FinishPosting() {
    exchange.reset();
    const auto position = [this] { return test.Number("SELECT sequence FROM journal_cursor"); };
    CHECK(Await([&] {
      const int64_t before = position();
      std::this_thread::sleep_for(milliseconds(200));
      return position() == before;
    }));
    return Sequence(static_cast<uint64_t>(position()));
  }
};

LedgerDigest DigestOf(const std::string& conninfo) {
  auto database = Database::Connect(conninfo);
  REQUIRE(database.ok());
  auto digest = ReadDigest(*database);
  REQUIRE(digest.ok());
  return *std::move(digest);
}

TEST_CASE("Deposits and top-ups go through, over every restart there is") {
  Fixture f;
  auto service = f.StartService();
  f.Deposit();
  // The service ends, as at SIGTERM, and begins anew.
  CHECK(service->Stop().ok());
  service = f.StartService();
  f.Deposit();
  // Its connection to the database is cut.
  REQUIRE(TestDatabase::Run(f.test.superuser(),
                            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                            " WHERE usename = 'warpbook_settlement'")
              .ok());
  f.Deposit();
  // An operator cancels the statement that it is at: here one that waits for a lock.
  {
    auto other = Database::Connect(f.test.superuser());
    REQUIRE(other.ok());
    const auto cancelled = [&f](pqxx::transaction_base& transaction) {
      transaction.exec0("LOCK TABLE journal_cursor IN ACCESS EXCLUSIVE MODE");
      f.SetTwoDollars();
      const bool waited = Await([&f] {
        return f.test.Number(
                   "SELECT count(pg_cancel_backend(pid)) FROM pg_stat_activity"
                   " WHERE usename = 'warpbook_settlement' AND wait_event_type = 'Lock'") > 0;
      });
      CHECK(waited);
      return absl::OkStatus();
    };
    CHECK(other->Transact(Database::Mode::kReadWrite, "locking", cancelled).ok());
  }
  f.Deposit();
  // The exchange ends and begins anew, on the same port and journal.
  f.RestartExchange();
  f.Deposit();
  f.SetTwoDollars();
  const auto bought = f.Logon(f.account, "member")->Call("credits.buy", R"({"burn":"10"})");
  REQUIRE(bought.ok());
  REQUIRE_MESSAGE(bought->success, bought->text);
  CHECK(bought->result["credits"].text() == "1197000000");

  f.FinishPosting();
  CHECK(service->Stop().ok());
  CHECK(f.test.Number("SELECT count(*) FROM requests WHERE state = 'posted'") == f.deposits + 1);
  CHECK(f.test.Number("SELECT sum(balance) FROM balances WHERE holding = 'tokens'") == 2'500'000);
  CHECK(f.test.Number("SELECT balance FROM balances WHERE holding = 'free' AND member = " +
                      std::to_string(f.account)) == 1'197'000'000);
  CHECK(f.test.Value("SELECT string_agg(name, ' ' ORDER BY id) FROM hardware_classes") ==
        "H100-SXM A100-SXM");
}

TEST_CASE("The journal on disk, replayed cold, gives the same ledger") {
  Fixture f;
  auto service = f.StartService();
  for (int i = 0; i < 5; ++i) f.Deposit();
  const Sequence last = f.FinishPosting();
  CHECK(service->Stop().ok());
  auto database = Database::Connect(f.test.service());
  REQUIRE(database.ok());
  const auto audit = ReadAudit(*database);
  REQUIRE(audit.ok());
  bool all_hold = false;
  const std::string text = AuditText(*audit, &all_hold);
  CAPTURE(text);
  CHECK(all_hold);
  CHECK(text.find("no checkpoint") == std::string::npos);

  CHECK(CheckJournal(f.journal, audit->cursor).ok());
  Cursor foreign = audit->cursor;
  foreign.command_hash ^= 1;
  CHECK(absl::IsFailedPrecondition(CheckJournal(f.journal, foreign)));
  foreign = audit->cursor;
  foreign.sequence = Sequence(last.value() + 1);
  CHECK(absl::IsFailedPrecondition(CheckJournal(f.journal, foreign)));

  TestDatabase cold(TestDatabase::Schema::kNone);
  uint64_t progress = 0;
  const auto replay = [&](const TestDatabase& target, Sequence to) {
    return Replay({f.journal, target.superuser(), to, [&](Sequence sequence) {
                     progress = sequence.value();
                     return true;
                   }});
  };
  const absl::Status replayed = replay(cold, last);
  CAPTURE(replayed.ToString());
  CHECK(replayed.ok());
  CHECK(progress == last.value());
  const LedgerDigest posted = DigestOf(f.test.service());
  LedgerDigest again = DigestOf(cold.superuser());
  for (const std::string& difference : Differences(posted, again, 10)) FAIL(difference);

  // What differs is found; a database that is not empty is not replayed into; a journal that ends
  // before is told.
  again.balances.front().second += 1;
  again.tables.front().checksum += "1";
  CHECK(Differences(posted, again, 10).size() == 2);
  CHECK(Differences(posted, again, 1).size() == 1);
  CHECK(absl::IsFailedPrecondition(replay(cold, last)));
  TestDatabase beyond(TestDatabase::Schema::kNone);
  CHECK(absl::IsFailedPrecondition(replay(beyond, Sequence(last.value() + 1))));
}

TEST_CASE("The service waits for a journal that is not there yet, and stops when told to") {
  Keys keys;
  test::TemporaryDirectory directory;
  TestDatabase test;
  Service service(OptionsFor(directory / "journal", test, "127.0.0.1:1"), keys);
  CHECK(Await([&] { return test.Number("SELECT count(*) FROM transfers") == 1; }));
  std::this_thread::sleep_for(milliseconds(100));
  CHECK(service.Stop().ok());
}

TEST_CASE("What does not pass by itself stops the start with one sentence") {
  Keys keys;
  test::TemporaryDirectory directory;
  TestDatabase busy;
  const auto fault = [&](const std::string& conninfo) {
    ServeOptions options = OptionsFor(directory / "journal", busy, "127.0.0.1:1");
    options.conninfo = conninfo;
    return std::string(Service(options, keys).Join().message());
  };
  CHECK(fault("port").find("connecting to the database: the connection string is malformed") == 0);
  CHECK(fault(busy.service() + " password=wrong").find("28P01") != std::string::npos);
  CHECK(fault(busy.service() + " dbname=nowhere").find("3D000") != std::string::npos);
  TestDatabase no_schema(TestDatabase::Schema::kNone);
  CHECK(fault(no_schema.superuser()).find("run `warpbook-settlement migrate`") !=
        std::string::npos);
  const Store other = busy.OpenStore();
  CHECK(fault(busy.service()).find("another settlement worker") == 0);
}

}  // namespace
}  // namespace warpbook::settlement
