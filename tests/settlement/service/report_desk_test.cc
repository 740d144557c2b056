// Reports from a real ledger: a random market's, against sums that are made in another way.
#include "settlement/service/report_desk.h"

#include <doctest/doctest.h>

#include <random>

#include "gateway/client/json_value.h"
#include "settlement/service/amounts_json.h"
#include "settlement/service/statement.h"
#include "tests/gateway/support/test_catalogue.h"
#include "tests/settlement/support/worker_process.h"

namespace warpbook::settlement {
namespace {

using gateway::JsonValue;
using test::TestDatabase;

constexpr int kHours = 6;

// A moment of the market at which nothing was under way: what was posted up to this event was
// posted before this second, and the rest later.
struct Moment {
  int64_t second = 0;
  int64_t event = 0;
};

// Six hours of trading, with a restart after each, settled but for the last leases.
struct FullLedger {
  TestDatabase database;
  std::vector<Moment> moments;

  FullLedger() {
    test::TestMarket market(14);
    test::TestSender sender(market);
    for (int hour = 0; hour < kHours; ++hour) {
      test::WorkerProcess process(database.service(), market, sender);
      if (hour > 0) test::LetLeasesBecomeDue(market);
      market.RunHour();
      RunToQuiet(process, market, sender);
      market.Advance(1);
      moments.push_back({market.now().micros() / kMicrosPerSecond,
                         static_cast<int64_t>(process->books().cursor().event.value())});
      market.Advance(1);
    }
  }
  Database Connect() const {
    auto connected = Database::Connect(database.service());
    REQUIRE(connected.ok());
    return *std::move(connected);
  }
  ReportDesk Desk() const {
    return ReportDesk(
        {database.service(), *ParseCatalogue(gateway::kTestCatalogueText, "test"), 120'000});
  }
  // The balance of a member's holding behind that event, from all transfers there are.
  int64_t BalanceAt(uint64_t member, Holding holding, int64_t event) const {
    const std::string account = std::to_string(LedgerAccount(AccountId(member), holding).number());
    return database.Number(
        "SELECT coalesce(sum(CASE WHEN credit_account = " + account +
        " THEN amount ELSE -amount END), 0) FROM transfers WHERE event_sequence <= " +
        std::to_string(event) + " AND " + account + " IN (debit_account, credit_account)");
  }
};

// The result of a question that has one.
JsonValue Result(ReportDesk& desk, const std::string& target) {
  const HttpAnswer answer = desk.Answer(target);
  CAPTURE(target);
  REQUIRE_MESSAGE(answer.status == 200, answer.body);
  const auto json = JsonValue::Parse(answer.body);
  REQUIRE(json.ok());
  CHECK((*json)["success"].flag());
  CHECK((*json)["seq"].kind() == JsonValue::Kind::kInteger);
  CHECK((*json)["ts"].kind() == JsonValue::Kind::kInteger);
  return (*json)["result"];
}

// "400 bad_parameter"
std::string Refusal(ReportDesk& desk, const std::string& target) {
  const HttpAnswer answer = desk.Answer(target);
  const auto json = JsonValue::Parse(answer.body);
  REQUIRE(json.ok());
  CHECK_FALSE((*json)["error"]["message"].text().empty());
  return std::to_string(answer.status) + " " + (*json)["error"]["code"].text();
}

int64_t Amount(const JsonValue& text) {
  REQUIRE(text.kind() == JsonValue::Kind::kText);
  return std::stoll(text.text());
}

std::string StatementOf(uint64_t account, int64_t from, int64_t to) {
  const auto time = [](int64_t second) { return UtcText(Timestamp(second * kMicrosPerSecond)); };
  return "/statement?account=" + std::to_string(account) + "&from=" + time(from) +
         "&to=" + time(to);
}

std::string UnitsName(const HoldingInfo& info) {
  return std::string(info.name) + (info.asset == Asset::kTok ? "_utok" : "");
}

// Opening and closing are the balances of those moments, and all lines together lie between them.
void CheckStatement(const FullLedger& ledger, const JsonValue& report, uint64_t account,
                    Moment from, Moment to) {
  for (const HoldingInfo& info : kHoldings) {
    if (!info.of_member) continue;
    const std::string name = UnitsName(info);
    CAPTURE(name);
    const int64_t opening = Amount(report["opening"][name]);
    CHECK(opening == ledger.BalanceAt(account, info.holding, from.event));
    CHECK(Amount(report["closing"][name]) == ledger.BalanceAt(account, info.holding, to.event));
    int64_t balance = opening, in = 0, out = 0;
    for (const JsonValue& movement : report["movements"].items()) {
      const int64_t change = Amount(movement["change"][name]);
      balance += change;
      (change > 0 ? in : out) += change;
      CHECK(Amount(movement["balances"][name]) == balance);
      CHECK(balance >= 0);
    }
    CHECK(balance == Amount(report["closing"][name]));
    CHECK(in == Amount(report["in"][name]));
    CHECK(out == Amount(report["out"][name]));
  }
}

}  // namespace

TEST_CASE("Every account's statement adds up over every time, as the transfers say") {
  const FullLedger ledger;
  ReportDesk desk = ledger.Desk();
  std::mt19937_64 random(7);
  const int64_t accounts = ledger.database.Number("SELECT max(id) FROM accounts");
  REQUIRE(accounts > 10);
  int64_t lines = 0;
  std::map<std::string, int> kinds;
  for (int64_t account = 1; account <= accounts; ++account) {
    CAPTURE(account);
    const Moment beginning{0, 0};
    const auto last = ledger.moments.back();
    const auto id = static_cast<uint64_t>(account);
    const JsonValue whole = Result(desk, StatementOf(id, 0, last.second));
    CheckStatement(ledger, whole, id, beginning, last);
    for (const JsonValue& movement : whole["movements"].items()) {
      ++kinds[movement["kind"].text()];
      ++lines;
    }
    const size_t from = random() % (ledger.moments.size() - 1);
    const size_t to = from + 1 + random() % (ledger.moments.size() - from - 1);
    const Moment begin = ledger.moments[from], end = ledger.moments[to];
    CheckStatement(ledger, Result(desk, StatementOf(id, begin.second, end.second)), id, begin, end);
  }
  CHECK(lines > 500);
  for (const std::string kind : {"deposit", "withdrawal", "top_up", "orders", "trade", "resale",
                                 "settlement", "gain", "payment"}) {
    CAPTURE(kind);
    CHECK(kinds[kind] > 0);
  }
  CHECK(kinds["other"] == 0);
  // A second cannot be taken apart: two parts of a time are the whole, whatever lies between.
  const int64_t middle = ledger.moments[2].second - 1'777;
  const std::string member =
      ledger.database.Value("SELECT buyer FROM lease_records GROUP BY 1 ORDER BY count(*) DESC");
  const uint64_t busy = std::stoull(member);
  const JsonValue first = Result(desk, StatementOf(busy, 0, middle));
  const JsonValue second = Result(desk, StatementOf(busy, middle, ledger.moments.back().second));
  CHECK(first["movements"].items().size() > 3);
  CHECK(second["movements"].items().size() > 3);
  for (const HoldingInfo& info : kHoldings) {
    if (!info.of_member) continue;
    CHECK(first["closing"][UnitsName(info)].text() == second["opening"][UnitsName(info)].text());
  }
}

TEST_CASE("Each lease's transfers prove its escrow, and a changed record does not") {
  const FullLedger ledger;
  Database database = ledger.Connect();
  ReportDesk desk = ledger.Desk();
  const int64_t leases = ledger.database.Number("SELECT max(id) FROM lease_records");
  std::map<std::string, int> states;
  int with_gains = 0;
  for (int64_t id = 1; id <= leases; ++id) {
    CAPTURE(id);
    const auto lease = ReadLease(database, LeaseId(static_cast<uint64_t>(id)));
    REQUIRE(lease.ok());
    const LeaseProof proof = ProveLease(*lease);
    CHECK(proof.adds_up);
    CHECK(proof.paid_in.value() ==
          ledger.database.Number("SELECT sum(amount) FROM transfers WHERE lease_id = " +
                                 std::to_string(id) + " AND credit_account % 16 = 11"));
    ++states[lease->state];
    if (!lease->settled) continue;
    with_gains += proof.gains > Credits(0) ? 1 : 0;
    CHECK(proof.to_provider == lease->settled->figures.provider);
    CHECK(proof.fee == lease->settled->figures.fee);
    CHECK(proof.retired == lease->settled->figures.retire);
    CHECK(proof.left == Credits(0));
  }
  for (const std::string state : {"settled", "resold", "reserved"}) {
    CAPTURE(state);
    CHECK(states[state] > 0);
  }
  CHECK(with_gains > 0);

  const std::string id =
      ledger.database.Value("SELECT min(id) FROM lease_records WHERE consumed > 0 AND burned > 0");
  const JsonValue report = Result(desk, "/lease?id=" + id);
  CHECK(report["lease"].text() == id);
  CHECK(report["escrow"]["adds_up"].flag());
  CHECK(report["life"]["state"].text() == "settled");
  CHECK(Amount(report["escrow"]["paid_in"]) ==
        Amount(report["escrow"]["consumed"]) + Amount(report["escrow"]["burned"]) +
            Amount(report["escrow"]["gains"]) + Amount(report["escrow"]["refunded"]) +
            Amount(report["escrow"]["owed"]) + Amount(report["escrow"]["to_resales"]));
  CHECK(std::to_string(report["transfers"].items().size()) ==
        ledger.database.Value("SELECT count(*) FROM transfers WHERE lease_id = " + id));
  REQUIRE(TestDatabase::Run(ledger.database.superuser(),
                            "SET session_replication_role = replica;"  // no triggers
                            "UPDATE lease_records SET consumed = consumed + 1, verified = verified"
                            " + 1, refunded = refunded - 1 WHERE id = " +
                                id)
              .ok());
  CHECK_FALSE(Result(desk, "/lease?id=" + id)["escrow"]["adds_up"].flag());
}

TEST_CASE("Supply and disclosures are what the ledger holds") {
  const FullLedger ledger;
  const TestDatabase& database = ledger.database;
  ReportDesk desk = ledger.Desk();
  const auto answer = JsonValue::Parse(desk.Answer("/supply").body);
  REQUIRE(answer.ok());
  CHECK((*answer)["seq"].integer() == database.Number("SELECT sequence FROM journal_cursor"));
  CHECK((*answer)["ts"].integer() == database.Number("SELECT market_time_us FROM journal_cursor"));
  const JsonValue& supply = (*answer)["result"];
  const JsonValue& tokens = supply["tokens"];
  const auto of_holding = [&](const std::string& holding) {
    return database.Number("SELECT sum(balance) FROM balances WHERE holding = '" + holding + "'");
  };
  CHECK(Amount(tokens["vault_utok"]) == of_holding("vault"));
  CHECK(Amount(tokens["supply_utok"]) == -of_holding("issuance") - of_holding("vault"));
  CHECK(Amount(tokens["supply_utok"]) ==
        of_holding("outside") + of_holding("tokens") + of_holding("fee"));
  const auto moved = [&](const std::string& from, const std::string& to) {
    return database.Number("SELECT coalesce(sum(amount), 0) FROM ledger WHERE from_holding = '" +
                           from + "' AND to_holding = '" + to + "'");
  };
  CHECK(Amount(tokens["burned_utok"]) == moved("tokens", "vault"));
  CHECK(Amount(tokens["reminted_provider_utok"]) == moved("vault", "tokens"));
  CHECK(Amount(tokens["retired_utok"]) == moved("vault", "issuance"));
  CHECK(Amount(tokens["deposited_utok"]) == moved("outside", "tokens"));
  CHECK(Amount(tokens["withdrawn_utok"]) == moved("tokens", "outside"));

  const JsonValue disclosures = Result(desk, "/disclosures");
  const JsonValue& work = disclosures["delivered_work"];
  const std::string by_owner =
      "SELECT owner_id, sum(amount) AS w FROM transfers t JOIN lease_records l ON l.id = t.lease_id"
      " JOIN accounts a ON a.id = l.provider WHERE debit_account % 16 = 11"
      " AND (credit_account = 6 OR credit_account % 16 = 12) GROUP BY 1";
  CHECK(Amount(work["verified"]) ==
        database.Number("SELECT sum(w) FROM (" + by_owner + ") AS owners"));
  CHECK(work["providers"].integer() ==
        database.Number("SELECT count(*) FROM (" + by_owner + ") AS owners"));
  CHECK(work["herfindahl_bps"].integer() ==
        database.Number("SELECT div(10000 * sum(w * w), sum(w) * sum(w)) FROM (" + by_owner +
                        ") AS owners"));
  CHECK(work["largest_ten_bps"].integer() ==
        database.Number("SELECT div(10000 * sum(w) FILTER (WHERE place <= 10), sum(w)) FROM"
                        " (SELECT w, row_number() OVER (ORDER BY w DESC) AS place FROM (" +
                        by_owner + ") AS owners) AS placed"));
  REQUIRE(disclosures["genesis"].items().size() == 1);
  CHECK(Amount(disclosures["genesis"].items()[0]["amount_utok"]) == 400'000'000'000'000);
  const JsonValue& first = disclosures["hardware_classes"].items()[0];
  CHECK(first["electricity_floor"].text() == "0.105");
  CHECK(first["last_price"].text() ==
        database.Value("SELECT trim_scale(price_usd) FROM leases ORDER BY id DESC LIMIT 1"));
}

TEST_CASE("A wrong question has its own answer") {
  const TestDatabase database;
  {
    Store store = database.OpenStore();
    REQUIRE(store.Load().ok());
  }
  ReportDesk desk(
      {database.service(), *ParseCatalogue(gateway::kTestCatalogueText, "test"), 120'000});
  const std::string time = "&from=2026-12-01&to=2026-12-02";
  for (const auto& [target, answer] : std::initializer_list<std::pair<std::string, std::string>>{
           {"", "400 bad_request"},
           {"supply", "400 bad_request"},
           {"/%zz", "400 bad_request"},
           {"/", "404 not_found"},
           {"/supply/", "404 not_found"},
           {"/api/v1/supply", "404 not_found"},
           {"/supply?day=1", "400 unknown_parameter"},
           {"/supply?%00%ff=1", "400 unknown_parameter"},
           {"/supply?date=2027-01-01&date=2027-01-01", "400 bad_parameter"},
           {"/supply?date=", "400 bad_parameter"},
           {"/supply?date=tomorrow", "400 bad_parameter"},
           {"/supply?date=2027-02-30", "400 bad_parameter"},
           {"/supply?date=9999-12-31", "400 bad_parameter"},
           {"/disclosures?date=2027-01-01", "400 unknown_parameter"},
           {"/statement", "400 bad_parameter"},
           {"/statement?account=1", "400 bad_parameter"},
           {"/statement?account=0" + time, "400 bad_parameter"},
           {"/statement?account=-1" + time, "400 bad_parameter"},
           {"/statement?account=1x" + time, "400 bad_parameter"},
           {"/statement?account=%31%00" + time, "400 bad_parameter"},
           {"/statement?account=18446744073709551616" + time, "400 bad_parameter"},
           {"/statement?account=9223372036854775807" + time, "400 bad_parameter"},
           {"/statement?account=99" + time, "404 not_found"},
           {"/statement?account=1&from=x&to=2026-12-02", "400 bad_parameter"},
           {"/statement?account=1&from=2026-12-02&to=2026-12-01", "400 bad_parameter"},
           {"/statement?account=1&from=2026-12-01T01:00&to=2026-12-01T01:00", "400 bad_parameter"},
           {"/lease", "400 bad_parameter"},
           {"/lease?id=x", "400 bad_parameter"},
           {"/lease?id=1%27%20OR%201=1", "400 bad_parameter"},
           {"/lease?id=77", "404 not_found"}}) {
    CAPTURE(target);
    CHECK(Refusal(desk, target) == answer);
  }
  // A day in the past, as the market's clock stands.
  CHECK(Result(desk, "/supply?date=1970-01-01")["bound"]["emission_at_most"].text() == "93000");
}

TEST_CASE("What would be too long says so, and what the transfers do not prove is no statement") {
  const TestDatabase database;
  {
    Store store = database.OpenStore();
    REQUIRE(store.Load().ok());
  }
  ReportDesk desk(
      {database.service(), *ParseCatalogue(gateway::kTestCatalogueText, "test"), 120'000});
  const auto run = [&](const std::string& sql) {
    const absl::Status status = TestDatabase::Run(database.superuser(), sql);
    CAPTURE(status.ToString());
    REQUIRE(status.ok());
  };
  // Account 17: free is 281, locked 282.
  run("INSERT INTO accounts VALUES (17, 17, 'member', decode(repeat('00', 32), 'hex'));"
      "INSERT INTO account_balances VALUES (281, 10), (282, 0);"
      "INSERT INTO transfers VALUES (1, 0, 'CREDIT', 5, 281, 10, NULL);"
      "INSERT INTO posting_seconds VALUES (1, 100), (3, 200);"
      "INSERT INTO transfers SELECT 2 * n + 1, 0, 'CREDIT', 281, 282, 1, NULL"
      " FROM generate_series(1, 50000) AS n;"
      "INSERT INTO transfers SELECT 2 * n + 2, 0, 'CREDIT', 282, 281, 1, NULL"
      " FROM generate_series(1, 50000) AS n;"
      "INSERT INTO member_postings VALUES (17, 1, 100002);"
      "UPDATE journal_cursor SET event_sequence = 200000");
  const std::string target = "/statement?account=17&from=1970-01-01T00:03&to=1970-01-01T00:04";
  const JsonValue longest = Result(desk, target);
  CHECK(longest["opening"]["free"].text() == "10");
  REQUIRE(longest["movements"].items().size() == 1);
  CHECK(longest["movements"].items()[0]["transfers"].integer() == 100'000);
  run("INSERT INTO member_postings VALUES (17, 150000, 150001);"
      "INSERT INTO transfers VALUES (150000, 0, 'CREDIT', 281, 282, 1, NULL),"
      " (150001, 0, 'CREDIT', 282, 281, 1, NULL)");
  CHECK(Refusal(desk, target) == "400 too_much");
  CHECK(desk.Answer(target).body.find("ask for a shorter time") != std::string::npos);
  CHECK(Result(desk, "/statement?account=17&from=1970-01-01&to=1970-01-01T00:02")["closing"]["free"]
            .text() == "10");
  // What passes between two members is in the statement of each.
  run("INSERT INTO accounts VALUES (16, 16, 'member', decode(repeat('00', 32), 'hex'));"
      "INSERT INTO posting_seconds VALUES (190000, 300);"
      "INSERT INTO member_postings VALUES (16, 190000, 190000), (17, 190000, 190000);"
      "INSERT INTO transfers VALUES (190000, 0, 'CREDIT', 281, 265, 4, NULL);"
      "UPDATE account_balances SET balance = 6 WHERE account = 281;"
      "INSERT INTO account_balances VALUES (265, 4)");
  const std::string last = "&from=1970-01-01T00:05&to=1970-01-02";
  CHECK(Result(desk, "/statement?account=16" + last)["closing"]["free"].text() == "4");
  const JsonValue giver = Result(desk, "/statement?account=17" + last);
  CHECK(giver["opening"]["free"].text() == "10");
  CHECK(giver["closing"]["free"].text() == "6");
  CHECK(giver["movements"].items()[0]["kind"].text() == "other");
  run("UPDATE account_balances SET balance = 7 WHERE account = 281");
  CHECK(Refusal(desk, "/statement?account=17&from=1970-01-01&to=1970-01-01T00:02") ==
        "500 ledger_contradicts_itself");
}

TEST_CASE("A desk says that the database is away, and finds it again") {
  const Catalogue catalogue = *ParseCatalogue(gateway::kTestCatalogueText, "test");
  ReportDesk nowhere({"host=127.0.0.1 port=1", catalogue, 120'000});
  CHECK(Refusal(nowhere, "/supply") == "503 database_unavailable");
  CHECK(Refusal(nowhere, "/lease?id=1") == "503 database_unavailable");
  const TestDatabase unmade(TestDatabase::Schema::kNone);
  ReportDesk early({unmade.superuser(), catalogue, 120'000});
  CHECK(Refusal(early, "/supply") == "503 database_unavailable");

  const TestDatabase database;
  ReportDesk desk({database.service(), catalogue, 120'000});
  // Nothing is posted yet, not even genesis.
  CHECK(Refusal(desk, "/supply") == "503 no_ledger_yet");
  CHECK(Refusal(desk, "/disclosures") == "503 no_ledger_yet");
  {
    Store store = database.OpenStore();
    REQUIRE(store.Load().ok());
  }
  CHECK(Result(desk, "/supply")["tokens"]["genesis"].text() == "400000000");
  REQUIRE(TestDatabase::Run(database.superuser(),
                            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                            " WHERE usename = 'warpbook_settlement'")
              .ok());
  CHECK(Refusal(desk, "/lease?id=1") == "404 not_found");  // asked on a new connection
}

}  // namespace warpbook::settlement
