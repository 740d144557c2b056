// Market: buyers, providers and wash traders of a scenario on an Economy, hour by hour. The same
// scenario and seed give the same year everywhere.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "tests/simulation/economics/economy.h"
#include "tests/simulation/economics/scenario.h"
#include "tests/simulation/random.h"

namespace warpbook::economics {

// What a day was like at its end.
struct DayRow {
  int64_t day = 0;         // from 1
  int64_t demand_usd = 0;  // of honest buyers
  TokenPrice price;        // median
  Tokens supply, vault;
  int64_t coverage_bps_min = 0;  // of the day's hours
  Credits owed;
  settlement::SupplyCounters counters;  // since the beginning
  Tokens bonus;                         // of the day
};

// What wash traders put in and got. All they buy is from themselves, and all they are paid they
// sell at once.
struct WashFigures {
  Tokens burned;
  Tokens received;  // pay and bonus
  // For what was paid for: the fewest tokens that would have made those credits at the moment of
  // payment, had one burned at P_high. At P_low it takes more.
  Tokens worth;
  // Micro-USD at the market's price of each moment; credits that are left at the end are money.
  int64_t usd_in = 0;
  int64_t usd_out = 0;
};

struct YearFigures {
  std::vector<DayRow> days;
  Tokens supply_start;
  Tokens bonus, surplus_retired;
  int64_t days_stressed = 0;
  int64_t hours_without_low = 0;  // there are prices, but none to burn at
  Credits owed_max;
  int64_t wait_hours_max = 0;  // from the first settlement to the last payment, or to the end
  // Of what work was paid when it was: in basis points of its 93%, at the market's price.
  int64_t pay_bps = 0;
  int64_t worst_hour_pay_bps = 10'000;  // of the hours with enough of it to tell
  WashFigures wash;
};

class Market {
 public:
  Market(const Scenario& scenario, uint64_t seed);

  // One more day, each hour checked.
  void RunDay();
  // As it stands.
  YearFigures Figures() const;

 private:
  struct Pay {
    int128 paid = 0;      // micro-USD x 10^6 at the market
    int128 promised = 0;  // the same, as promised: 93% of what was consumed
    int64_t bps() const {
      return promised == 0 ? 10'000 : static_cast<int64_t>(paid * 10'000 / promised);
    }
  };

  struct Running {
    LeaseId id;
    Credits notional;
    bool is_wash;
  };

  void RunHour();
  void SetPrice(int64_t minutes);
  void Deliver(const Running& lease);
  void Buy(AccountId buyer);
  void Fill(AccountId buyer, AccountId provider, Credits notional, Credits surcharge);
  void Wash(int64_t index);
  void Sell();
  // Buys TOK on the market and burns it for at least so many credits; false where it cannot.
  bool TopUp(AccountId buyer, Credits credits);
  void TakePayments();
  void Take(const Payment& payment);
  void CloseDay();
  int64_t minute() const { return hour_ * 60; }

  Scenario scenario_;
  simulation::Random random_;
  Economy economy_;
  int64_t hour_ = 0;
  int64_t noise_ppm_ = 0;
  int64_t outage_hours_ = 0;      // that feeds are still silent
  std::vector<Running> running_;  // filled in the last hour, ended with it
  std::map<LeaseId, int64_t> waiting_since_;
  YearFigures figures_;
  int64_t coverage_min_ = 0;
  bool was_stressed_ = false;
  TokenPrice last_median_;
  Pay pay_, hour_pay_;
};

// The whole of it.
YearFigures RunScenario(const Scenario& scenario, uint64_t seed, int64_t days = kDaysPerYear);

}  // namespace warpbook::economics
