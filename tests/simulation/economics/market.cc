#include "tests/simulation/economics/market.h"

#include <algorithm>
#include <limits>

#include "schema/types/arithmetic.h"
#include "tests/simulation/violation.h"

namespace warpbook::economics {
namespace {

using settlement::PriceFeed;

constexpr int64_t kBuyers = 12;
constexpr int64_t kProviders = 12;  // the first is the whale
constexpr Timestamp kStart = Timestamp(1'800'000'000'000'000);
// A minute's noise, and how fast it is forgotten: the price strays by some 2% from its path.
constexpr int64_t kNoisePpm = 1'200;
constexpr int64_t kNoiseMinutes = 1'440;
constexpr int64_t kFeedSpreadBps = 20;
// Whoever has run once keeps little on the exchange.
constexpr int64_t kPrepaidHoursAfterRun = 12;
constexpr uint64_t kOutageEveryHours = 400;
// Below this much promised in an hour, in micro-USD x 10^6, its pay says little: $100.
constexpr int128 kPayWorthTelling = int128{100} * 1'000'000 * 1'000'000;

AccountId Buyer(int64_t i) { return AccountId(static_cast<uint64_t>(1 + i)); }
AccountId Provider(int64_t i) { return AccountId(static_cast<uint64_t>(101 + i)); }
AccountId WashBuyer(int64_t i) { return AccountId(static_cast<uint64_t>(201 + i)); }
AccountId WashProvider(int64_t i) { return AccountId(static_cast<uint64_t>(301 + i)); }
OwnerId OwnerOf(AccountId provider) { return OwnerId(provider.value()); }
bool IsWash(uint64_t id) { return id >= 201; }

// The fewest tokens that make so many credits when burned at `price`, the spread included.
Tokens TokensFor(Credits credits, TokenPrice price) {
  const int128 unit = int128{price.value()} * 60 * (10'000 - settlement::kTopUpSpreadBps);
  const int128 tokens = (int128{credits.value()} * kMicroTokPerTok * 10'000 + unit - 1) / unit;
  return Tokens(*Narrow(tokens));
}

// Micro-USD at a price, rounded down.
int64_t Usd(Tokens tokens, TokenPrice price) {
  return *MulDivDown(tokens.value(), price.value(), kMicroTokPerTok);
}

}  // namespace

Market::Market(const Scenario& scenario, uint64_t seed) : scenario_(scenario), random_(seed) {
  for (int64_t i = 0; i < kProviders; ++i) economy_.Open(Provider(i), OwnerOf(Provider(i)));
  for (int64_t i = 0; i < scenario.wash_owners; ++i) {
    economy_.Open(WashProvider(i), OwnerOf(WashProvider(i)));
  }
  figures_.supply_start = economy_.supply();
}

void Market::RunDay() {
  coverage_min_ = std::numeric_limits<int64_t>::max();
  was_stressed_ = false;
  for (int64_t i = 0; i < kHoursPerDay; ++i) RunHour();
  CloseDay();
}

void Market::RunHour() {
  if (outage_hours_ > 0) --outage_hours_;
  if (random_.OneIn(kOutageEveryHours)) outage_hours_ = random_.Between(1, 5);
  for (int64_t i = 0; i < 60; ++i) SetPrice(minute() + i);
  // What was filled an hour ago has been delivered.
  for (const Running& lease : running_) Deliver(lease);
  running_.clear();
  economy_.SettleDelivered();
  TakePayments();
  const auto quote = economy_.quote();
  if (quote && quote->low <= TokenPrice(0)) ++figures_.hours_without_low;
  for (int64_t i = 0; i < kBuyers; ++i) Buy(Buyer(i));
  for (int64_t i = 0; i < scenario_.wash_owners; ++i) Wash(i);
  Sell();
  if (const auto bps = economy_.coverage_bps(); bps && economy_.debt() > Credits(0)) {
    coverage_min_ = std::min(coverage_min_, *bps);
  }
  was_stressed_ |= economy_.coverage_state() == settlement::CoverageState::kStressed;
  figures_.owed_max = std::max(figures_.owed_max, economy_.owed());
  economy_.Check();
  ++hour_;
}

void Market::SetPrice(int64_t minutes) {
  noise_ppm_ += random_.Between(-kNoisePpm, kNoisePpm) - noise_ppm_ / kNoiseMinutes;
  const int64_t path = At(scenario_.price, minutes);
  const int64_t price = *MulDivDown(path, 1'000'000 + noise_ppm_, 1'000'000);
  const Timestamp now = kStart.PlusMinutes(minutes);
  std::array<PriceFeed, settlement::kPriceFeeds> feeds;
  for (size_t i = 0; i < feeds.size(); ++i) {
    const int64_t feed =
        *MulDivDown(price, 10'000 + random_.Between(-kFeedSpreadBps, kFeedSpreadBps), 10'000);
    const bool silent = outage_hours_ > 0 && i < 3;
    feeds[i] = {TokenPrice(silent ? 0 : std::clamp<int64_t>(feed, 1, kMaxTokenPrice.value())), now};
  }
  economy_.SetPrices(feeds, now);
}

// Most work is delivered in full, some in part, some not at all.
void Market::Deliver(const Running& lease) {
  const int64_t bps = lease.is_wash || random_.Percent(90) ? 10'000
                      : random_.Percent(80)                ? random_.Between(7'000, 9'999)
                                                           : 0;
  economy_.Deliver(lease.id, Credits(*MulDivDown(lease.notional.value(), bps, 10'000)));
}

bool Market::TopUp(AccountId buyer, Credits credits) {
  const auto quote = economy_.quote();
  if (!quote || quote->low <= TokenPrice(0)) return false;
  const Tokens burn = TokensFor(credits, quote->low);
  economy_.Deposit(buyer, std::max(burn - economy_.tokens(buyer), Tokens(0)));
  if (!economy_.TopUp(buyer, burn)) return false;
  if (!IsWash(buyer.value())) return true;
  figures_.wash.burned += burn;
  figures_.wash.usd_in += Usd(burn, quote->median);
  return true;
}

void Market::Buy(AccountId buyer) {
  const bool is_run = scenario_.run_hour == hour_;
  const bool after_run = scenario_.run_hour && hour_ > *scenario_.run_hour &&
                         hour_ < *scenario_.run_hour + kHoursPerDay;
  const int64_t usd = At(scenario_.demand, minute());
  const Credits hourly(usd * kCreditsPerUsd / kHoursPerDay / kBuyers);
  // In thousands, so that the surcharge of 0.1%, which half of them pay, is exact.
  Credits notional(hourly.value() * random_.Between(50, 150) / 100'000 * 1'000);
  const int64_t surcharge_per_mille = buyer.value() % 2 == 0 ? 1 : 0;
  if (is_run || after_run) {
    notional = Credits(economy_.free(buyer).value() / 1'001 * 1'000);
  } else {
    const bool is_shy = scenario_.run_hour && hour_ > *scenario_.run_hour;
    const Credits kept(hourly.value() * (is_shy ? kPrepaidHoursAfterRun : scenario_.prepaid_hours));
    const Credits has = economy_.free(buyer);
    if (has.value() < kept.value() / 2) TopUp(buyer, kept - has);
  }
  if (notional <= Credits(0)) return;
  int64_t provider = 0;
  if (scenario_.whale_percent == 0 ||
      !random_.Percent(static_cast<uint64_t>(scenario_.whale_percent))) {
    provider = random_.Between(1, kProviders - 1);
  } else if (scenario_.whale_leaves && hour_ >= *scenario_.whale_leaves) {
    return;
  }
  Fill(buyer, Provider(provider), notional,
       Credits(notional.value() / 1'000 * surcharge_per_mille));
}

void Market::Fill(AccountId buyer, AccountId provider, Credits notional, Credits surcharge) {
  const LeaseId id = economy_.Fill(buyer, provider, notional, surcharge);
  if (id) running_.push_back({id, notional, IsWash(buyer.value())});
}

void Market::Wash(int64_t index) {
  const int64_t credits =
      scenario_.wash_usd * kCreditsPerUsd / kHoursPerDay / scenario_.wash_owners;
  TopUp(WashBuyer(index), Credits(credits));
  const Credits notional = economy_.free(WashBuyer(index));
  if (notional > Credits(0)) Fill(WashBuyer(index), WashProvider(index), notional, Credits(0));
}

void Market::Sell() {
  for (int64_t i = 0; i < kProviders; ++i) {
    const bool is_whale = i == 0 && scenario_.whale_percent > 0;
    const bool sells = is_whale ? std::ranges::count(scenario_.whale_sells, hour_) > 0
                                : hour_ % kHoursPerDay == 2 * i;
    if (sells) economy_.Withdraw(Provider(i), economy_.tokens(Provider(i)));
  }
  for (int64_t i = 0; i < scenario_.wash_owners; ++i) {
    economy_.Withdraw(WashProvider(i), economy_.tokens(WashProvider(i)));
  }
}

void Market::TakePayments() {
  hour_pay_ = Pay();
  for (const Payment& payment : economy_.TakePayments()) Take(payment);
  if (hour_pay_.promised < kPayWorthTelling) return;
  figures_.worst_hour_pay_bps = std::min(figures_.worst_hour_pay_bps, hour_pay_.bps());
}

void Market::Take(const Payment& payment) {
  const auto& settled = payment.settled;
  if (!payment.deferred && settled.owed > Credits(0)) waiting_since_[payment.lease] = hour_;
  if (payment.deferred) {
    const auto waiting = waiting_since_.find(payment.lease);
    figures_.wait_hours_max = std::max(figures_.wait_hours_max, hour_ - waiting->second);
    if (settled.owed == Credits(0)) waiting_since_.erase(waiting);
  }
  if (settled.verified == Credits(0)) return;
  const TokenPrice median = payment.quote.median;
  const int128 paid = int128{settled.provider.value()} * median.value();
  const int128 promised = int128{settled.consumed.value()} *
                          (100 - settlement::kRetirePercent - settlement::kFeePercent) * 1'000'000 /
                          60 / 100;
  for (Pay* pay : {&pay_, &hour_pay_}) {
    pay->paid += paid;
    pay->promised += promised;
  }
  if (!IsWash(payment.provider.value())) return;
  figures_.wash.received += settled.provider;
  figures_.wash.usd_out += Usd(settled.provider, median);
  figures_.wash.worth += TokensFor(settled.consumed + settled.burned, payment.quote.high);
}

void Market::CloseDay() {
  const EpochClose close = economy_.CloseEpoch();
  economy_.Check();
  figures_.bonus += close.bonus;
  figures_.surplus_retired += close.retired;
  figures_.days_stressed += was_stressed_;
  const auto quote = economy_.quote();
  if (quote) last_median_ = quote->median;
  for (const auto& owner : close.owners) {
    if (!IsWash(owner.owner.value())) continue;
    figures_.wash.received += owner.bonus;
    figures_.wash.usd_out += Usd(owner.bonus, last_median_);
  }
  DayRow row;
  row.day = close.day;
  row.demand_usd = At(scenario_.demand, minute() - 1);
  row.price = last_median_;
  row.supply = economy_.supply();
  row.vault = economy_.vault();
  row.coverage_bps_min = coverage_min_ == std::numeric_limits<int64_t>::max()
                             ? settlement::kCoverageWholeBps
                             : coverage_min_;
  row.owed = economy_.owed();
  row.counters = economy_.counters();
  row.bonus = close.bonus;
  figures_.days.push_back(row);
}

YearFigures Market::Figures() const {
  YearFigures figures = figures_;
  figures.pay_bps = pay_.bps();
  for (const auto& [lease, since] : waiting_since_) {
    figures.wait_hours_max = std::max(figures.wait_hours_max, hour_ - since);
  }
  for (int64_t i = 0; i < scenario_.wash_owners; ++i) {
    figures.wash.usd_out += economy_.credits(WashBuyer(i)).value() / 60;
  }
  return figures;
}

YearFigures RunScenario(const Scenario& scenario, uint64_t seed, int64_t days) {
  Market market(scenario, seed);
  for (int64_t day = 0; day < days; ++day) market.RunDay();
  return market.Figures();
}

}  // namespace warpbook::economics
