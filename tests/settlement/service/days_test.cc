// Days on a real PostgreSQL: closed with their bonus, with payments that have to wait for them,
// disputes and marks of owners, by a worker that is started anew before each of its decisions. All
// that it knows then was written and read back, and it must decide what one decides that never
// ended.
#include <doctest/doctest.h>

#include <cstring>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "settlement/service/statement.h"
#include "settlement/store/lease_query.h"
#include "settlement/store/statement_query.h"
#include "settlement/tokens/supply.h"
#include "tests/settlement/support/small_deal.h"
#include "tests/settlement/support/worker_process.h"

namespace warpbook::settlement {
namespace {

using test::DealMarket;
using test::TestDatabase;
using test::TestSender;
using test::WorkerProcess;

// At this price a lease of the deal costs more than half of a day's emission.
constexpr TokenPrice kNextToNothing = TokenPrice(100);

class Days : public DealMarket {
 public:
  explicit Days(bool restarting) : restarting_(restarting) {
    market.RequestDeposit(buyer, Tokens(1'000'000'000));
    market.SetPrice(price);
    Settle();
    market.RequestTopUp(buyer, Tokens(500'000'000));
    Settle();
  }

  // Until settlement has nothing left to do. Decisions go to the engine in the life after the one
  // that made them.
  void Settle() {
    while (true) {
      market.Seal();
      if (restarting_ || !process_) {
        process_.reset();
        sender_.emplace(market);
        process_.emplace(database.service(), market, *sender_);
      }
      const bool waited = sender_->waiting() > 0;
      sender_->Send();
      REQUIRE(sender_->status().ok());
      market.Seal();
      // The first step of a life reads the journal, and only the next one may decide.
      absl::StatusOr<bool> wrote;
      do {
        wrote = (*process_)->Step();
        CAPTURE(wrote.status().ToString());
        REQUIRE(wrote.ok());
      } while (!(*process_)->deciding());
      if (!*wrote && !waited && sender_->waiting() == 0) return;
    }
  }
  // Closes the day under way.
  void EndDay() {
    constexpr int64_t kMicrosPerDay = 86'400'000'000;
    market.AdvanceTo(Timestamp((market.now().micros() / kMicrosPerDay + 1) * kMicrosPerDay));
    market.SetPrice(price);
    Settle();
  }
  // A lease of the next window that lacks so many minutes, and that its buyer disputes.
  LeaseId DisputeNext(int missing) {
    NextWindow();
    const LeaseId lease = Deliver(0, missing, false);
    wire::DisputeLease command;
    command.mutate_lease_id(lease.value());
    REQUIRE(market.Submit(command, buyer) == RejectReason::kNone);
    Settle();
    return lease;
  }
  void Judge(LeaseId lease, int32_t share) {
    wire::JudgeLease command;
    command.mutate_lease_id(lease.value());
    command.mutate_verdict(static_cast<uint8_t>(DisputeVerdict::kFounded));
    command.mutate_share(share);
    constexpr std::string_view kReason = "half of it, \"as {agreed}\" \\ we were told";
    std::memcpy(command.mutable_reason()->Data(), kReason.data(), kReason.size());
    REQUIRE(market.Submit(command, market.operator_account()) == RejectReason::kNone);
  }
  int64_t Number(const std::string& sql) const { return database.Number(sql); }

  TestDatabase database;

 private:
  const bool restarting_;
  std::optional<TestSender> sender_;
  std::optional<WorkerProcess> process_;
};

// The report of every lease adds up, and so does the statement of both accounts over all time.
void CheckReports(const Days& days, Timestamp now) {
  auto database = Database::Connect(days.database.service());
  REQUIRE(database.ok());
  const int64_t leases = days.Number("SELECT max(id) FROM lease_records");
  for (int64_t id = 1; id <= leases; ++id) {
    CAPTURE(id);
    const auto lease = ReadLease(*database, LeaseId(static_cast<uint64_t>(id)));
    REQUIRE(lease.ok());
    CHECK(ProveLease(*lease).adds_up);
  }
  std::set<MovementKind> kinds;
  for (const AccountId account : {days.buyer, days.provider}) {
    const auto figures = ReadStatement(*database, account, 0, now.micros() / 1'000'000 + 1);
    REQUIRE(figures.ok());
    const auto movements = MovementsOf(*figures, account);
    CAPTURE(movements.status().ToString());
    REQUIRE(movements.ok());
    for (const Movement& movement : *movements) kinds.insert(movement.kind);
  }
  for (const MovementKind kind : {MovementKind::kDispute, MovementKind::kDeferred,
                                  MovementKind::kBonus, MovementKind::kPayment}) {
    CHECK(kinds.contains(kind));
  }
}

// Everything that settlement does by days.
void LiveThrough(Days& days) {
  days.Deliver(0, 0, true);
  const AccountId whale = days.market.OpenUnverifiedMember();
  days.market.RequestDeposit(whale, Tokens(kGenesisTokens.value() / 100 + 1));
  days.Settle();
  CHECK(days.Number("SELECT count(*) FROM owner_marks WHERE large") == 1);
  CHECK(days.Number("SELECT count(*) FROM owners WHERE large AND NOT verified") == 1);
  days.EndDay();
  CHECK(days.Number("SELECT count(*) FROM epochs WHERE bonus_utok > 0") == 1);
  CHECK(days.Number("SELECT count(*) FROM account_days WHERE bonus_event IS NOT NULL") == 1);

  const LeaseId judged = days.DisputeNext(0);
  days.Judge(judged, 5'000);
  days.Settle();
  days.DisputeNext(3);
  days.market.RequestWithdrawal(whale, Tokens(100'000'000));  // small again
  days.market.Advance(60 * 60);
  days.market.SetPrice(days.price);
  days.Settle();
  CHECK(days.Number("SELECT count(*) FROM lease_records WHERE verdict = 'founded'"
                    " AND state = 'settled'") == 2);
  CHECK(days.database.Value("SELECT judged_because FROM lease_records WHERE share = 5000") ==
        "half of it, \"as {agreed}\" \\ we were told");
  CHECK(days.Number("SELECT count(*) FROM owner_marks") == 2);
  CHECK(days.database.Value("SELECT string_agg(concat_ws(' ', state, verdict, share_percent), ','"
                            " ORDER BY lease) FROM disputes") ==
        "settled founded 50.00,settled founded 100.00");
  CHECK(days.database.Value("SELECT date FROM days") == "2027-01-15");

  for (int i = 0; i < 3; ++i) {
    days.FallTo(kNextToNothing);
    days.NextWindow();
    days.Deliver(0, 0, true);
    days.Settle();
  }
  CHECK(days.database.Value("SELECT coverage FROM current_day") == "stressed");
  CHECK(days.Number("SELECT count(*) FROM debts") == 2);
  for (int i = 0; i < 30 && days.Number("SELECT sum(owed_left) FROM lease_records") > 0; ++i) {
    days.EndDay();
  }
  CHECK(days.Number("SELECT sum(owed_left) FROM lease_records") == 0);
  days.market.Tick(1);  // with a checkpoint, which an audit compares
  days.Settle();
  CHECK(days.Number("SELECT max(n) FROM (SELECT count(*) AS n FROM deferred_payments"
                    " GROUP BY lease_id) AS payments") > 1);
  // Not even the tables' owner changes what was settled, closed, marked or paid.
  for (const char* const sql :
       {"UPDATE lease_records SET verdict = 'unfounded' WHERE verdict = 'founded'",
        "UPDATE lease_records SET owed_left = owed WHERE owed > 0",
        "UPDATE account_days SET gross_utok = gross_utok + 1 WHERE bonus_event IS NOT NULL",
        "UPDATE requests SET amount_utok = 1 WHERE state = 'posted'", "DELETE FROM epochs",
        "UPDATE epochs SET bonus_utok = 0", "UPDATE owner_marks SET large = false",
        "DELETE FROM deferred_payments"}) {
    CAPTURE(sql);
    const absl::Status refused = TestDatabase::Run(days.database.owner(), sql);
    CHECK(std::string(refused.message()).find("posted is never changed") != std::string::npos);
  }
  // Of all kinds of decisions, but withdrawals and refusals, which restart_test has.
  CHECK(days.Number("SELECT count(DISTINCT kind) FROM outbox") == 8);
  test::CheckLedger(days.database, days.market);
  CheckReports(days, days.market.now());
}

TEST_CASE("Days, debts, disputes and marks are the same over restarts at every step") {
  const char* const kDecided =
      "SELECT string_agg(outbox::text, chr(10) ORDER BY number) FROM outbox";
  Days undisturbed(false);
  LiveThrough(undisturbed);
  Days restarted(true);
  LiveThrough(restarted);
  CHECK(restarted.database.Value(kDecided) == undisturbed.database.Value(kDecided));
}

}  // namespace
}  // namespace warpbook::settlement
