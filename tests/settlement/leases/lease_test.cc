#include "settlement/leases/lease.h"

#include <doctest/doctest.h>

#include <string>
#include <utility>
#include <vector>

#include "schema/types/arithmetic.h"

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
  terms.price = terms.provider_price = Price(2'500'000);
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
  CHECK(lease
            .BecomeSettled(SettleUnearned(Terms().notional, Terms().surcharge), 0, Credits(0),
                           Minutes(0))
            .ok());
  return lease;
}

// What a resale of `lease` to account 5 makes, in the standard tier.
LeaseTerms ResaleOf(const Lease& lease, Price price, Quantity gpus, LeaseId id = LeaseId(8)) {
  LeaseTerms terms = lease.TermsOfResale(price);
  terms.id = id;
  terms.buyer = AccountId(5);
  terms.gpus = gpus;
  terms.notional = *Notional(price, gpus, terms.minutes);
  terms.surcharge = Surcharge(terms.notional, Tier::kStandard);
  return terms;
}
Lease SoldOut() {
  Lease lease = Reserved();
  CHECK(lease.Resell(ResaleOf(lease, Price(2'000'000), Quantity(2))).ok());
  return lease;
}
Lease Resold() {
  Lease lease = SoldOut();
  CHECK(lease.Change(LeaseState::kResold, false, kStart).ok());
  return lease;
}

