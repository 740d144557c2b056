// The demo's parts that need no exchange.

#include <doctest/doctest.h>

#include <chrono>
#include <fstream>

#include "absl/strings/str_cat.h"
#include "gateway/cli/demo/context.h"
#include "gateway/cli/demo/member_leases.h"
#include "schema/base/json_object.h"
#include "schema/types/decimal.h"
#include "schema/types/timestamp.h"
#include "tests/support/temporary_directory.h"

namespace warpbook::gateway {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

JsonValue Parse(const std::string& text) {
  const absl::StatusOr<JsonValue> value = JsonValue::Parse(text);
  REQUIRE_MESSAGE(value.ok(), text);
  return *value;
}

constexpr int64_t kHour = 1'796'133'600'000'000;

std::string Row(const std::string& hardware_class, const std::string& region, int hour,
                const std::string& low, const std::string& high, const char* state = "open") {
  return JsonObject()
      .Text("symbol", absl::StrCat(hardware_class, ".", region, ".", hour))
      .Text("state", state)
      .Text("hardware_class", hardware_class)
      .Text("region", region)
      .Integer("window_start", kHour + hour * kMicrosPerHour)
      .Integer("gate", kHour + hour * kMicrosPerHour + 57 * kMicrosPerMinute)
      .Text("tick", "0.05")
      .Text("band_low", low)
      .Text("band_high", high)
      .Build();
}

TEST_CASE("The market's time is carried forward at the rate that two samples show") {
  MarketClock clock;
  const steady_clock::time_point start{};
  clock.Sample(1'000'000'000, start);
  CHECK_FALSE(clock.is_ready());
  // A little late: the rate is still the whole number 60.
  clock.Sample(1'000'000'000 + 60 * 500'000, start + milliseconds(503));
  REQUIRE(clock.is_ready());
  CHECK(clock.factor() == 60);
  CHECK(clock.Now(start + milliseconds(603)) == 1'000'000'000 + 60 * 600'000);
}

TEST_CASE("After a restart the rate stays and the time is that of the next sample") {
  MarketClock clock;
  const steady_clock::time_point start{};
  clock.Sample(1'000'000, start);
  clock.Sample(31'000'000, start + milliseconds(500));
  clock.Restart();
  CHECK_FALSE(clock.is_ready());
  CHECK(clock.Now(start + milliseconds(500)) == 31'000'000);
  clock.Sample(32'000'000, start + milliseconds(10'000));
  CHECK(clock.is_ready());
  CHECK(clock.Now(start + milliseconds(10'100)) == 38'000'000);
}

TEST_CASE("Markets are the dearest classes, the headline first, each in one of two regions") {
  std::string rows;
  for (int i = 0; i < 12; ++i) {
    const std::string name = i == 0 ? "H100-SXM" : absl::StrCat("CLASS-", i);
    for (const char* region : {"us-east", "us-west", "eu-west"}) {
      absl::StrAppend(&rows, rows.empty() ? "[" : ",",
                      Row(name, region, 0, "1.00", absl::StrCat(10 + i, ".00")));
    }
  }
  Markets markets;
  REQUIRE(markets.Choose(Parse(rows + "]")).ok());
  CHECK(markets.size() == 9);
  CHECK(markets.market(markets.headline()).hardware_class == "H100-SXM");
  CHECK(markets.market(0).region == "us-east");
  CHECK(markets.market(1).hardware_class == "H100-SXM");
  CHECK(markets.market(1).region == "us-west");
  CHECK(markets.Find("CLASS-11", "us-west") < markets.size());
  CHECK(markets.Find("CLASS-1", "us-east") == markets.size());
  CHECK(markets.Find("CLASS-1", "us-west") == markets.size());
  for (size_t i = 0; i < markets.size(); ++i) CHECK(markets.market(i).region != "eu-west");
  CHECK(absl::IsNotFound(Markets().Choose(Parse("[]"))));
}

TEST_CASE("Windows are traded while they are open and their gate is some time away") {
  std::string rows = "[" + Row("A", "r", 8, "1.00", "10.00", "halted");
  for (int hour = 7; hour >= 0; --hour) {
    absl::StrAppend(&rows, ",", Row("A", "r", hour, "1.00", "10.00"));
  }
  Markets markets;
  REQUIRE(markets.Choose(Parse(rows + "]")).ok());
  auto windows = markets.Tradable(0, kHour);
  REQUIRE(windows.size() == Markets::kWindowsTraded);
  CHECK(windows.front()->symbol == "A.r.0");
  windows = markets.Tradable(0, kHour + 56 * kMicrosPerMinute);
  CHECK(windows.front()->symbol == "A.r.1");
  markets.Drop("A.r.1");
  CHECK(markets.Tradable(0, kHour + 56 * kMicrosPerMinute).front()->symbol == "A.r.2");
  CHECK_FALSE(markets.Quote("A.r.1", 1).has_value());
}

TEST_CASE("Every quote is on the tick and inside the band, however far the price wanders") {
  Markets markets;
  REQUIRE(markets.Choose(Parse("[" + Row("A", "r", 0, "0.90", "10.00") + "]")).ok());
  std::mt19937_64 random(1);
  for (int step = 0; step < 20'000; ++step) {
    markets.Walk(random);
    for (const double factor : {0.01, 0.97, 1.0, 1.03, 100.0}) {
      const auto price = markets.Quote("A.r.0", factor);
      REQUIRE(price.has_value());
      CHECK(price->value() % ParsePrice("0.05")->value() == 0);
      CHECK(*price >= *ParsePrice("0.90"));
      CHECK(*price <= *ParsePrice("10.00"));
    }
    // The range is 1.80 to 5.00; the fair price stays in its middle half.
    CHECK(markets.market(0).fair >= 2.6 - 1e-9);
    CHECK(markets.market(0).fair <= 4.2 + 1e-9);
  }
}

// A context whose loop does nothing.
struct TestContext {
  DemoOptions options;
  ClientLoop loop;
  DemoContext context{.options = options,
                      .loop = loop,
                      .run = "run",
                      .random = std::mt19937_64(1),
                      .stats = {},
                      .clock = {},
                      .markets = {},
                      .desk = nullptr,
                      .is_placing = true,
                      .failure = {}};
};

std::string Lease(uint64_t id, const std::string& state, const std::string& role, bool whole) {
  JsonObject lease;
  lease.Id("lease_id", id).Text("symbol", "A.r.0").Text("state", state).Flag("completed", false);
  lease.Text("role", role);
  if (whole) {
    lease.Integer("gpus", 4).Integer("minutes", 30).Integer("delivery_start", kHour);
    lease.Integer("delivery_end", kHour + kMicrosPerHour).Id("node", 9);
  }
  return absl::StrCat("[", lease.Build(), "]");
}

TEST_CASE("A lease is counted once, though both of its parties tell of it") {
  TestContext test;
  MemberLeases provider(test.context);
  MemberLeases buyer(test.context);
  provider.Replace(Parse("[]"));
  buyer.Replace(Parse("[]"));
  provider.OnLeases(Parse(Lease(5, "reserved", "provider", true)));
  buyer.OnLeases(Parse(Lease(5, "reserved", "buyer", true)));
  CHECK(provider.GpusSold(9, "A.r.0") == 4);
  CHECK(provider.GpusSold(9, "A.r.1") == 0);
  for (const char* state : {"active", "delivered", "settled"}) {
    provider.OnLeases(Parse(Lease(5, state, "provider", false)));
    buyer.OnLeases(Parse(Lease(5, state, "buyer", false)));
  }
  const DemoCounts& counts = test.context.stats.counts;
  CHECK(counts.fills == 1);
  CHECK(counts.gpu_minutes == 120);
  CHECK(counts.leases_delivered == 1);
  CHECK(counts.leases_failed == 0);
  CHECK(counts.leases_settled == 1);
  CHECK(provider.all().empty());
}

TEST_CASE("Leases of an earlier run are no fills of this one, and are delivered all the same") {
  TestContext test;
  MemberLeases provider(test.context);
  provider.Replace(Parse(Lease(5, "active", "provider", true)));
  CHECK(test.context.stats.counts.fills == 0);
  REQUIRE(provider.Find(5) != nullptr);
  CHECK(provider.Find(5)->state == LeaseState::kActive);
  CHECK(provider.Find(5)->node == 9);
}

TEST_CASE("A lease that is gone when the connection comes back was settled meanwhile") {
  TestContext test;
  MemberLeases buyer(test.context);
  buyer.Replace(Parse("[]"));
  buyer.OnLeases(Parse(Lease(5, "active", "buyer", true)));
  // One was filled, and one settled, while nobody listened.
  buyer.Replace(Parse(Lease(6, "reserved", "buyer", true)));
  CHECK(test.context.stats.counts.fills == 2);
  CHECK(test.context.stats.counts.leases_settled == 1);
  CHECK(buyer.Find(5) == nullptr);
  CHECK(buyer.Find(6) != nullptr);
}

TEST_CASE("A resale is a fill, and is counted once, by the one who resells") {
  TestContext test;
  MemberLeases provider(test.context);
  MemberLeases trader(test.context);
  for (MemberLeases* member : {&provider, &trader}) {
    const std::string role = member == &provider ? "provider" : "buyer";
    member->Replace(Parse("[]"));
    member->OnLeases(Parse(Lease(5, "reserved", role, true)));
    JsonObject rest;
    rest.Id("lease_id", 5).Text("symbol", "A.r.0").Text("state", "reserved").Text("role", role);
    rest.Integer("gpus", 1).Integer("resold_gpus", 3).Id("resold_as", 6);
    member->OnLeases(Parse(absl::StrCat("[", rest.Build(), "]")));
    CHECK(member->Find(5)->gpus == 1);
  }
  provider.OnLeases(Parse(Lease(6, "reserved", "provider", true)));
  const DemoCounts& counts = test.context.stats.counts;
  CHECK(counts.fills == 2);
  CHECK(counts.resales == 1);
  // The rest is resold while nobody listens: that is no settlement.
  trader.Replace(Parse("[]"));
  CHECK(trader.Find(5) == nullptr);
  CHECK(counts.leases_settled == 0);
  provider.OnLeases(Parse(Lease(5, "resold", "provider", false)));
  CHECK(provider.Find(5) == nullptr);
  CHECK(counts.leases_settled == 0);
}

TEST_CASE("Acknowledged orders are in their file at once, and counts make one JSON object") {
  const test::TemporaryDirectory directory;
  Stats stats;
  REQUIRE(stats.OpenAcknowledged(directory / "ids").ok());
  stats.OrderAcknowledged(7, AccountId(3), "run-b1-1");
  stats.OrderAcknowledged(8, AccountId(4), "run-p2-1");
  stats.Refused("order.place", "insufficient_credits");
  std::ifstream file(directory / "ids");
  std::string all((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  CHECK(all == "7 3 run-b1-1\n8 4 run-p2-1\n");
  const JsonValue json = Parse(stats.Json(1.5));
  CHECK(json["orders_acknowledged"].integer() == 2);
  CHECK(json["milliseconds"].integer() == 1'500);
  CHECK(json["refusals"]["order.place insufficient_credits"].integer() == 1);
  CHECK_FALSE(Stats().OpenAcknowledged("/nowhere/ids").ok());
}

}  // namespace
}  // namespace warpbook::gateway
