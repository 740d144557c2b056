#include "settlement/store/migrations.h"

#include <doctest/doctest.h>

#include <pqxx/pqxx>

#include "settlement/store/store.h"
#include "tests/settlement/support/test_database.h"

namespace warpbook::settlement {
namespace {

using test::TestDatabase;

absl::StatusOr<MigrateSummary> MigrateAs(const std::string& conninfo) {
  auto database = Database::Connect(conninfo);
  REQUIRE(database.ok());
  return Migrate(*database);
}

absl::Status SchemaStatus(const TestDatabase& test) {
  auto database = Database::Connect(test.service());
  REQUIRE(database.ok());
  return CheckSchema(*database);
}

bool Says(const absl::Status& status, const std::string& text) {
  CAPTURE(status.ToString());
  return std::string(status.message()).find(text) != std::string::npos;
}

TEST_CASE("Migrations are numbered from 1 without a gap") {
  int expected = 0;
  for (const Migration& migration : AllMigrations()) {
    CHECK(migration.version == ++expected);
    CHECK(std::stoi(std::string(migration.name.substr(0, 4))) == migration.version);
  }
  CHECK(expected > 0);
}

// PostgreSQL counts the columns that an index's condition names as indexed, and writes a row in its
// own page only where none of them changes.
TEST_CASE("A lease's state is in no index") {
  const TestDatabase test;
  CHECK(test.Number("SELECT count(*) FROM pg_indexes WHERE tablename = 'lease_records'") == 5);
  CHECK(test.Number("SELECT count(*) FROM pg_indexes WHERE tablename = 'lease_records'"
                    " AND indexdef LIKE '%state%'") == 0);
}

TEST_CASE("An empty database is brought to the newest schema, once") {
  TestDatabase test(TestDatabase::Schema::kNone);
  const auto first = MigrateAs(test.superuser());
  REQUIRE(first.ok());
  CHECK(first->version_before == 0);
  CHECK(first->version_after == static_cast<int>(AllMigrations().size()));
  const auto again = MigrateAs(test.superuser());
  REQUIRE(again.ok());
  CHECK(again->version_before == first->version_after);
  CHECK(test.Number("SELECT count(*) FROM schema_version") == first->version_after);
  // Everything is the owner's, who can migrate from now on without a superuser.
  CHECK(test.Number("SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace"
                    " WHERE nspname = 'public' AND pg_get_userbyid(relowner) <>"
                    " 'warpbook_owner'") == 0);
  CHECK(MigrateAs(test.owner()).ok());
}

TEST_CASE("A database without schema, or with an older one, says to migrate first") {
  TestDatabase empty(TestDatabase::Schema::kNone);
  auto database = Database::Connect(empty.superuser());
  REQUIRE(database.ok());
  CHECK(Says(CheckSchema(*database), "no schema yet: run `warpbook-settlement migrate`"));

  TestDatabase older;
  REQUIRE(TestDatabase::Run(older.owner(),
                            "DELETE FROM schema_version WHERE version ="
                            " (SELECT max(version) FROM schema_version)")
              .ok());
  CHECK(Says(SchemaStatus(older), "run `warpbook-settlement migrate` first"));
  CHECK(absl::IsFailedPrecondition(Store::Open({.conninfo = older.service()}).status()));
}

TEST_CASE("A schema from the future stops the service and the migration, and is left alone") {
  TestDatabase test;
  REQUIRE(TestDatabase::Run(test.owner(),
                            "INSERT INTO schema_version (version, name, sha256)"
                            " VALUES (99, '0099_wonders', '')")
              .ok());
  CHECK(Says(SchemaStatus(test), "schema version 99 (0099_wonders)"));
  CHECK(Says(SchemaStatus(test), "use a newer warpbook-settlement"));
  CHECK(absl::IsFailedPrecondition(Store::Open({.conninfo = test.service()}).status()));
  CHECK(Says(MigrateAs(test.superuser()).status(), "use a newer warpbook-settlement"));
}

TEST_CASE("A migration that was changed after it was applied stops") {
  TestDatabase test;
  REQUIRE(
      TestDatabase::Run(test.owner(), "UPDATE schema_version SET sha256 = 'x' WHERE version = 1")
          .ok());
  CHECK(Says(SchemaStatus(test), "is not the one that was applied"));
  CHECK(Says(MigrateAs(test.superuser()).status(), "is not the one that was applied"));
}

TEST_CASE("A migration that fails leaves nothing behind") {
  TestDatabase test(TestDatabase::Schema::kNone);
  // In the way of the second migration.
  REQUIRE(TestDatabase::Run(test.superuser(), "CREATE TABLE accounts (nothing integer)").ok());
  CHECK_FALSE(MigrateAs(test.superuser()).ok());
  CHECK(test.Value("SELECT to_regclass('transfers')") == "");
  CHECK(test.Value("SELECT to_regclass('schema_version')") == "");
}

TEST_CASE("The service may add transfers and read them, and nothing else") {
  TestDatabase test;
  {
    Store store = test.OpenStore();
    REQUIRE(store.Load().ok());
  }
  const std::string service = test.service();
  CHECK(test.Number("SELECT count(*) FROM transfers") == 1);
  for (const std::string sql :
       {"UPDATE transfers SET amount = 1", "UPDATE transfers SET lease_id = 5 WHERE leg = 0",
        "DELETE FROM transfers", "TRUNCATE transfers", "DROP TABLE transfers",
        "ALTER TABLE transfers DISABLE TRIGGER ALL", "DROP TRIGGER append_only ON transfers",
        "DELETE FROM account_balances", "TRUNCATE account_balances", "DELETE FROM lease_records",
        "DELETE FROM outbox", "UPDATE posting_seconds SET second = 1",
        "DELETE FROM posting_seconds", "DELETE FROM journal_cursor", "DELETE FROM schema_version",
        "UPDATE holdings SET asset = 'TOK'", "CREATE TABLE mine (a integer)",
        "SET ROLE warpbook_owner",
        // A partition is no way around.
        "SELECT * FROM transfers_0", "INSERT INTO transfers_0 SELECT * FROM transfers",
        "UPDATE transfers_0 SET amount = 1", "DELETE FROM transfers_0", "TRUNCATE transfers_0",
        "DROP TABLE transfers_0", "ALTER TABLE transfers DETACH PARTITION transfers_0",
        "ALTER TABLE transfers_0 DISABLE TRIGGER ALL"}) {
    CAPTURE(sql);
    const absl::Status status = TestDatabase::Run(service, sql);
    CHECK(absl::IsFailedPrecondition(status));
    CHECK((Says(status, "permission denied") || Says(status, "must be owner")));
  }
  CHECK(TestDatabase::Run(service, "SELECT * FROM transfers").ok());
  CHECK(test.Number("SELECT amount FROM transfers") == 400'000'000'000'000);
}

TEST_CASE("Not even the owner changes a transfer by mistake") {
  TestDatabase test;
  {
    Store store = test.OpenStore();
    REQUIRE(store.Load().ok());
  }
  for (const std::string sql :
       {"UPDATE transfers SET amount = 1", "UPDATE transfers SET amount = 1 WHERE false",
        "DELETE FROM transfers", "TRUNCATE transfers", "UPDATE transfers_0 SET amount = 1",
        "DELETE FROM transfers_0", "TRUNCATE transfers_0"}) {
    CAPTURE(sql);
    CHECK(Says(TestDatabase::Run(test.owner(), sql), "what is posted is never changed"));
    CHECK(Says(TestDatabase::Run(test.superuser(), sql), "what is posted is never changed"));
  }
}

TEST_CASE("Transfers go to partitions of a hundred million events, which the service opens") {
  TestDatabase test;
  const std::string service = test.service();
  const auto opened = [&test](const std::string& event) {
    return test.Value("SELECT open_transfers_partition(" + event + ")");
  };
  CHECK(opened("0") == "100000000");
  CHECK(opened("99999999") == "100000000");
  REQUIRE(TestDatabase::Run(service, "SELECT open_transfers_partition(250000000)").ok());
  CHECK_FALSE(TestDatabase::Run(service, "SELECT open_transfers_partition(-1)").ok());
  const std::string insert = "INSERT INTO transfers VALUES ";
  const std::string rest = ", 0, 'TOK', 3, 280, 5, NULL)";
  CHECK(TestDatabase::Run(service, insert + "(99999999" + rest).ok());
  CHECK(TestDatabase::Run(service, insert + "(200000000" + rest).ok());
  CHECK(Says(TestDatabase::Run(service, insert + "(100000000" + rest), "no partition"));
  CHECK(test.Value("SELECT string_agg(tableoid::regclass || ' ' || event_sequence, ', ' ORDER BY"
                   " event_sequence) FROM transfers") ==
        "transfers_0 99999999, transfers_2 200000000");
  // Guarded like the first one, whoever made it.
  CHECK(Says(TestDatabase::Run(test.owner(), "DELETE FROM transfers_2"), "is never changed"));
  CHECK(Says(TestDatabase::Run(service, "DELETE FROM transfers_2"), "permission denied"));
  CHECK(test.Value("SELECT tableowner FROM pg_tables WHERE tablename = 'transfers_2'") ==
        "warpbook_owner");
}

TEST_CASE("Transfers that were posted before there were partitions are carried over") {
  TestDatabase test(TestDatabase::Schema::kNone);
  auto database = Database::Connect(test.superuser());
  REQUIRE(database.ok());
  REQUIRE(Migrate(*database, 4).ok());
  const std::string rows =
      "INSERT INTO transfers VALUES (0, 0, 'TOK', 1, 3, 9, NULL), (7, 0, 'TOK', 3, 280, 5, NULL),"
      " (7, 1, 'TOK', 3, 24, 2, NULL), (8, 0, 'CREDIT', 25, 7, 5, 1),"
      " (310000000, 0, 'CREDIT', 5, 25, 1, NULL)";
  REQUIRE(TestDatabase::Run(test.superuser(), rows).ok());
  const std::string digest = "SELECT md5(string_agg(t::text, ';' ORDER BY t)) FROM transfers t";
  const std::string before = test.Value(digest);
  const std::string view = "SELECT md5(string_agg(l::text, ';' ORDER BY l)) FROM ledger l";
  const std::string view_before = test.Value(view);
  REQUIRE(MigrateAs(test.superuser()).ok());
  CHECK(test.Number("SELECT count(*) FROM transfers") == 5);
  CHECK(test.Value(digest) == before);
  CHECK(test.Value(view) == view_before);
  CHECK(test.Value("SELECT string_agg(DISTINCT tableoid::regclass::text, ' ') FROM transfers") ==
        "transfers_0 transfers_3");
  CHECK(test.Value("SELECT to_regclass('transfers_undivided')") == "");
}

TEST_CASE("The cursor moves forward only, whoever moves it, and is never removed") {
  TestDatabase test;
  {
    Store store = test.OpenStore();
    REQUIRE(store.Load().ok());
  }
  const std::string update = "UPDATE journal_cursor SET ";
  REQUIRE(TestDatabase::Run(test.service(), update + "sequence = 9, event_sequence = 20,"
                                                     " market_time_us = 5, decision_number = 2")
              .ok());
  for (const std::string& user : {test.service(), test.owner(), test.superuser()}) {
    CHECK(TestDatabase::Run(user, update + "sequence = sequence + 1, event_sequence = 21").ok());
    CHECK(TestDatabase::Run(user, update + "sequence = sequence").ok());
    for (const std::string column :
         {"sequence", "event_sequence", "market_time_us", "decision_number"}) {
      CAPTURE(column);
      CHECK(Says(TestDatabase::Run(user, update + column + " = " + column + " - 1"),
                 "the cursor never moves backwards"));
    }
  }
  for (const std::string sql : {"DELETE FROM journal_cursor", "TRUNCATE journal_cursor"}) {
    CHECK(Says(TestDatabase::Run(test.owner(), sql), "what is posted is never changed"));
  }
  CHECK(test.Number("SELECT sequence FROM journal_cursor") == 12);
}

TEST_CASE("A member's transfers are found without a look at all others") {
  TestDatabase test;
  CHECK(test.Number("SELECT count(*) FROM pg_indexes WHERE tablename = 'member_postings'"
                    " AND indexdef LIKE '%(member, first_event)%'") == 1);
}

TEST_CASE("A lease's transfers are found without a look at all others") {
  TestDatabase test;
  const std::string insert =
      "INSERT INTO transfers SELECT e, 0, 'CREDIT', 25, 7, 5, 1 + e / 6 FROM generate_series";
  REQUIRE(TestDatabase::Run(test.service(), "SELECT open_transfers_partition(1)").ok());
  REQUIRE(TestDatabase::Run(test.service(), insert + "(1, 100000) AS e").ok());
  // What autovacuum does by itself.
  REQUIRE(TestDatabase::Run(test.owner(),
                            "SELECT brin_summarize_new_values('transfers_0_lease_id_idx');"
                            "ANALYZE transfers")
              .ok());
  const auto pages_read = [&test](const std::string& query) {
    REQUIRE(TestDatabase::Run(test.superuser(),
                              "CREATE OR REPLACE FUNCTION read_pages() RETURNS bigint LANGUAGE"
                              " plpgsql AS $$ DECLARE plan json; BEGIN EXECUTE 'EXPLAIN (ANALYZE,"
                              " BUFFERS, FORMAT json) " +
                                  query +
                                  "' INTO plan; RETURN (plan->0->'Plan'->>'Shared Hit Blocks')"
                                  "::bigint + (plan->0->'Plan'->>'Shared Read Blocks')::bigint;"
                                  " END $$")
                .ok());
    return test.Number("SELECT read_pages()");
  };
  const int64_t all = pages_read("SELECT * FROM transfers");
  CHECK(all > 500);
  CHECK(test.Number("SELECT count(*) FROM lease_ledger(7000)") == 6);
  CHECK(pages_read("SELECT * FROM lease_ledger(7000)") < all / 4);
}

TEST_CASE("The tables refuse rows that no ledger holds") {
  TestDatabase test;
  REQUIRE(TestDatabase::Run(test.service(), "SELECT open_transfers_partition(0)").ok());
  const std::string transfers = "INSERT INTO transfers VALUES ";
  const auto settled_lease = [](int id, int verified) {
    const std::string number = std::to_string(id);
    return "INSERT INTO lease_records VALUES (" + number +
           ", 1, 17, 18, 1, 'economy', 'listed', 1, 1, 1, 60, 5, 0, 0, 0, 'settled', false, NULL,"
           " B'1', 1, " +
           std::to_string(verified) + ", 40, 4, 11, 10, 0, 0, 0, 0, " + number +
           ", 1, 1, 1, 0, 0, 0, 0, 0, 10000, 0, 0)";
  };
  struct Row {
    std::string sql;
    bool accepted;
  };
  const Row rows[] = {
      {transfers + "(1, 0, 'TOK', 3, 280, 5, NULL)", true},      // outside -> tokens of 17
      {transfers + "(1, 0, 'TOK', 3, 280, 5, NULL)", false},     // the same event and leg again
      {transfers + "(2, 0, 'TOK', 3, 280, 0, NULL)", false},     // nothing
      {transfers + "(2, 0, 'TOK', 3, 280, -5, NULL)", false},    // less than nothing
      {transfers + "(2, 0, 'TOK', 3, 3, 5, NULL)", false},       // to itself
      {transfers + "(2, 0, 'TOK', 3, 281, 5, NULL)", false},     // tokens into credits
      {transfers + "(2, 0, 'CREDIT', 3, 280, 5, NULL)", false},  // the wrong asset
      {transfers + "(2, -1, 'TOK', 3, 280, 5, NULL)", false},
      {transfers + "(2, 0, 'CREDIT', 281, 282, 5, 0)", false},  // lease 0
      {transfers + "(4, 0, 'CREDIT', 27, 13, 5, 1)", true},     // escrow of 1 -> clearing
      {transfers + "(5, 0, 'CREDIT', 29, 25, 5, 1)", false},    // a member's clearing
      // Accounts that there are not: of a slot that is none, of a member who is none, and the
      // exchange's own of a member.
      {transfers + "(2, 0, 'CREDIT', 281, 272, 5, NULL)", false},
      {transfers + "(2, 0, 'CREDIT', 281, 285, 5, NULL)", false},
      {transfers + "(2, 0, 'CREDIT', 287, 281, 5, NULL)", false},
      {transfers + "(2, 0, 'CREDIT', 281, 10, 5, NULL)", false},
      {transfers + "(2, 0, 'CREDIT', 9, 281, 5, NULL)", false},
      {transfers + "(2, 0, 'TOK', 3, 8, 5, NULL)", false},
      {transfers + "(2, 0, 'TOK', 19, 280, 5, NULL)", false},
      {transfers + "(2, 0, 'CREDIT', 21, 25, 5, NULL)", false},
      {transfers + "(2, 0, 'CREDIT', -7, 25, 5, NULL)", false},
      {transfers + "(2, 0, 'CREDIT', 5, 25, 5, NULL)", true},  // issued -> free of 1
      {transfers + "(3, 0, 'CREDIT', 25, 7, 5, 1)", true},     // free of 1 -> burned
      {"INSERT INTO account_balances VALUES (281, -1)", false},
      {"INSERT INTO account_balances VALUES (5, -1)", true},
      {"INSERT INTO account_balances VALUES (16, 0)", false},
      {"INSERT INTO account_balances VALUES (285, 0)", false},
      {"INSERT INTO account_balances VALUES (8, 0)", false},
      {"INSERT INTO account_balances VALUES (19, 0)", false},
      {"INSERT INTO account_balances VALUES (280, 0)", true},
      {settled_lease(1, 50), true},   // 40 consumed, 10 owed
      {settled_lease(2, 49), false},  // less was verified
      {settled_lease(3, 51), false},
      {"INSERT INTO lease_legs VALUES (1, 0, 17, -5)", true},
      {"INSERT INTO lease_legs VALUES (1, 0, 17, 5)", false},  // the same leg again
      {"INSERT INTO lease_legs VALUES (1, 1, 17, 0)", false},
      {"INSERT INTO lease_legs VALUES (9, 0, 17, 5)", false},  // of no lease
  };
  for (const Row& row : rows) {
    CAPTURE(row.sql);
    CHECK(TestDatabase::Run(test.service(), row.sql).ok() == row.accepted);
  }
}

TEST_CASE("The names of holdings in the database are those of the program") {
  TestDatabase test;
  for (const HoldingInfo& info : kHoldings) {
    CHECK(test.Value(
              "SELECT holding || ' ' || asset || ' ' || of_member FROM holdings WHERE slot = " +
              std::to_string(static_cast<int>(info.holding))) ==
          std::string(info.name) + " " + std::string(Name(info.asset)) + " " +
              (info.of_member ? "true" : "false"));
  }
  CHECK(test.Number("SELECT count(*) FROM holdings") == kHoldings.size());
}

}  // namespace
}  // namespace warpbook::settlement