TEST_CASE("From each state, exactly the changes of the table are possible") {
  const std::vector<std::pair<LeaseState, Lease>> states = {
      {LeaseState::kReserved, Reserved()},   {LeaseState::kActive, Active()},
      {LeaseState::kDelivered, Delivered()}, {LeaseState::kFailed, Failed()},
      {LeaseState::kSettled, Settled()},     {LeaseState::kResold, Resold()},
      {LeaseState::kReserved, SoldOut()},
  };
  // Rows: from; columns: to. Settled is reached by BecomeSettled alone.
  const bool possible[7][6] = {
      // reserved, active, delivered, failed, settled, resold
      {false, true, false, true, false, false},    // reserved
      {false, false, true, false, false, false},   // active
      {false, false, false, false, false, false},  // delivered
      {false, false, false, false, false, false},  // failed
      {false, false, false, false, false, false},  // settled
      {false, false, false, false, false, false},  // resold
      {false, false, false, false, false, true},   // reserved, with all of it sold again
  };
  for (size_t row = 0; row < states.size(); ++row) {
    const auto& [from, lease] = states[row];
    CHECK(lease.state() == from);
    for (int to = 0; to < 6; ++to) {
      Lease changed = lease;
      const absl::Status status =
          changed.Change(static_cast<LeaseState>(to), false, kStart.PlusMinutes(9));
      CAPTURE(row);
      CAPTURE(to);
      CHECK(status.ok() == possible[row][to]);
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
  CHECK(lease.VerifiedWeight() == 60'000);
  CHECK(lease.EarnedByProvider(60'000) == Credits(15'000'000));
  CHECK(lease.EarnedByProvider(3) == Credits(750));
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
  CHECK(Delivered().BecomeSettled(figures, 0, Credits(0), Minutes(0)).ok());
  CHECK(Failed().BecomeSettled(figures, 0, Credits(0), Minutes(0)).ok());
  CHECK_FALSE(Reserved().BecomeSettled(figures, 0, Credits(0), Minutes(0)).ok());
  CHECK_FALSE(Active().BecomeSettled(figures, 0, Credits(0), Minutes(0)).ok());
  CHECK_FALSE(Settled().BecomeSettled(figures, 0, Credits(0), Minutes(0)).ok());
  figures.refunded = escrow - Credits(1);
  CHECK_FALSE(Delivered().BecomeSettled(figures, 0, Credits(0), Minutes(0)).ok());
  figures.refunded = escrow + Credits(1);
  figures.consumed = Credits(-1);
  CHECK_FALSE(Delivered().BecomeSettled(figures, 0, Credits(0), Minutes(0)).ok());
  figures = SettleUnearned(Terms().notional, Terms().surcharge);
  figures.consumed += Credits(1);
  figures.refunded -= Credits(1);
  CHECK_FALSE(Delivered().BecomeSettled(figures, 0, Credits(0), Minutes(0)).ok());
  figures.verified = Credits(1);
  CHECK_FALSE(Delivered().BecomeSettled(figures, 0, Credits(0), Minutes(0)).ok());
  // A GPU-minute and 1 / 250 of one.
  figures = Settlement();
  figures.verified = Credits(2'510'000);
  figures.consumed = Credits(2'000'000);
  figures.owed = Credits(510'000);
  figures.burned = Credits(2'510);
  figures.refunded = escrow - figures.verified - figures.burned;
  CHECK(Delivered().BecomeSettled(figures, 10'040, Credits(0), Minutes(1)).ok());
  CHECK_FALSE(Delivered().BecomeSettled(figures, 10'041, Credits(0), Minutes(1)).ok());
  CHECK_FALSE(Delivered().BecomeSettled(figures, 10'040, Credits(1), Minutes(1)).ok());
  CHECK_FALSE(Delivered().BecomeSettled(figures, -1, Credits(0), Minutes(1)).ok());
  CHECK_FALSE(Delivered().BecomeSettled(figures, 100'001, Credits(0), Minutes(1)).ok());
  figures.refunded = Credits::Max();
  figures.consumed = figures.owed = Credits::Max();
  CHECK_FALSE(Delivered().BecomeSettled(figures, 0, Credits(0), Minutes(0)).ok());
}

TEST_CASE("A lease is restored as it was stored") {
  Lease lease = Active(kStart.PlusSeconds(70));
  CHECK(lease.Heartbeat(kStart.PlusMinutes(1)).ok());
  const auto text = lease.delivered().ToText(Minutes(5));
  const auto restored = Lease::Restore({lease.terms(), lease.state(), lease.completed(),
                                        lease.started_at(), *DeliveredMinutes::FromText(text),
                                        Settlement(), Minutes(0), EscrowUse(), Quantity(0)});
  REQUIRE(restored.ok());
  CHECK(restored->terms() == lease.terms());
  CHECK(restored->state() == LeaseState::kActive);
  CHECK(restored->started_at() == lease.started_at());
  CHECK(restored->delivered() == lease.delivered());
  // An active lease that was never started is none.
  CHECK_FALSE(
      Lease::Restore({lease.terms(), LeaseState::kActive, false, std::nullopt, DeliveredMinutes(),
                      Settlement(), Minutes(0), EscrowUse(), Quantity(0)})
          .ok());
}

TEST_CASE("A resale takes GPUs, and the money that stood for them goes where it belongs") {
  // At a gain: the trader has all its money back, but the surcharge.
  Lease lease = Reserved();
  CHECK(lease.Resell(ResaleOf(lease, Price(3'000'000), Quantity(1))).ok());
  CHECK(lease.terms().gpus == Quantity(1));
  CHECK(lease.resold_gpus() == Quantity(1));
  CHECK(lease.escrow() == Credits(12'500'000 + 12'500));
  CHECK(lease.resold() ==
        EscrowUse{Credits(0), Credits(12'500), Credits(12'500'000), Credits(0), Credits(0)});
  CHECK(lease.paid_in() == Credits(25'025'000));
  // At a loss: 500,000 x 5 stay, for the new lease.
  CHECK(lease.Resell(ResaleOf(lease, Price(2'000'000), Quantity(1))).ok());
  CHECK(lease.escrow() == Credits(0));
  CHECK(lease.resold() == EscrowUse{Credits(0), Credits(25'000), Credits(22'500'000), Credits(0),
                                    Credits(2'500'000)});
  CHECK(lease.paid_in() == Credits(25'025'000));
  CHECK(lease.IsParty(AccountId(3)));
  CHECK_FALSE(lease.IsParty(AccountId(5)));
}

TEST_CASE("The lease of a resale has the legs of all who sold it, and their losses in its escrow") {
  Lease first = Reserved();
  const Lease second = *Lease::Reserve(ResaleOf(first, Price(3'000'000), Quantity(2)));
  CHECK(second.terms().legs == std::vector{ResaleLeg{AccountId(3), Price(500'000)}});
  CHECK(second.terms().provider_price == Price(2'500'000));
  CHECK(second.escrow() == Credits(30'000'000 + 30'000));
  LeaseTerms again = ResaleOf(second, Price(2'000'000), Quantity(2), LeaseId(9));
  again.buyer = AccountId(6);
  Lease third = *Lease::Reserve(again);
  CHECK(third.losses() == Credits(10'000'000));
  CHECK(third.escrow() == Credits(30'000'000 + 20'000));
  CHECK(third.IsParty(AccountId(3)));
  CHECK(third.IsParty(AccountId(5)));
  // At the same price there is no leg. Its loss leaves it with its GPUs.
  LeaseTerms same = ResaleOf(third, Price(2'000'000), Quantity(1), LeaseId(10));
  CHECK(same.legs == third.terms().legs);
  CHECK(third.Resell(same).ok());
  CHECK(third.resold().cleared == Credits(5'000'000));
  CHECK(third.escrow() == Credits(15'000'000 + 10'000));
  // Delivered in part: what each earns is rounded down.
  CHECK(third.EarnedByProvider(10'001) == Credits(2'500'250));
  CHECK(third.EarnedByTraders(10'001) == Credits(500'050));
  CHECK(third.EarnedByTraders(1) == Credits(50));
}

TEST_CASE("A resale that does not fit its lease is a fault") {
  const auto fails = [](auto change) {
    Lease lease = Reserved();
    LeaseTerms made = ResaleOf(lease, Price(3'000'000), Quantity(1));
    change(made);
    return !lease.Resell(made).ok();
  };
  CHECK_FALSE(fails([](LeaseTerms&) {}));
  CHECK(fails([](LeaseTerms& t) { t.gpus = Quantity(3); }));
  CHECK(fails([](LeaseTerms& t) { t.provider = AccountId(5); }));
  CHECK(fails([](LeaseTerms& t) { t.node = NodeId(2); }));
  CHECK(fails([](LeaseTerms& t) { t.provider_price = Price(3'000'000); }));
  CHECK(fails([](LeaseTerms& t) { t.legs.clear(); }));
  CHECK(fails([](LeaseTerms& t) { t.minutes = Minutes(4); }));
  CHECK(fails([](LeaseTerms& t) { t.assurance = Assurance::kAttested; }));
  Lease active = Active();
  CHECK_FALSE(active.Resell(ResaleOf(active, Price(3'000'000), Quantity(1))).ok());
  // Legs that are not the way from one price to the other.
  const auto reserves = [](std::vector<ResaleLeg> legs) {
    LeaseTerms terms = Terms();
    terms.legs = std::move(legs);
    return Lease::Reserve(terms).ok();
  };
  CHECK(reserves({{AccountId(5), Price(1'000)}, {AccountId(6), Price(-1'000)}}));
  CHECK_FALSE(reserves({{AccountId(5), Price(1'000)}}));
  CHECK_FALSE(reserves({{AccountId(5), Price(0)}}));
  CHECK_FALSE(reserves({{AccountId(), Price(1'000)}, {AccountId(6), Price(-1'000)}}));
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
