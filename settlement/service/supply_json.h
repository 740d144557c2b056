// What is disclosed of the tokens to everybody, as JSON (2-tokens of the design, Disclosure). Pure
// functions of what was read.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "schema/base/json_object.h"
#include "schema/catalogue/catalogue.h"
#include "settlement/store/report_queries.h"

namespace warpbook::settlement {

// For how far ahead the supply is bounded, and how far ahead where nobody says a day.
inline constexpr int64_t kBoundDaysMax = 36'525;  // a hundred years
inline constexpr int64_t kBoundDaysDefault = 365;
// The largest providers whose share is told together.
inline constexpr size_t kLargestProviders = 10;

// Supply, vault, outside, members, fee, and each counter: what `summary` and /supply share.
JsonObject TokensObject(const HoldingTotals& totals, const SupplyCounters& counters);
JsonObject CreditsObject(const HoldingTotals& totals);

// Whole days since 1970, of the market.
int64_t DayOf(Timestamp time);

// `day`: whose end the supply is bounded for; none: so many days ahead as are said above. It is
// today or later, at most kBoundDaysMax ahead (CHECKed).
std::string SupplyJson(const TokenFigures& figures, std::optional<int64_t> day);

// `tariff`: micro-USD per kWh.
std::string DisclosuresJson(const DisclosureFigures& figures, const Catalogue& catalogue,
                            int64_t tariff);

}  // namespace warpbook::settlement
