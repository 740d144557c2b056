// What the token rules promise, over whole histories: the economy of tests/simulation/economics
// checks every invariant as it goes, and throws where one does not hold.
#include "tests/simulation/economics/economy.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <vector>

#include "schema/types/arithmetic.h"
#include "tests/simulation/economics/market.h"
#include "tests/simulation/economics/scenario.h"
#include "tests/simulation/random.h"

namespace warpbook::economics {
namespace {

using settlement::CoverageState;
using settlement::PriceFeed;
using simulation::Random;

constexpr Timestamp kNow = Timestamp(1'800'000'000'000'000);
constexpr int64_t kTok = kMicroTokPerTok;

std::array<PriceFeed, settlement::kPriceFeeds> Feeds(int64_t price, Timestamp time) {
  std::array<PriceFeed, settlement::kPriceFeeds> feeds;
  feeds.fill({TokenPrice(price), time});
  return feeds;
}

// Sets the price again and again, until the mean has come to it.
void Rest(Economy& economy, int64_t price) {
  for (int i = 0; i < 2'000; ++i) economy.SetPrices(Feeds(price, kNow), kNow);
}

// A random amount of any magnitude in [0, most].
int64_t Any(Random& random, int64_t most) {
  if (most <= 0) return 0;
  const int64_t below = most >> random.Below(50);
  return random.OneIn(4) ? most : random.Between(0, below);
}

// Anything that can happen, in any order and of any size.
class RandomHistory {
 public:
  explicit RandomHistory(uint64_t seed) : random_(seed) {
    for (uint64_t i = 1; i <= kAccounts; ++i) {
      // Two accounts of each owner.
      economy_.Open(AccountId(i), OwnerId((i + 1) / 2));
    }
  }

  void RunDay() {
    const int64_t steps = random_.Between(5, 200);
    for (int64_t i = 0; i < steps; ++i) {
      Step();
      Count();
      economy_.Check();
    }
    const EpochClose close = economy_.CloseEpoch();
    CheckBonus(close);
    bonuses += close.bonus > Tokens(0);
    surpluses += close.retired > Tokens(0);
    if (economy_.coverage_state() == CoverageState::kStressed) {
      ++stressed_days;
      CHECK(close.bonus == Tokens(0));
    }
    economy_.Check();
  }

  int64_t bonuses = 0, surpluses = 0, stressed_days = 0;
  int64_t paid_in_part = 0, paid_later = 0, emitted = 0, held_up = 0, refused_top_ups = 0;

 private:
  static constexpr uint64_t kAccounts = 24;

  AccountId Account() { return AccountId(1 + random_.Below(kAccounts)); }

  // A few percent most of the time, a factor now and then, and anything seldom.
  int64_t NextPrice() {
    if (random_.OneIn(1'000)) return 1 + Any(random_, kMaxTokenPrice.value() - 1);
    if (random_.OneIn(20)) return price_ * random_.Between(20, 500) / 100;
    return price_ + price_ * random_.Between(-300, 300) / 10'000;
  }

  void SetPrices() {
    price_ = std::clamp<int64_t>(NextPrice(), 1, kMaxTokenPrice.value());
    for (int64_t times = random_.Between(1, 60); times > 0; --times) {
      now_ = now_.PlusSeconds(random_.Between(0, 900));
      auto feeds = Feeds(price_, now_);
      for (PriceFeed& feed : feeds) {
        const int64_t bps = random_.OneIn(6) ? random_.Between(-1'000, 1'000) : 0;
        feed.price += TokenPrice(feed.price.value() * bps / 10'000);
        if (random_.OneIn(8)) feed.time = Timestamp(now_.micros() - 11 * kMicrosPerMinute);
      }
      economy_.SetPrices(feeds, now_);
    }
  }

  void Step() {
    const AccountId account = Account();
    switch (random_.Below(8)) {
      case 0:
      case 1:
        return SetPrices();
      case 2:
        economy_.Deposit(account, Tokens(Any(random_, 1'000'000'000 * kTok)));
        return;
      case 3:
        economy_.Withdraw(account, Tokens(Any(random_, economy_.tokens(account).value())));
        return;
      case 4: {
        const Tokens burn(Any(random_, economy_.tokens(account).value()));
        refused_top_ups += !economy_.TopUp(account, burn);
        return;
      }
      case 5: {
        const Credits notional(Any(random_, economy_.free(account).value()));
        if (notional == Credits(0)) return;
        const Credits surcharge(Any(random_, notional.value() / 200));
        const LeaseId lease = economy_.Fill(account, Account(), notional, surcharge);
        if (lease) running_[lease] = notional;
        return;
      }
      case 6:
        if (running_.empty()) return;
        economy_.Deliver(running_.begin()->first,
                         Credits(Any(random_, running_.begin()->second.value())));
        running_.erase(running_.begin());
        return;
      default:
        economy_.SettleDelivered();
        held_up += economy_.waiting() > 0;
    }
  }

  // What each owner was paid for since the last close, by the payments alone.
  void Count() {
    for (const Payment& payment : economy_.TakePayments()) {
      const auto& settled = payment.settled;
      paid_in_part += settled.owed > Credits(0) && settled.consumed > Credits(0);
      paid_later += payment.deferred;
      emitted += settled.emitted > Tokens(0);
      if (settled.verified == Credits(0)) continue;
      const int128 gross = int128{settled.gross.value()} * settled.consumed.value();
      gross_[OwnerId((payment.provider.value() + 1) / 2)] +=
          static_cast<int64_t>(gross / settled.verified.value());
    }
  }

  void CheckBonus(const EpochClose& close) {
    for (const auto& owner : close.owners) {
      CHECK(owner.gross.value() == gross_[owner.owner]);
      CHECK(int128{owner.bonus.value()} * 25 <= gross_[owner.owner]);
    }
    gross_.clear();
  }

  Random random_;
  Economy economy_;
  Timestamp now_ = kNow;
  int64_t price_ = 2'000'000;
  std::map<LeaseId, Credits> running_;
  std::map<OwnerId, int64_t> gross_;
};

TEST_CASE("Through thousands of days of anything at all every invariant holds") {
  RandomHistory all(0);
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    RandomHistory history(seed);
    for (int day = 0; day < 200; ++day) history.RunDay();
    all.bonuses += history.bonuses;
    all.surpluses += history.surpluses;
    all.stressed_days += history.stressed_days;
    all.paid_in_part += history.paid_in_part;
    all.paid_later += history.paid_later;
    all.emitted += history.emitted;
    all.held_up += history.held_up;
    all.refused_top_ups += history.refused_top_ups;
  }
  // All that can happen did.
  CHECK(all.bonuses > 100);
  CHECK(all.surpluses > 100);
  CHECK(all.stressed_days > 100);
  CHECK(all.paid_in_part > 100);
  CHECK(all.paid_later > 1'000);
  CHECK(all.emitted > 100);
  CHECK(all.held_up > 100);
  CHECK(all.refused_top_ups > 100);
}

// Whatever the price does: what wash traders get, bonus included, is less than what would have made
// the credits of the work that was paid, at that moment's P_high: by 1 - 99.75% x (93% + 4%) at
// least. At P_low, at which one burns, they lose more.
void CheckWashLoses(const YearFigures& year) {
  REQUIRE(year.wash.worth > Tokens(0));
  CHECK(int128{year.wash.received.value()} * 1'000'000 <
        int128{year.wash.worth.value()} * (1'000'000 - 32'425) + 1'000'000);
}

TEST_CASE("Who trades with oneself loses at its settlements' prices, by one owner or ten") {
  for (Scenario scenario : NamedScenarios()) {
    CAPTURE(scenario.name);
    scenario.wash_usd = 50'000;
    for (const int64_t owners : {1, 10}) {
      scenario.wash_owners = owners;
      const YearFigures year = RunScenario(scenario, 7);
      CheckWashLoses(year);
      CHECK(year.wash.usd_out < year.wash.usd_in);
    }
  }
  Random random(11);
  for (uint64_t seed = 1; seed <= 12; ++seed) {
    CAPTURE(seed);
    CheckWashLoses(RunScenario(RandomScenario(random, 120), seed, 120));
  }
}

// One account's work for itself: burned at one price, delivered and paid at another.
struct RoundTrip {
  Tokens burned = Tokens(1'000 * kTok);
  Tokens received;
};
RoundTrip Trade(int64_t price_before, int64_t price_after) {
  Economy economy;
  const AccountId account(1), other(2);
  economy.Open(account, OwnerId(1));
  economy.Open(other, OwnerId(2));
  Rest(economy, price_before);
  // Others' credits keep the vault able to pay.
  economy.Deposit(other, Tokens(1'000'000 * kTok));
  REQUIRE(economy.TopUp(other, Tokens(1'000'000 * kTok)));
  RoundTrip trip;
  economy.Deposit(account, trip.burned);
  const auto credits = economy.TopUp(account, trip.burned);
  REQUIRE(credits);
  Rest(economy, price_after);
  economy.Deliver(economy.Fill(account, account, *credits, Credits(0)), *credits);
  economy.SettleDelivered();
  economy.CloseEpoch();
  economy.Check();
  trip.received = economy.tokens(account);
  return trip;
}

// "Credits are in effect a put on TOK": they keep their dollars while TOK falls, and the vault pays
// for that. It is no gain in dollars.
TEST_CASE("A round trip loses dollars at every price, and gains tokens only by their fall") {
  const RoundTrip same = Trade(2'000'000, 2'000'000);
  CHECK(same.received < same.burned);
  const RoundTrip fell = Trade(2'000'000, 400'000);
  // 99.75% of its dollars, five times the tokens, 93% of them; no bonus, as there is stress.
  CHECK(fell.received.value() * 100 > fell.burned.value() * 463);
  CHECK(fell.received.value() * 100 < fell.burned.value() * 464);
  CHECK(fell.received.value() * 400'000 < fell.burned.value() * 2'000'000);
  const RoundTrip rose = Trade(400'000, 2'000'000);
  CHECK(rose.received.value() * 5 < rose.burned.value());
}

// The mean follows a price slowly, by one part in 64 of each price.set, and the deviation rises
// first: where the design strains after a jump.
TEST_CASE("After a sudden fall of 80% top-ups wait, and work is paid at the price before it") {
  Economy economy;
  const AccountId buyer(1);
  economy.Open(buyer, OwnerId(1));
  Rest(economy, 2'000'000);
  economy.Deposit(buyer, Tokens(2'000 * kTok));
  REQUIRE(economy.TopUp(buyer, Tokens(1'000 * kTok)));
  int first = 0, last = 0;  // price.sets after which there is no price to burn at
  for (int sets = 1; sets <= 400; ++sets) {
    economy.SetPrices(Feeds(400'000, kNow), kNow);
    const bool is_refused = !economy.TopUp(buyer, Tokens(kTok));
    CHECK(is_refused == (economy.quote()->low <= TokenPrice(0)));
    if (is_refused && first == 0) first = sets;
    if (is_refused) last = sets;
    if (sets == 1) CHECK(economy.quote()->high == TokenPrice(1'975'000));
    if (sets == 44) CHECK(economy.quote()->high > TokenPrice(1'195'000));
    if (sets == 300) CHECK(economy.quote()->high < TokenPrice(415'000));
  }
  CHECK(first == 24);
  CHECK(last == 255);
}

// Everybody's credits spent at once, after TOK lost four fifths.
class Run {
 public:
  explicit Run(Random& random) {
    const int64_t buyers = random.Between(2, 30);
    for (int64_t i = 0; i <= buyers; ++i) {
      economy.Open(AccountId(static_cast<uint64_t>(1 + i)), OwnerId(static_cast<uint64_t>(1 + i)));
    }
    Rest(economy, 2'000'000);
    for (int64_t i = 0; i < buyers; ++i) {
      const AccountId buyer(static_cast<uint64_t>(2 + i));
      const Tokens burn(random.Between(50'000 * kTok, 100'000 * kTok));
      economy.Deposit(buyer, burn);
      REQUIRE(economy.TopUp(buyer, burn));
      const Credits free = economy.free(buyer);
      const LeaseId lease = economy.Fill(buyer, AccountId(1), free, Credits(0));
      leases.push_back(lease);
      verified[lease] = free;
    }
  }

  void Take() {
    for (const Payment& payment : economy.TakePayments()) {
      paid[payment.lease] += payment.settled.consumed;
      if (payment.settled.owed == Credits(0)) ended.push_back(payment.lease);
    }
    Credits all(0);
    for (const auto& [lease, credits] : paid) all += credits;
    CHECK(all + economy.owed() == AllVerified());
    economy.Check();
  }
  Credits AllVerified() const {
    Credits all(0);
    for (const auto& [lease, credits] : verified) all += credits;
    return all;
  }

  Economy economy;
  std::vector<LeaseId> leases;
  std::vector<LeaseId> ended;  // in the order in which they were paid in full
  std::map<LeaseId, Credits> verified, paid;
};

TEST_CASE("A crash of 80% and a run on the vault end with everyone paid or owed, exactly") {
  Random random(5);
  for (int round = 0; round < 20; ++round) {
    Run run(random);
    Rest(run.economy, 400'000);
    for (const LeaseId lease : run.leases) run.economy.Deliver(lease, run.verified[lease]);
    run.economy.SettleDelivered();
    run.Take();
    // The vault held a fifth of what was due, and emission did what it may.
    CHECK(run.economy.vault() == Tokens(0));
    CHECK(run.economy.owed() > Credits(0));
    CHECK(run.economy.coverage_state() == CoverageState::kStressed);
    // It falls on, and comes back; nobody buys any credits. Emission pays, oldest first.
    int days = 0;
    for (; run.economy.owed() > Credits(0); ++days) {
      REQUIRE(days < 3'000);
      run.economy.CloseEpoch();
      Rest(run.economy, days < 3 ? 300'000 : 1'000'000);
      run.economy.SettleDelivered();
      run.Take();
    }
    CHECK(run.paid == run.verified);
    CHECK(run.ended == run.leases);
  }
}

TEST_CASE("The years of the README are what it says of them") {
  std::map<std::string, YearFigures> years;
  for (const Scenario& scenario : NamedScenarios()) {
    years[scenario.name] = RunScenario(scenario, 1);
  }
  for (const auto& [name, year] : years) {
    CAPTURE(name);
    CHECK(year.days.back().owed == Credits(0));
    CHECK(year.pay_bps > 9'950);
    CHECK(year.pay_bps < 10'000);
  }
  for (const char* calm : {"steady", "boom", "wash"}) {
    CAPTURE(calm);
    CHECK(years[calm].days_stressed == 0);
    CHECK(years[calm].owed_max == Credits(0));
    // What was burned, re-minted, retired and given as a bonus leaves fewer tokens than before.
    CHECK(years[calm].days.back().supply < years[calm].supply_start);
  }
  CHECK(years["bust"].days_stressed > 30);
  CHECK(std::ranges::min(years["bust"].days, {}, &DayRow::coverage_bps_min).coverage_bps_min <
        2'000);
  CHECK(years["bust"].owed_max == Credits(0));
  CHECK(years["crash"].days_stressed > 20);
  CHECK(years["crash"].owed_max > Credits(500'000 * kCreditsPerUsd));
  CHECK(years["crash"].wait_hours_max > 48);
  CHECK(years["crash"].wait_hours_max < 200);
  CHECK(years["crash"].worst_hour_pay_bps < 7'000);
  CHECK(years["crash"].days.back().supply > years["crash"].supply_start);
}

}  // namespace
}  // namespace warpbook::economics
