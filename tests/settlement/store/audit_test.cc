// The audit over a database in which somebody changed something.
#include "settlement/store/audit.h"

#include <doctest/doctest.h>

#include "settlement/service/report.h"
#include "tests/settlement/support/worker_process.h"

namespace warpbook::settlement {
namespace {

using test::TestDatabase;

// Six hours of trading, all settled but the last leases.
void Fill(const TestDatabase& test) {
  test::TestMarket market(14);
  test::TestSender sender(market);
  test::WorkerProcess process(test.service(), market, sender);
  for (int hour = 0; hour < 6; ++hour) {
    if (hour > 0) test::LetLeasesBecomeDue(market);
    market.RunHour();
    RunToQuiet(process, market, sender);
  }
}

std::string AuditTextOf(const TestDatabase& test, bool* all_hold) {
  auto database = Database::Connect(test.service());
  REQUIRE(database.ok());
  const auto audit = ReadAudit(*database);
  CAPTURE(audit.status().ToString());
  REQUIRE(audit.ok());
  return AuditText(*audit, all_hold);
}

// A violation that somebody plants who can do everything and means harm, and the invariants that
// must fail then.
struct Violation {
  std::string what;
  std::string sql;
  std::vector<std::string> failing;
};

// A settled lease that was worked for.
const std::string kSettled =
    "(SELECT min(id) FROM lease_records WHERE state = 'settled'"
    " AND consumed > 0 AND provider_utok > 0)";

// Plants each in a copy of a sound ledger, past the guards and the checks of the tables.
void CheckEach(const std::vector<Violation>& violations) {
  TestDatabase test;
  Fill(test);
  bool all_hold = false;
  const std::string sound = AuditTextOf(test, &all_hold);
  CAPTURE(sound);
  CHECK(all_hold);
  CHECK(sound.find("FAIL") == std::string::npos);
  REQUIRE(test.Number("SELECT count(*) FROM lease_records WHERE state = 'settled'") > 0);
  REQUIRE(test.Number("SELECT count(*) FROM lease_records WHERE state <> 'settled'") > 0);
  REQUIRE(test.Number("SELECT count(*) FROM lease_records WHERE gains > 0") > 0);
  REQUIRE(test.Number("SELECT count(*) FROM lease_legs WHERE difference < 0") > 0);
  const std::string open_up =
      "SET session_replication_role = replica;"  // no triggers
      "ALTER TABLE account_balances DROP CONSTRAINT account_balances_check;"
      "ALTER TABLE transfers DROP CONSTRAINT transfers_numbers;"
      "ALTER TABLE lease_records DROP CONSTRAINT lease_records_verified;";
  for (const Violation& violation : violations) {
    CAPTURE(violation.what);
    TestDatabase changed(test);
    const absl::Status status = TestDatabase::Run(changed.superuser(), open_up + violation.sql);
    CAPTURE(status.ToString());
    REQUIRE(status.ok());
    const std::string text = AuditTextOf(changed, &all_hold);
    CAPTURE(text);
    CHECK_FALSE(all_hold);
    for (const std::string& name : violation.failing) {
      CAPTURE(name);
      CHECK(text.find("FAIL  " + name) != std::string::npos);
    }
  }
}

TEST_CASE("Each planted violation of balances and totals fails its invariant") {
  CheckEach({
      {"tokens for a member from nowhere",
       "UPDATE account_balances SET balance = balance + 1 WHERE account % 16 = 8",
       {"supply identity and cap", "each asset sums to zero",
        "balances are the sums of their transfers"}},
      {"tokens above the cap, with transfer and all",
       "INSERT INTO transfers VALUES (99999999, 0, 'TOK', 1, 4, 700000000000000, NULL);"
       "UPDATE account_balances SET balance = balance - 700000000000000 WHERE account = 1;"
       "UPDATE account_balances SET balance = balance + 700000000000000 WHERE account = 4;"
       "UPDATE supply_counters SET emitted_utok = 700000000000000",
       {"supply identity and cap", "supply counters agree with the accounts"}},
      {"a counter set back",
       "UPDATE supply_counters SET retired_utok = retired_utok - 1",
       {"supply counters agree with the accounts"}},
      {"a transfer that the ledger does not know",
       "INSERT INTO transfers VALUES (99999999, 0, 'TOK', 3, 2, 5, NULL);"
       "UPDATE account_balances SET balance = balance - 5 WHERE account = 3;"
       "UPDATE account_balances SET balance = balance + 5 WHERE account = 2",
       {"supply counters agree with the accounts"}},
      {"an account below zero, with transfer and all",
       "INSERT INTO transfers SELECT 99999999, 0, 'CREDIT', account, account + 1, balance + 1,"
       " NULL FROM account_balances WHERE account % 16 = 9 ORDER BY account LIMIT 1;"
       "UPDATE account_balances b SET balance = b.balance + amount FROM transfers"
       " WHERE event_sequence = 99999999 AND account = credit_account;"
       "UPDATE account_balances b SET balance = b.balance - amount FROM transfers"
       " WHERE event_sequence = 99999999 AND account = debit_account",
       {"no account below zero but the sources"}},
      {"credits from nowhere",
       "UPDATE account_balances SET balance = balance + 1 WHERE account = 6",
       {"credits conserved", "each asset sums to zero",
        "balances are the sums of their transfers"}},
      {"a transfer erased",
       "DELETE FROM transfers WHERE asset = 'CREDIT' AND debit_account = 5",
       {"credits equal the engine's own totals", "balances are the sums of their transfers"}},
      {"the engine says otherwise",
       "UPDATE engine_checkpoint SET free = free - 1",
       {"credits equal the engine's own totals"}},
      {"a decision that the engine did not take",
       "UPDATE engine_checkpoint SET decision_number = decision_number + 1",
       {"credits equal the engine's own totals"}},
      {"the engine's word erased",
       "DELETE FROM engine_checkpoint",
       {"credits equal the engine's own totals: not checked"}},
      {"a transfer's amount changed",
       "UPDATE transfers SET amount = amount + 1 WHERE event_sequence ="
       " (SELECT max(event_sequence) FROM transfers WHERE asset = 'TOK')",
       {"balances are the sums of their transfers"}},
      {"an account without its balance",
       "DELETE FROM account_balances WHERE account IN"
       " (SELECT account FROM account_balances WHERE account % 16 = 8 AND balance > 0 LIMIT 1)",
       {"balances are the sums of their transfers"}},
  });
}

TEST_CASE("Each planted violation of a lease's escrow or pay fails its invariant") {
  CheckEach({
      {"more consumed of a lease than was moved",
       "UPDATE lease_records SET consumed = consumed - 1, refunded = refunded + 1 WHERE id = " +
           kSettled,
       {"each lease's escrow used exactly once"}},
      {"a lease's pay that went elsewhere",
       "UPDATE transfers SET lease_id = lease_id + 1000000 WHERE debit_account = 2 AND lease_id "
       "= " +
           kSettled,
       {"each lease's escrow used exactly once"}},
      {"a refund that somebody else got",
       "UPDATE transfers t SET credit_account = l.provider * 16 + 9 FROM lease_records l"
       " WHERE l.id = lease_id AND debit_account % 16 = 11 AND credit_account % 16 = 9",
       {"each lease's escrow used exactly once", "balances are the sums of their transfers"}},
      {"a refund out of somebody else's escrow",
       "UPDATE transfers t SET debit_account = l.provider * 16 + 11 FROM lease_records l"
       " WHERE l.id = lease_id AND debit_account % 16 = 11 AND credit_account % 16 = 9",
       {"each lease's escrow used exactly once", "balances are the sums of their transfers"}},
      {"an escrow that somebody else paid, whose lease is open",
       "UPDATE transfers t SET debit_account = l.provider * 16 + debit_account % 16"
       " FROM lease_records l WHERE l.id = lease_id AND credit_account % 16 = 11"
       " AND debit_account % 16 = 10 AND l.state <> 'settled'",
       {"each lease's escrow used exactly once", "balances are the sums of their transfers"}},
      {"an escrow that is somebody else's, whose lease is open",
       "UPDATE transfers t SET credit_account = l.provider * 16 + 11 FROM lease_records l"
       " WHERE l.id = lease_id AND credit_account % 16 = 11 AND l.state <> 'settled'",
       {"each lease's escrow used exactly once", "balances are the sums of their transfers"}},
      {"a provider's pay that the buyer got",
       "UPDATE transfers t SET credit_account = l.buyer * 16 + 8 FROM lease_records l"
       " WHERE l.id = lease_id AND debit_account = 2 AND credit_account % 16 = 8",
       {"each lease's escrow used exactly once", "balances are the sums of their transfers"}},
      {"an escrow for no lease, with its balances",
       "INSERT INTO transfers SELECT 99999999, 0, 'CREDIT', account, account + 2, 1, NULL"
       " FROM account_balances WHERE account % 16 = 9 AND balance > 0 LIMIT 1;"
       "UPDATE account_balances b SET balance = b.balance + 1 FROM transfers"
       " WHERE event_sequence = 99999999 AND account = credit_account;"
       "UPDATE account_balances b SET balance = b.balance - 1 FROM transfers"
       " WHERE event_sequence = 99999999 AND account = debit_account",
       {"each lease's escrow used exactly once"}},
      {"a lease without its escrow",
       "UPDATE lease_records SET surcharge = surcharge + 1 WHERE state = 'reserved' OR state ="
       " 'delivered' OR state = 'failed'",
       {"each lease's escrow used exactly once"}},
      {"a loss that nobody left",
       "DELETE FROM lease_legs WHERE difference < 0",
       {"each lease's escrow used exactly once"}},
      {"a loss that somebody else left",
       "UPDATE lease_legs SET trader = trader + 1 WHERE difference < 0",
       {"each lease's escrow used exactly once"}},
      {"a gain that was less",
       "UPDATE lease_records SET gains = gains - 1, refunded = refunded + 1 WHERE gains > 0",
       {"each lease's escrow used exactly once"}},
      {"a gain that somebody else got",
       "UPDATE transfers t SET credit_account = l.provider * 16 + 9 FROM lease_records l"
       " WHERE l.id = lease_id AND debit_account = 13 AND credit_account % 16 = 9",
       {"each lease's escrow used exactly once", "balances are the sums of their transfers"}},
      {"what a resale gave back, kept",
       "UPDATE lease_records SET resold_refunded = resold_refunded - 1 WHERE resold_gpus > 0",
       {"each lease's escrow used exactly once"}},
      {"an escrow used twice",
       "INSERT INTO transfers SELECT 99999999, 0, asset, debit_account, credit_account, 1, "
       "lease_id"
       " FROM transfers WHERE lease_id = " +
           kSettled + " AND credit_account = 6",
       {"each lease's escrow used exactly once", "balances are the sums of their transfers"}},
  });
}

TEST_CASE("An empty ledger passes its audit, which says what it could not check") {
  TestDatabase test;
  REQUIRE(test.OpenStore().Load().ok());
  bool all_hold = false;
  const std::string text = AuditTextOf(test, &all_hold);
  CAPTURE(text);
  CHECK(all_hold);
  CHECK(text.find("FAIL") == std::string::npos);
  CHECK(text.find("NONE  credits equal the engine's own totals: nothing to check yet\n") !=
        std::string::npos);
}

TEST_CASE("The summary tells the ledger's totals") {
  TestDatabase test;
  Fill(test);
  auto database = Database::Connect(test.service());
  REQUIRE(database.ok());
  const auto summary = ReadSummary(*database);
  REQUIRE(summary.ok());
  CHECK(summary->leases.at("settled") ==
        test.Number("SELECT count(*) FROM leases WHERE state = 'settled'"));
  CHECK(summary->gpu_minutes_delivered ==
        test.Number("SELECT sum(gpus * settled_minutes) FROM lease_records"));
  CHECK(summary->gpu_minutes_resold ==
        test.Number("SELECT sum(resold_gpus * minutes) FROM lease_records"));
  CHECK(summary->counters.burned.value() ==
        test.Number("SELECT sum(amount) FROM ledger WHERE to_holding = 'vault'"));
  CHECK(summary->totals[static_cast<size_t>(Holding::kVault)] ==
        test.Number("SELECT balance FROM balances WHERE holding = 'vault'"));
  const std::string json = SummaryJson(*summary);
  CHECK(json.find("\"burned_utok\":\"" + std::to_string(summary->counters.burned.value())) !=
        std::string::npos);
  CHECK(json.find("\"settled\":" + std::to_string(summary->leases.at("settled"))) !=
        std::string::npos);
}

}  // namespace
}  // namespace warpbook::settlement
