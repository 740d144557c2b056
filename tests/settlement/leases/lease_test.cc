#include "settlement/leases/lease.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace warpbook::settlement {
namespace {

constexpr Timestamp kStart = Timestamp(1'800'000'000'000'000);

// Five minutes of two GPUs.
LeaseTerms Terms() {
  LeaseTerms terms;
  terms.id = LeaseId(7);
  terms.instrument = InstrumentId(1);
  terms.buyer = AccountId(3);
  terms.provider = AccountId(4);
  terms.node = NodeId(1);
  terms.price = Price(2'500'000);
  terms.gpus = Quantity(2);
  terms.minutes = Minutes(5);
  terms.notional = Credits(25'000'000);
  terms.surcharge = Credits(25'000);
  terms.delivery_start = kStart;
  terms.delivery_end = kStart.PlusMinutes(5);
  return terms;
}

Lease Reserved() { return *Lease::Reserve(Terms()); }
Lease Active(Timestamp started = kStart) {
  Lease lease = Reserved();
  CHECK(lease.Change(LeaseState::kActive, false, started).ok());
  return lease;
}
Lease Delivered() {
  Lease lease = Active();
  CHECK(lease.Change(LeaseState::kDelivered, false, kStart.PlusMinutes(5)).ok());
  return lease;
}
Lease Failed() {
  Lease lease = Reserved();
  CHECK(lease.Change(LeaseState::kFailed, false, kStart.PlusMinutes(5)).ok());
  return lease;
}
Lease Settled() {
  Lease lease = Failed();
  CHECK(lease.BecomeSettled(SettleUnearned(Terms().notional, Terms().surcharge), Minutes(0)).ok());
  return lease;
}

TEST_CASE("From each state, exactly the changes of the table are possible") {
  const std::vector<std::pair<LeaseState, Lease>> states = {
      {LeaseState::kReserved, Reserved()},   {LeaseState::kActive, Active()},
      {LeaseState::kDelivered, Delivered()}, {LeaseState::kFailed, Failed()},
      {LeaseState::kSettled, Settled()},
  };
  // Rows: from; columns: to. Settled is reached by BecomeSettled alone.
  const bool possible[5][5] = {
      // reserved, active, delivered, failed, settled
      {false, true, false, true, false},    // reserved
      {false, false, true, false, false},   // active
      {false, false, false, false, false},  // delivered
      {false, false, false, false, false},  // failed
      {false, false, false, false, false},  // settled
  };
  for (const auto& [from, lease] : states) {
    CHECK(lease.state() == from);
    for (int to = 0; to < 5; ++to) {
      Lease changed = lease;
      const absl::Status status =
          changed.Change(static_cast<LeaseState>(to), false, kStart.PlusMinutes(9));
      CAPTURE(static_cast<int>(from));
      CAPTURE(to);
      CHECK(status.ok() == possible[static_cast<int>(from)][to]);
      CHECK(changed.state() == (status.ok() ? static_cast<LeaseState>(to) : from));
      // Nothing comes completed but a delivered lease.
      Lease completed = lease;
      CHECK(completed.Change(static_cast<LeaseState>(to), true, kStart).ok() ==
            (from == LeaseState::kDelivered && to == static_cast<int>(LeaseState::kDelivered)));
    }
  }
}

TEST_CASE("A delivered lease is completed once") {
  Lease lease = Delivered();
  CHECK(lease.Change(LeaseState::kDelivered, true, kStart).ok());
  CHECK(lease.completed());
  CHECK_FALSE(lease.Change(LeaseState::kDelivered, true, kStart).ok());
}

TEST_CASE("Terms that do not fit each other make no lease") {
  const auto with = [](auto change) {
    LeaseTerms terms = Terms();
    change(terms);
    return Lease::Reserve(terms).ok();
  };
  CHECK(with([](LeaseTerms&) {}));
  CHECK_FALSE(with([](LeaseTerms& t) { t.notional += Credits(1); }));
  CHECK_FALSE(with([](LeaseTerms& t) { t.minutes = Minutes(4); }));
  CHECK_FALSE(with([](LeaseTerms& t) { t.delivery_end = t.delivery_end.PlusSeconds(1); }));
  CHECK_FALSE(with([](LeaseTerms& t) { t.gpus = Quantity(0); }));
  CHECK_FALSE(with([](LeaseTerms& t) { t.price = Price(0); }));
  CHECK_FALSE(with([](LeaseTerms& t) { t.surcharge = Credits(-1); }));
  CHECK_FALSE(with([](LeaseTerms& t) { t.surcharge = Credits::Max(); }));
}

TEST_CASE("A heartbeat counts its minute once") {
  Lease lease = Active();
  CHECK(lease.Heartbeat(kStart.PlusMinutes(2)).ok());
  CHECK(lease.Heartbeat(kStart.PlusMinutes(2)).ok());
  CHECK(lease.Heartbeat(kStart.PlusMinutes(4)).ok());
  CHECK(lease.delivered().ToText(Minutes(5)) == "00101");
  CHECK(lease.PayableMinutes() == Minutes(0));  // not delivered yet
  CHECK(lease.Change(LeaseState::kDelivered, false, kStart.PlusMinutes(5)).ok());
  CHECK(lease.Heartbeat(kStart.PlusMinutes(3)).ok());  // up to five minutes late
  CHECK(lease.PayableMinutes() == Minutes(3));
  CHECK(lease.VerifiedNotional() == Credits(15'000'000));
}

TEST_CASE("A heartbeat outside the lease or in another state is a fault") {
  Lease lease = Active();
  CHECK_FALSE(lease.Heartbeat(kStart.PlusMinutes(-1)).ok());
  CHECK_FALSE(lease.Heartbeat(kStart.PlusMinutes(5)).ok());
  CHECK_FALSE(lease.Heartbeat(kStart.PlusSeconds(30)).ok());
  CHECK_FALSE(Reserved().Heartbeat(kStart).ok());
  CHECK_FALSE(Failed().Heartbeat(kStart).ok());
  CHECK_FALSE(Settled().Heartbeat(kStart).ok());
}

TEST_CASE("Minutes that had ended before the start are not paid, the minute of the start is") {
  Lease lease = Active(kStart.PlusSeconds(2 * 60 + 30));
  for (int minute = 0; minute < 5; ++minute)
    CHECK(lease.Heartbeat(kStart.PlusMinutes(minute)).ok());
  CHECK(lease.delivered().ToText(Minutes(5)) == "00111");
  // Started as a minute ends: that minute is over.
  Lease at_the_end = Active(kStart.PlusMinutes(1));
  CHECK(at_the_end.Heartbeat(kStart).ok());
  CHECK(at_the_end.delivered().Count() == Minutes(0));
}

TEST_CASE("When a lease is due") {
  const Timestamp end = kStart.PlusMinutes(5);
  CHECK_FALSE(Reserved().DueTime());
  CHECK_FALSE(Active().DueTime());
  CHECK_FALSE(Settled().DueTime());
  CHECK(Failed().DueTime() == end);
  // Not completed: when the dispute time is over, whatever was delivered.
  Lease lease = Delivered();
  CHECK(lease.DueTime() == end.PlusMinutes(10));
  for (int minute = 0; minute < 4; ++minute)
    CHECK(lease.Heartbeat(kStart.PlusMinutes(minute)).ok());
  // Completed with a minute missing: when none can come any more.
  Lease missing = lease;
  CHECK(missing.Change(LeaseState::kDelivered, true, end).ok());
  CHECK(missing.DueTime() == end.PlusMinutes(6));
  // Completed with all minutes: at once.
  CHECK(missing.Heartbeat(kStart.PlusMinutes(4)).ok());
  CHECK(missing.DueTime() == end);
  CHECK(lease.Heartbeat(kStart.PlusMinutes(4)).ok());
  CHECK(lease.DueTime() == end.PlusMinutes(10));
}

TEST_CASE("Only a delivered or failed lease is settled, and only with its escrow") {
  const Credits escrow = Terms().notional + Terms().surcharge;
  Settlement figures = SettleUnearned(Terms().notional, Terms().surcharge);
  CHECK(Delivered().BecomeSettled(figures, Minutes(0)).ok());
  CHECK(Failed().BecomeSettled(figures, Minutes(0)).ok());
  CHECK_FALSE(Reserved().BecomeSettled(figures, Minutes(0)).ok());
  CHECK_FALSE(Active().BecomeSettled(figures, Minutes(0)).ok());
  CHECK_FALSE(Settled().BecomeSettled(figures, Minutes(0)).ok());
  figures.refunded = escrow - Credits(1);
  CHECK_FALSE(Delivered().BecomeSettled(figures, Minutes(0)).ok());
  figures.refunded = escrow + Credits(1);
  figures.consumed = Credits(-1);
  CHECK_FALSE(Delivered().BecomeSettled(figures, Minutes(0)).ok());
  figures = SettleUnearned(Terms().notional, Terms().surcharge);
  figures.consumed += Credits(1);
  figures.refunded -= Credits(1);
  CHECK_FALSE(Delivered().BecomeSettled(figures, Minutes(0)).ok());
  figures.verified = Credits(1);
  CHECK(Delivered().BecomeSettled(figures, Minutes(0)).ok());
  figures.refunded = Credits::Max();
  figures.consumed = figures.owed = Credits::Max();
  CHECK_FALSE(Delivered().BecomeSettled(figures, Minutes(0)).ok());
}

TEST_CASE("A lease is restored as it was stored") {
  Lease lease = Active(kStart.PlusSeconds(70));
  CHECK(lease.Heartbeat(kStart.PlusMinutes(1)).ok());
  const auto text = lease.delivered().ToText(Minutes(5));
  const auto restored =
      Lease::Restore({lease.terms(), lease.state(), lease.completed(), lease.started_at(),
                      *DeliveredMinutes::FromText(text), Settlement(), Minutes(0)});
  REQUIRE(restored.ok());
  CHECK(restored->terms() == lease.terms());
  CHECK(restored->state() == LeaseState::kActive);
  CHECK(restored->started_at() == lease.started_at());
  CHECK(restored->delivered() == lease.delivered());
  // An active lease that was never started is none.
  CHECK_FALSE(Lease::Restore({lease.terms(), LeaseState::kActive, false, std::nullopt,
                              DeliveredMinutes(), Settlement(), Minutes(0)})
                  .ok());
}

TEST_CASE("Delivered minutes are kept as text, the first minute first") {
  CHECK(DeliveredMinutes::FromText("")->Count() == Minutes(0));
  const auto minutes = DeliveredMinutes::FromText("0110");
  REQUIRE(minutes);
  CHECK(minutes->Count() == Minutes(2));
  CHECK(minutes->Has(1));
  CHECK_FALSE(minutes->Has(0));
  CHECK(minutes->ToText(Minutes(4)) == "0110");
  CHECK_FALSE(DeliveredMinutes::FromText("012"));
  CHECK(DeliveredMinutes::FromText(std::string(1'440, '1'))->Count() == Minutes(1'440));
  CHECK_FALSE(DeliveredMinutes::FromText(std::string(1'441, '1')));
}

}  // namespace
}  // namespace warpbook::settlement
