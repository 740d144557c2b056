// Scenario: what a year brings to the market: how much is bought each day, what TOK costs, and who
// behaves how. Nothing here reacts to what the exchange does: the paths are given, so that what is
// seen is the rules' own doing.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "tests/simulation/random.h"

namespace warpbook::economics {

inline constexpr int64_t kHoursPerDay = 24;
inline constexpr int64_t kDaysPerYear = 365;

// A value that is given at some hours, ascending, and goes straight from one to the next.
struct Knot {
  int64_t hour;
  int64_t value;
};
using Path = std::vector<Knot>;
// At a minute since the beginning, rounded towards the earlier knot; the first and the last value
// outside.
int64_t At(const Path& path, int64_t minute);

struct Scenario {
  std::string name;
  Path demand;  // USD a day, of all honest buyers
  Path price;   // micro-USD per TOK; some noise is added
  // For how many hours ahead buyers keep credits.
  int64_t prepaid_hours = 7 * kHoursPerDay;
  // At this hour every buyer spends all its credits. It buys none for a day, and then keeps few.
  std::optional<int64_t> run_hour = {};
  // Of the honest work, done by one provider, which sells its tokens at these hours alone (others
  // sell daily) and, from some hour on, delivers nothing more. Its work then stays undone.
  int64_t whale_percent = 0;
  std::vector<int64_t> whale_sells = {};
  std::optional<int64_t> whale_leaves = {};
  // Owners that trade with themselves, and for how many USD a day in all.
  int64_t wash_owners = 0;
  int64_t wash_usd = 0;
};

// The years of the README: steady, boom, bust, crash, wash, whale.
std::vector<Scenario> NamedScenarios();
// Any: demand and price go up and down by up to a factor of ten within some days.
Scenario RandomScenario(simulation::Random& random, int64_t days);

}  // namespace warpbook::economics
