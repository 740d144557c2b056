#include "settlement/service/supply_json.h"

#include <doctest/doctest.h>

#include "gateway/client/json_value.h"
#include "schema/types/decimal.h"
#include "settlement/tokens/electricity.h"
#include "settlement/tokens/supply.h"
#include "tests/gateway/support/test_catalogue.h"

namespace warpbook::settlement {
namespace {

constexpr int64_t kDayMicros = 24 * kMicrosPerHour;
constexpr int64_t kToday = 20'788;  // 2026-12-01

gateway::JsonValue Parsed(const std::string& json) {
  auto parsed = gateway::JsonValue::Parse(json);
  REQUIRE(parsed.ok());
  return *std::move(parsed);
}

void Set(HoldingTotals& totals, Holding holding, int64_t amount) {
  totals[static_cast<size_t>(holding)] = amount;
}

// 400 million at the beginning, 100 TOK of them burned, 7 emitted.
TokenFigures Figures() {
  TokenFigures figures;
  figures.cursor.market_time = Timestamp(kToday * kDayMicros + kMicrosPerHour);
  figures.counters.genesis = kGenesisTokens;
  figures.counters.emitted = Tokens(7'000'000);
  Set(figures.totals, Holding::kIssuance, -(kGenesisTokens.value() + 7'000'000));
  Set(figures.totals, Holding::kVault, 100'000'000);
  Set(figures.totals, Holding::kOutside, kGenesisTokens.value() - 200'000'000);
  Set(figures.totals, Holding::kTokens, 106'000'000);
  Set(figures.totals, Holding::kFee, 1'000'000);
  Set(figures.totals, Holding::kIssued, -12'000'000'000);
  Set(figures.totals, Holding::kFree, 11'000'000'000);
  Set(figures.totals, Holding::kEscrow, 1'000'000'000);
  return figures;
}

void SetPrice(TokenFigures& figures, int64_t price) {
  std::array<PriceFeed, kPriceFeeds> feeds;
  feeds.fill({TokenPrice(price), figures.cursor.market_time});
  TakePrices(figures.prices, feeds, figures.cursor.market_time);
}

}  // namespace

TEST_CASE("The supply is what exists less the vault, and no more than the bound by any day") {
  const TokenFigures figures = Figures();
  const auto json = Parsed(SupplyJson(figures, std::nullopt));
  const auto& tokens = json["tokens"];
  CHECK(tokens["supply"].text() == "399999907");
  CHECK(tokens["vault"].text() == "100");
  CHECK(tokens["pool_left"].text() == "599999993");
  CHECK(tokens["cap"].text() == "1000000000");
  CHECK(tokens["daily_emission_at_most_utok"].text() ==
        std::to_string(DailyEmission(kEmissionPool - Tokens(7'000'000)).value()));
  CHECK(json["price"].is_null());
  CHECK(json["coverage"].is_null());
  CHECK(json["bound"]["until_end_of"].text() == "2027-12-01");

  // Each day's emission once more, by hand.
  Tokens left = kEmissionPool - figures.counters.emitted, emitted;
  for (int64_t day = kToday; day < kToday + 400; ++day) {
    emitted += DailyEmission(left);
    left -= DailyEmission(left);
    const auto bound = Parsed(SupplyJson(figures, day))["bound"];
    CHECK(bound["emission_at_most_utok"].text() == std::to_string(emitted.value()));
    CHECK(bound["supply_at_most_utok"].text() ==
          std::to_string((kGenesisTokens + Tokens(7'000'000) + emitted).value()));
  }
  const auto last = Parsed(SupplyJson(figures, kToday + kBoundDaysMax))["bound"];
  CHECK(ParseTokens(last["supply_at_most"].text()) <= kSupplyCap);
}

TEST_CASE("The bound holds while days wait to be closed and bonuses to be paid") {
  TokenFigures figures = Figures();
  figures.emission_day = kToday - 1;
  figures.bonus_due = Tokens(5'000'000);
  const Tokens left = kEmissionPool - Tokens(12'000'000);
  const auto bound = Parsed(SupplyJson(figures, kToday))["bound"];
  CHECK(bound["emission_at_most_utok"].text() ==
        std::to_string((Tokens(5'000'000) + EmissionBound(left, 2)).value()));
  CHECK(Parsed(SupplyJson(figures, kToday + kBoundDaysMax))["bound"]["until_end_of"].text() >
        "2126");
}

TEST_CASE("Coverage is told with its state and the price that it is at") {
  TokenFigures figures = Figures();
  SetPrice(figures, 2'000'000);  // the vault's 100 TOK are 200 USD, the credits as much
  const auto sound = Parsed(SupplyJson(figures, std::nullopt));
  CHECK(sound["price"]["median"].text() == "2.00");
  CHECK(sound["price"]["high"].text() == "2.00");
  CHECK(sound["coverage"]["bps"].integer() == 10'000);
  CHECK(sound["coverage"]["state"].text() == "sound");
  CHECK(sound["coverage"]["debt_usd"].text() == "200.00");
  Set(figures.totals, Holding::kVault, 94'000'000);
  CHECK(Parsed(SupplyJson(figures, std::nullopt))["coverage"]["state"].text() == "warning");
  Set(figures.totals, Holding::kVault, 89'000'000);
  CHECK(Parsed(SupplyJson(figures, std::nullopt))["coverage"]["state"].text() == "stressed");
  // A price of ten minutes ago is none.
  figures.cursor.market_time = figures.cursor.market_time.PlusMinutes(11);
  CHECK(Parsed(SupplyJson(figures, std::nullopt))["coverage"].is_null());
}

TEST_CASE("Each class stands beside its electricity, and is marked where the market is below it") {
  DisclosureFigures figures;
  figures.tokens = Figures();
  figures.genesis = {{LedgerAccount(Holding::kOutside), kGenesisTokens}};
  figures.owners = {
      {OwnerId(1), Credits(50)}, {OwnerId(2), Credits(30)}, {OwnerId(3), Credits(20)}};
  const Catalogue catalogue = *ParseCatalogue(gateway::kTestCatalogueText, "test");
  const HardwareClass& first = catalogue.classes[0];
  const Price floor = ElectricityFloor(first.tdp_watts, kTariffDefault);
  const auto row = [&] {
    return Parsed(DisclosuresJson(figures, catalogue, kTariffDefault))["hardware_classes"]
        .items()[0];
  };
  CHECK(row()["hardware_class"].text() == first.name);
  CHECK(row()["electricity_floor"].text() == FormatPrice(floor));
  CHECK(row()["index_price"].text() == FormatPrice(first.reference_price));
  CHECK(row()["last_price"].is_null());
  CHECK_FALSE(row()["below_floor"].flag());
  figures.last_prices[first.id] = floor;
  CHECK_FALSE(row()["below_floor"].flag());
  figures.last_prices[first.id] = floor - Price(1);
  CHECK(row()["below_floor"].flag());
  // Ten owners make an index; nine do not.
  figures.last_prices.clear();
  for (uint64_t owner = 1; owner <= 9; ++owner) {
    figures.work[first.id].push_back({OwnerId(owner), Price(1'000), Credits(100)});
  }
  CHECK(row()["index_price"].text() == FormatPrice(first.reference_price));
  figures.work[first.id].push_back({OwnerId(10), Price(1'000), Credits(100)});
  CHECK(row()["index_price"].text() == "0.001");
  CHECK(row()["below_floor"].flag());

  const auto json = Parsed(DisclosuresJson(figures, catalogue, kTariffDefault));
  CHECK(json["genesis"].items()[0]["holding"].text() == "outside");
  CHECK(json["genesis"].items()[0]["amount"].text() == "400000000");
  CHECK(json["delivered_work"]["providers"].integer() == 3);
  CHECK(json["delivered_work"]["largest_ten_bps"].integer() == 10'000);
  CHECK(json["delivered_work"]["herfindahl_bps"].integer() == 3'800);
  CHECK(json["bonds"]["bonded"].text() == "0");
  CHECK(json["slashes"]["count"].integer() == 0);
}

}  // namespace warpbook::settlement
