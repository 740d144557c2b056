// The whole service in one process: a real journal on disk written by the engine's service, a real
// gateway, a real PostgreSQL, and Serve between them.
#include "settlement/service/serve.h"

#include <doctest/doctest.h>

#include <functional>
#include <thread>

#include "engine/service/engine_service.h"
#include "gateway/client/client.h"
#include "gateway/net/log.h"
#include "gateway/net/server.h"
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
    gateway::SetLogLevel(gateway::LogLevel::kError);
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
        [this](const engine::DurableBatch& batch) { server_->ApplyReplayed(batch); });
    CAPTURE(service.status().ToString());
    REQUIRE(service.ok());
    service_ = *std::move(service);
    auto port = service_->CreatePort();
    REQUIRE(service_->Start().ok());
    REQUIRE(server_->Start(std::move(port), service_->market_clock()).ok());
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

TEST_CASE("Deposits and top-ups go through, over every restart there is") {
  Keys keys;
  test::TemporaryDirectory directory;
  const std::string journal = directory / "journal";
  TestDatabase test;
  auto exchange = std::make_unique<Exchange>(journal, keys, "127.0.0.1:0");
  const std::string admin = exchange->admin_address();
  ServeOptions options;
  options.journal_directory = journal;
  options.conninfo = test.service();
  options.engine_address = admin;
  options.server_name = kServerName;
  options.catalogue = gateway::TestCatalogue();
  options.retry = milliseconds(50);
  auto service = std::make_unique<Service>(options, keys);

  auto member = exchange->Connect();
  const auto opened = member->OpenAccount(keys.Load("member"));
  REQUIRE((opened.ok() && opened->success));
  const uint64_t account = opened->result["account"].id();
  int deposits = 0;
  // The reply comes when settlement has decided.
  const auto deposit = [&] {
    auto client = exchange->Connect();
    const auto logon = client->Logon(AccountId(1), keys.Load("operator"));
    REQUIRE((logon.ok() && logon->success));
    CallOk(*client, "token.deposit",
           R"({"account":")" + std::to_string(account) + R"(","amount":"2.5","reference":"d)" +
               std::to_string(++deposits) + R"("})");
  };
  const std::string posted = "SELECT count(*) FROM requests WHERE state = 'posted'";
  deposit();
  CHECK(Await([&] { return test.Number(posted) == 1; }));

  // The service ends, as at SIGTERM, and begins anew.
  CHECK(service->Stop().ok());
  service = std::make_unique<Service>(options, keys);
  deposit();

  // Its connection to the database is cut.
  REQUIRE(TestDatabase::Run(test.superuser(),
                            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                            " WHERE usename = 'warpbook_settlement'")
              .ok());
  deposit();

  // The exchange ends and begins anew, on the same port and journal.
  member.reset();
  exchange.reset();
  exchange = std::make_unique<Exchange>(journal, keys, admin);
  deposit();
  CHECK(Await([&] { return test.Number(posted) == deposits; }));
  CHECK(test.Number("SELECT balance FROM balances WHERE holding = 'tokens' AND member = " +
                    std::to_string(account)) == deposits * 2'500'000);
  CHECK(test.Value("SELECT string_agg(name, ' ' ORDER BY id) FROM hardware_classes") ==
        "H100-SXM A100-SXM");

  // A top-up: with prices, tokens become credits.
  {
    auto client = exchange->Connect();
    const auto logon = client->Logon(AccountId(1), keys.Load("operator"));
    REQUIRE((logon.ok() && logon->success));
    const std::string feed =
        R"({"price":"2.00","time":)" + std::to_string(exchange->clock().NowMicros()) + "}";
    CallOk(*client, "price.set",
           R"({"feeds":[)" + feed + "," + feed + "," + feed + "," + feed + "," + feed + "]}");
    member = exchange->Connect();
    const auto member_logon = member->Logon(AccountId(account), keys.Load("member"));
    REQUIRE((member_logon.ok() && member_logon->success));
    const auto bought = member->Call("credits.buy", R"({"burn":"10"})");
    REQUIRE(bought.ok());
    REQUIRE_MESSAGE(bought->success, bought->text);
    CHECK(bought->result["credits"].text() == "1197000000");
    member.reset();
  }

  // The end: everything posted, the invariants, and a cold replay of the journal on disk.
  exchange.reset();
  const auto caught_up = [&] {
    const int64_t before = test.Number("SELECT sequence FROM journal_cursor");
    std::this_thread::sleep_for(milliseconds(100));
    return test.Number("SELECT sequence FROM journal_cursor") == before;
  };
  CHECK(Await(caught_up));
  CHECK(service->Stop().ok());
  auto database = Database::Connect(test.service());
  REQUIRE(database.ok());
  const auto audit = ReadAudit(*database);
  REQUIRE(audit.ok());
  bool all_hold = false;
  const std::string text = AuditText(*audit, &all_hold);
  CAPTURE(text);
  CHECK(all_hold);
  CHECK(text.find("no checkpoint") == std::string::npos);

  TestDatabase cold(TestDatabase::Schema::kNone);
  uint64_t progress = 0;
  const absl::Status replayed = Replay({journal, cold.superuser(), audit->cursor.sequence,
                                        [&](Sequence sequence) { progress = sequence.value(); }});
  CAPTURE(replayed.ToString());
  CHECK(replayed.ok());
  CHECK(progress == audit->cursor.sequence.value());
  auto target = Database::Connect(cold.superuser());
  REQUIRE(target.ok());
  const auto one = ReadDigest(*database);
  const auto other = ReadDigest(*target);
  REQUIRE((one.ok() && other.ok()));
  for (const std::string& difference : Differences(*one, *other, 10)) FAIL(difference);

  // What differs is found, and a database that is not empty is not replayed into.
  LedgerDigest changed = *other;
  changed.balances.front().second += 1;
  changed.tables.front().checksum += "1";
  CHECK(Differences(*one, changed, 10).size() == 2);
  CHECK(absl::IsFailedPrecondition(
      Replay({journal, cold.superuser(), audit->cursor.sequence, [](Sequence) {}})));
  TestDatabase beyond(TestDatabase::Schema::kNone);
  CHECK(absl::IsFailedPrecondition(
      Replay({journal, beyond.superuser(), Sequence(audit->cursor.sequence.value() + 1),
              [](Sequence) {}})));
}

