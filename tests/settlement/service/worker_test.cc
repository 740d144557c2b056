// The worker on a real PostgreSQL: what it posts, and what people can read.
#include "settlement/service/worker.h"

#include <doctest/doctest.h>

#include <fstream>

#include "tests/settlement/support/worker_process.h"
#include "tests/support/temporary_directory.h"

namespace warpbook::settlement {
namespace {

using test::CheckLedger;
using test::LetLeasesBecomeDue;
using test::RunToQuiet;
using test::TestDatabase;
using test::TestMarket;
using test::TestSender;
using Process = test::WorkerProcess;

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
    market.EndLastWindow();
    RunToQuiet(process, market, sender);
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
