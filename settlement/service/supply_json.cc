#include "settlement/service/supply_json.h"

#include <vector>

#include "absl/strings/str_cat.h"
#include "schema/base/check.h"
#include "schema/types/decimal.h"
#include "settlement/service/amounts_json.h"
#include "settlement/tokens/concentration.h"
#include "settlement/tokens/coverage.h"
#include "settlement/tokens/electricity.h"
#include "settlement/tokens/supply.h"

namespace warpbook::settlement {
namespace {

constexpr int64_t kMicrosPerDay = 24 * kMicrosPerHour;

int64_t Total(const HoldingTotals& totals, Holding holding) {
  return totals[static_cast<size_t>(holding)];
}

// All that exists: circulating, or in the vault, from where it is paid for work.
Tokens InExistence(const HoldingTotals& totals) {
  return Tokens(-Total(totals, Holding::kIssuance));
}

Tokens PoolLeft(const SupplyCounters& counters) { return kEmissionPool - counters.emitted; }

// The vault may pay all that it holds; the bonuses that are due may be minted, and on each day from
// the one under way on all that emission can add; nothing else adds.
JsonObject BoundObject(const TokenFigures& figures, int64_t day) {
  const int64_t today = DayOf(figures.cursor.market_time);
  WARPBOOK_CHECK(day >= today && day - today <= kBoundDaysMax);
  const int64_t days = day - figures.emission_day.value_or(static_cast<int32_t>(today)) + 1;
  const Tokens emitted =
      figures.bonus_due + EmissionBound(PoolLeft(figures.counters) - figures.bonus_due, days);
  JsonObject bound;
  bound.Text("until_end_of", UtcText(Timestamp(day * kMicrosPerDay)).substr(0, 10));
  AddTokens(bound, "emission_at_most", emitted);
  AddTokens(bound, "supply_at_most", InExistence(figures.totals) + emitted);
  return bound;
}

std::string_view Name(CoverageState state) {
  switch (state) {
    case CoverageState::kSound:
      return "sound";
    case CoverageState::kWarning:
      return "warning";
    case CoverageState::kStressed:
      return "stressed";
  }
  WARPBOOK_CHECK(false);
}

// The prices of now and what they make of the vault; null where there is no price.
void AddCoverage(JsonObject& object, const TokenFigures& figures) {
  const auto quote = QuotePrices(figures.prices, figures.cursor.market_time);
  if (!quote) {
    object.Raw("price", "null").Raw("coverage", "null");
    return;
  }
  JsonObject price;
  price.Text("median", FormatTokenPrice(quote->median));
  price.Text("low", FormatTokenPrice(quote->low)).Text("high", FormatTokenPrice(quote->high));
  Credits debt;
  for (const Holding holding :
       {Holding::kFree, Holding::kLocked, Holding::kEscrow, Holding::kOwed}) {
    debt += Credits(Total(figures.totals, holding));
  }
  const int64_t bps =
      CoverageBps(Tokens(Total(figures.totals, Holding::kVault)), quote->median, debt);
  JsonObject coverage;
  coverage.Integer("bps", bps);
  // Where stress ends goes by where it began.
  coverage.Text("state", figures.coverage.empty()
                             ? Name(NextCoverageState(CoverageState::kSound, bps))
                             : std::string_view(figures.coverage));
  AddCredits(coverage, "debt", debt);
  object.Raw("price", price.Build()).Raw("coverage", coverage.Build());
}

std::string GenesisArray(const std::vector<GenesisRow>& rows) {
  std::vector<std::string> table;
  for (const GenesisRow& row : rows) {
    JsonObject object;
    object.Text("holding", InfoOf(row.account.holding()).name);
    object.IdIfAny("account", row.account.member().value());
    AddTokens(object, "amount", row.amount);
    table.push_back(object.Build());
  }
  return JsonArray(table);
}

JsonObject WorkObject(const std::vector<OwnerNotional>& owners) {
  std::vector<Credits> shares;
  Credits all;
  for (const OwnerNotional& owner : owners) {
    shares.push_back(owner.verified);
    all += owner.verified;
  }
  JsonObject work;
  work.Integer("days", kDisclosedWorkDays);
  AddCredits(work, "verified", all);
  work.Integer("providers", static_cast<int64_t>(owners.size()));
  work.Integer("largest_ten_bps", LargestShareBps(shares, kLargestProviders));
  work.Integer("herfindahl_bps", HerfindahlBps(shares));
  return work;
}

// A class beside what its electricity costs. It is below that where either price is.
std::string ClassObject(const HardwareClass& hardware_class, const DisclosureFigures& figures,
                        int64_t tariff) {
  const Price floor = ElectricityFloor(hardware_class.tdp_watts, tariff);
  const auto work = figures.work.find(hardware_class.id);
  const auto last = figures.last_prices.find(hardware_class.id);
  JsonObject object;
  object.Text("hardware_class", hardware_class.name);
  object.Integer("tdp_watts", hardware_class.tdp_watts);
  object.Text("electricity_floor", FormatPrice(floor));
  bool below = false;
  const auto add = [&](const std::string& name, std::optional<Price> price) {
    if (!price) {
      object.Raw(name, "null");
      return;
    }
    object.Text(name, FormatPrice(*price));
    below = below || *price < floor;
  };
  std::optional<Price> index;
  if (hardware_class.reference_price > Price(0)) {
    index = work == figures.work.end() ? hardware_class.reference_price
                                       : ClassIndex(work->second, hardware_class.reference_price);
  }
  add("index_price", index);
  add("last_price",
      last == figures.last_prices.end() ? std::nullopt : std::optional<Price>(last->second));
  object.Flag("below_floor", below);
  return object.Build();
}

}  // namespace

int64_t DayOf(Timestamp time) { return time.micros() / kMicrosPerDay; }

JsonObject TokensObject(const HoldingTotals& totals, const SupplyCounters& counters) {
  JsonObject tokens;
  const auto total = [&totals](Holding holding) { return Tokens(Total(totals, holding)); };
  AddTokens(tokens, "supply", InExistence(totals) - total(Holding::kVault));
  AddTokens(tokens, "vault", total(Holding::kVault));
  AddTokens(tokens, "outside", total(Holding::kOutside));
  AddTokens(tokens, "members", total(Holding::kTokens));
  AddTokens(tokens, "fee", total(Holding::kFee));
  AddTokens(tokens, "genesis", counters.genesis);
  AddTokens(tokens, "emitted", counters.emitted);
  AddTokens(tokens, "deposited", counters.deposited);
  AddTokens(tokens, "withdrawn", counters.withdrawn);
  AddTokens(tokens, "burned", counters.burned);
  AddTokens(tokens, "reminted_provider", counters.reminted_provider);
  AddTokens(tokens, "reminted_fee", counters.reminted_fee);
  AddTokens(tokens, "retired", counters.retired);
  return tokens;
}

JsonObject CreditsObject(const HoldingTotals& totals) {
  JsonObject credits;
  const auto total = [&totals](Holding holding) { return Credits(Total(totals, holding)); };
  AddCredits(credits, "issued", -total(Holding::kIssued));
  AddCredits(credits, "free", total(Holding::kFree));
  AddCredits(credits, "locked", total(Holding::kLocked));
  AddCredits(credits, "escrow", total(Holding::kEscrow));
  AddCredits(credits, "owed", total(Holding::kOwed));
  AddCredits(credits, "consumed", total(Holding::kConsumed));
  AddCredits(credits, "burned", total(Holding::kBurned));
  return credits;
}

std::string SupplyJson(const TokenFigures& figures, std::optional<int64_t> day) {
  const Tokens pool = PoolLeft(figures.counters);
  JsonObject tokens = TokensObject(figures.totals, figures.counters);
  AddTokens(tokens, "cap", kSupplyCap);
  AddTokens(tokens, "pool_left", pool);
  AddTokens(tokens, "daily_emission_at_most", DailyEmission(pool));
  JsonObject object;
  object.Text("market_time", UtcText(figures.cursor.market_time));
  object.Raw("tokens", tokens.Build());
  object.Raw("credits", CreditsObject(figures.totals).Build());
  const int64_t bounded = day.value_or(DayOf(figures.cursor.market_time) + kBoundDaysDefault);
  object.Raw("bound", BoundObject(figures, bounded).Build());
  AddCoverage(object, figures);
  return object.Build();
}

std::string DisclosuresJson(const DisclosureFigures& figures, const Catalogue& catalogue,
                            int64_t tariff) {
  JsonObject object;
  object.Text("market_time", UtcText(figures.tokens.cursor.market_time));
  object.Text("supply", "/api/v1/supply");
  object.Raw("genesis", GenesisArray(figures.genesis));
  object.Raw("delivered_work", WorkObject(figures.owners).Build());
  // There are none yet: providers' limits are an operator's.
  JsonObject bonds;
  AddTokens(bonds, "bonded", Tokens(0));
  JsonObject slashes;
  slashes.Integer("count", 0);
  AddTokens(slashes, "slashed", Tokens(0));
  AddTokens(slashes, "burned", Tokens(0));
  object.Raw("bonds", bonds.Build()).Raw("slashes", slashes.Build());
  object.Text("put", "Credits are in effect a put on TOK, paid by the vault and then by emission.");
  object.Text("tariff_usd_per_kwh", FormatPrice(Price(tariff)));
  std::vector<std::string> classes;
  for (const HardwareClass& hardware_class : catalogue.classes) {
    classes.push_back(ClassObject(hardware_class, figures, tariff));
  }
  object.Raw("hardware_classes", JsonArray(classes));
  return object.Build();
}

}  // namespace warpbook::settlement