TEST_CASE("The service waits for a journal that is not there yet, and stops when told to") {
  Keys keys;
  test::TemporaryDirectory directory;
  TestDatabase test;
  ServeOptions options;
  options.journal_directory = directory / "journal";
  options.conninfo = test.service();
  options.engine_address = "127.0.0.1:1";
  options.server_name = kServerName;
  options.catalogue = gateway::TestCatalogue();
  options.retry = milliseconds(20);
  Service service(options, keys);
  CHECK(Await([&] { return test.Number("SELECT count(*) FROM transfers") == 1; }));
  std::this_thread::sleep_for(milliseconds(100));
  CHECK(service.Stop().ok());
}

TEST_CASE("What does not pass by itself stops the start with one sentence") {
  Keys keys;
  test::TemporaryDirectory directory;
  ServeOptions options;
  options.journal_directory = directory / "journal";
  options.engine_address = "127.0.0.1:1";
  options.server_name = kServerName;
  options.catalogue = gateway::TestCatalogue();
  const auto fault = [&](const std::string& conninfo) {
    options.conninfo = conninfo;
    return std::string(Service(options, keys).Join().message());
  };
  CHECK(fault("host=127.0.0.1 port=1").find("connecting to the database") == 0);
  TestDatabase no_schema(TestDatabase::Schema::kNone);
  CHECK(fault(no_schema.superuser()).find("run `warpbook-settlement migrate`") !=
        std::string::npos);
  TestDatabase busy;
  Store other = busy.OpenStore();
  CHECK(fault(busy.service()).find("another settlement worker") == 0);
}

}  // namespace
}  // namespace warpbook::settlement
