// The loader: what it reads, and one sentence for each way in which a file can be wrong.
#include "schema/catalogue/catalogue.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace warpbook {
namespace {

// Line numbers of the messages below count from the first line here.
constexpr std::string_view kGood =
    "# A small market.\n"
    "[market]\n"                   // 2
    "windows_ahead = 6\n"          // 3
    "notice_seconds = 120\n"       // 4
    "gate_minutes = 3\n"           // 5
    "\n"                           //
    "[region us-east]\n"           // 7
    "id = 1\n"                     // 8
    "[region eu-west]  # later\n"  // 9
    "id = 3\n"                     // 10
    "\n"                           //
    "[class H100-SXM]\n"           // 12
    "id = 9\n"                     // 13
    "memory_gb = 80\n"             // 14
    "int8_dense_tops = 1979\n"     // 15
    "memory_gb_per_s = 3350\n"     // 16
    "tdp_watts = 700\n"            // 17
    "window_minutes = 60\n"        // 18
    "tradable = yes\n"             // 19
    "tick = 0.02 # a comment\n"    // 20
    "band_low = 1.00\n"            // 21
    "band_high = 10.00\n"          // 22
    "reference_price = 2.50\n"     // 23
    "[class T4]\n"                 // 24
    "\tid\t=\t2\t\n"               // 25
    "memory_gb = 16\n"             // 26
    "memory_gb_per_s = 320\n"      // 27
    "tdp_watts = 70\n"             // 28
    "window_minutes = 30\n"        // 29
    "tradable = no\n";             // 30

std::string With(std::string_view from, std::string_view to) {
  std::string text(kGood);
  const size_t at = text.find(from);
  REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

std::string Fault(const std::string& text) {
  const auto catalogue = ParseCatalogue(text, "c.conf");
  if (catalogue.ok()) return "no fault";
  CHECK(catalogue.status().code() == absl::StatusCode::kInvalidArgument);
  return std::string(catalogue.status().message());
}

TEST_CASE("A good catalogue is read whole, ascending by id") {
  const auto catalogue = ParseCatalogue(kGood, "c.conf");
  REQUIRE(catalogue.ok());
  CHECK(catalogue->windows_ahead == 6);
  CHECK(catalogue->notice_seconds == 120);
  CHECK(catalogue->gate_minutes == 3);
  REQUIRE(catalogue->regions.size() == 2);
  CHECK(catalogue->regions[0].name == "us-east");
  CHECK(catalogue->regions[1].id == RegionId(3));
  REQUIRE(catalogue->classes.size() == 2);
  const HardwareClass& t4 = catalogue->classes[0];
  CHECK(t4.name == "T4");
  CHECK(t4.id == ClassId(2));
  CHECK_FALSE(t4.tradable);
  CHECK(t4.int8_dense_tops == 0);
  CHECK(t4.tick == Price(0));
  CHECK(t4.window_minutes == Minutes(30));
  const HardwareClass& h100 = catalogue->classes[1];
  CHECK(h100.name == "H100-SXM");
  CHECK(h100.tradable);
  CHECK(h100.memory_gb == 80);
  CHECK(h100.int8_dense_tops == 1979);
  CHECK(h100.memory_gb_per_s == 3350);
  CHECK(h100.tdp_watts == 700);
  CHECK(h100.tick == Price(20'000));
  CHECK(h100.band_low == Price(1'000'000));
  CHECK(h100.band_high == Price(10'000'000));
  CHECK(h100.reference_price == Price(2'500'000));
}

TEST_CASE("Classes and regions are found by id and by name, and others are not") {
  const auto catalogue = ParseCatalogue(kGood, "c.conf");
  REQUIRE(catalogue.ok());
  CHECK(catalogue->FindClass(ClassId(9)) == &catalogue->classes[1]);
  CHECK(catalogue->FindClass("T4") == &catalogue->classes[0]);
  CHECK(catalogue->FindRegion(RegionId(1)) == &catalogue->regions[0]);
  CHECK(catalogue->FindRegion("eu-west") == &catalogue->regions[1]);
  CHECK(catalogue->FindClass(ClassId(0)) == nullptr);
  CHECK(catalogue->FindClass("t4") == nullptr);
  CHECK(catalogue->FindClass("") == nullptr);
  CHECK(catalogue->FindRegion(RegionId(2)) == nullptr);
  CHECK(catalogue->FindRegion("us") == nullptr);
}

TEST_CASE("The market may stand behind the classes that its gate is checked against") {
  const std::string market =
      "[market]\nwindows_ahead = 6\nnotice_seconds = 120\ngate_minutes = 3\n";
  const std::string rest = With(market, "");
  CHECK(Fault(rest + market) == "no fault");
  CHECK(Fault(rest + "[market]\nwindows_ahead = 6\nnotice_seconds = 120\ngate_minutes = 40\n") ==
        "c.conf:25: class T4: window_minutes: \"30\" is not longer than gate_minutes");
}

TEST_CASE("A last line without an end counts") {
  std::string text(kGood);
  text.pop_back();
  CHECK(Fault(text) == "no fault");
  CHECK(Fault(text + "x") == "c.conf:30: class T4: tradable: \"nox\" is neither yes nor no");
}

struct FaultCase {
  std::string_view from;
  std::string_view to;
  std::string_view message;
};

void CheckFaults(const std::vector<FaultCase>& cases) {
  for (const FaultCase& c : cases) {
    CAPTURE(c.from);
    CAPTURE(c.to);
    CHECK(Fault(With(c.from, c.to)) == c.message);
  }
}

TEST_CASE("A line that is no line of a catalogue is named") {
  CheckFaults({
      {"windows_ahead = 6", "windows_ahead", "c.conf:3: \"windows_ahead\" is not \"key = value\""},
      {"windows_ahead = 6", "= 6", "c.conf:3: \"= 6\" is not \"key = value\""},
      {"windows_ahead = 6", "windows_ahead =", "c.conf:3: market: windows_ahead: has no value"},
      {"windows_ahead = 6", "windows_ahead = # 6", "c.conf:3: market: windows_ahead: has no value"},
      {"# A small", "id = 1 #", "c.conf:1: id: stands before the first [section]"},
      {"[market]", "[market", "c.conf:2: \"[market\" is not a [section]"},
      {"[market]", "[]", "c.conf:2: \"[]\" is not a [section]"},
      {"[market]", "[", "c.conf:2: \"[\" is not a [section]"},
      {"[market]", "[market] x", "c.conf:2: \"[market] x\" is not a [section]"},
      {"[region us-east]", "[region us east]", "c.conf:7: \"[region us east]\" is not a [section]"},
      {"id = 3\n", "id = 3\r\n", "c.conf:10: character 7 is not printable ASCII"},
      {"A small", "\xc3\xa4", "c.conf:1: character 3 is not printable ASCII"},
      {"id = 3", std::string_view("id = \0", 6), "c.conf:10: character 6 is not printable ASCII"},
  });
}

TEST_CASE("A section that is unknown, missing or there twice is named") {
  CheckFaults({
      {"[market]", "[markets]", "c.conf:2: markets: there is no such section"},
      {"[market]", "[market one]", "c.conf:2: market one: this section has no name"},
      {"[region us-east]", "[Region us-east]",
       "c.conf:7: Region us-east: there is no such section"},
      {"[region eu-west]", "[region us-east]", "c.conf:9: region us-east: given before, in line 7"},
      {"[class T4]", "[class H100-SXM]", "c.conf:24: class H100-SXM: given before, in line 12"},
  });
  CHECK(Fault("") == "c.conf: there is no [market] section");
  CHECK(Fault("[market]\nwindows_ahead=1\nnotice_seconds=0\ngate_minutes=1\n") ==
        "c.conf: there is no [region] section");
  CHECK(Fault("[market]\nwindows_ahead=1\nnotice_seconds=0\ngate_minutes=1\n[region a]\nid=1") ==
        "c.conf: there is no [class] section");
}

TEST_CASE("A name with characters that symbols cannot carry is refused") {
  const std::string region = "a region's name is 1 to 32 lower-case letters, digits and inner '-'";
  const std::string hardware = "a class's name is 1 to 32 upper-case letters, digits and inner '-'";
  for (const std::string name :
       {"US", "us.east", "-us", "us-", "us_east", "a23456789012345678901234567890123"}) {
    CHECK(Fault(With("[region us-east]", "[region " + name + "]")) ==
          "c.conf:7: region " + name + ": " + region);
  }
  CHECK(Fault(With("[region us-east]", "[region]")) == "c.conf:7: region: " + region);
  for (const std::string name : {"h100", "H100.SXM", "-H", "H-", "H_1"}) {
    CHECK(Fault(With("[class H100-SXM]", "[class " + name + "]")) ==
          "c.conf:12: class " + name + ": " + hardware);
  }
  CHECK(Fault(With("[class H100-SXM]", "[class A2345678901234567890123456789012]")) == "no fault");
}

TEST_CASE("A key that is unknown, missing or there twice is named") {
  CheckFaults({
      {"windows_ahead = 6", "windows = 6", "c.conf:2: market: windows_ahead: is missing"},
      {"gate_minutes = 3", "gate_minutes = 3\ngate = 3",
       "c.conf:6: market: gate: there is no such key"},
      {"gate_minutes = 3", "Gate_minutes = 3", "c.conf:2: market: gate_minutes: is missing"},
      {"tdp_watts = 70\n", "tdp_watts = 70\ntdp_watts = 70\n",
       "c.conf:29: class T4: tdp_watts: given before, in line 28"},
      {"id = 9\n", "", "c.conf:12: class H100-SXM: id: is missing"},
      {"memory_gb = 80\n", "", "c.conf:12: class H100-SXM: memory_gb: is missing"},
      {"memory_gb_per_s = 3350\n", "", "c.conf:12: class H100-SXM: memory_gb_per_s: is missing"},
      {"tdp_watts = 700\n", "", "c.conf:12: class H100-SXM: tdp_watts: is missing"},
      {"window_minutes = 60\n", "", "c.conf:12: class H100-SXM: window_minutes: is missing"},
      {"tradable = yes\n", "", "c.conf:12: class H100-SXM: tradable: is missing"},
      {"tick = 0.02", "#", "c.conf:12: class H100-SXM: tick: is missing"},
      {"band_low = 1.00\n", "", "c.conf:12: class H100-SXM: band_low: is missing"},
      {"band_high = 10.00\n", "", "c.conf:12: class H100-SXM: band_high: is missing"},
      {"reference_price = 2.50\n", "", "c.conf:12: class H100-SXM: reference_price: is missing"},
      {"id = 3", "id = 3\nname = x", "c.conf:11: region eu-west: name: there is no such key"},
      // A class that is not tradable gives all of its prices or none.
      {"tradable = no", "tradable = no\ntick = 0.01", "c.conf:24: class T4: band_low: is missing"},
  });
}

TEST_CASE("A malformed number or word is named with its value") {
  CheckFaults({
      {"id = 9", "id = nine", "c.conf:13: class H100-SXM: id: \"nine\" is not a whole number"},
      {"id = 9", "id = -9", "c.conf:13: class H100-SXM: id: \"-9\" is not a whole number"},
      {"id = 9", "id = +9", "c.conf:13: class H100-SXM: id: \"+9\" is not a whole number"},
      {"id = 9", "id = 09", "c.conf:13: class H100-SXM: id: \"09\" is not a whole number"},
      {"id = 9", "id = 0x9", "c.conf:13: class H100-SXM: id: \"0x9\" is not a whole number"},
      {"id = 9", "id = 9.0", "c.conf:13: class H100-SXM: id: \"9.0\" is not a whole number"},
      {"id = 9", "id = 1e1", "c.conf:13: class H100-SXM: id: \"1e1\" is not a whole number"},
      {"id = 9", "id = 9 9", "c.conf:13: class H100-SXM: id: \"9 9\" is not a whole number"},
      {"id = 9", "id = 99999999999999999999",
       "c.conf:13: class H100-SXM: id: \"99999999999999999999\" is not a whole number"},
      {"tick = 0.02", "tick = .02",
       "c.conf:20: class H100-SXM: tick: \".02\" is not a decimal number with at most 6 digits "
       "behind the point"},
      {"tick = 0.02", "tick = 0.0200000",
       "c.conf:20: class H100-SXM: tick: \"0.0200000\" is not a decimal number with at most 6 "
       "digits behind the point"},
      {"tick = 0.02", "tick = 0,02",
       "c.conf:20: class H100-SXM: tick: \"0,02\" is not a decimal number with at most 6 digits "
       "behind the point"},
      {"tradable = yes", "tradable = true",
       "c.conf:19: class H100-SXM: tradable: \"true\" is neither yes nor no"},
  });
}

TEST_CASE("A number outside its range is named with the range") {
  CheckFaults({
      {"windows_ahead = 6", "windows_ahead = 0",
       "c.conf:3: market: windows_ahead: \"0\" is outside 1..168"},
      {"windows_ahead = 6", "windows_ahead = 169",
       "c.conf:3: market: windows_ahead: \"169\" is outside 1..168"},
      {"notice_seconds = 120", "notice_seconds = 3601",
       "c.conf:4: market: notice_seconds: \"3601\" is outside 0..3600"},
      {"gate_minutes = 3", "gate_minutes = 0",
       "c.conf:5: market: gate_minutes: \"0\" is outside 1..120"},
      {"gate_minutes = 3", "gate_minutes = 121",
       "c.conf:5: market: gate_minutes: \"121\" is outside 1..120"},
      {"id = 9", "id = 0", "c.conf:13: class H100-SXM: id: \"0\" is outside 1..65535"},
      {"id = 9", "id = 65536", "c.conf:13: class H100-SXM: id: \"65536\" is outside 1..65535"},
      {"memory_gb = 80", "memory_gb = 0",
       "c.conf:14: class H100-SXM: memory_gb: \"0\" is outside 1..1000000"},
      {"int8_dense_tops = 1979", "int8_dense_tops = 1000001",
       "c.conf:15: class H100-SXM: int8_dense_tops: \"1000001\" is outside 1..1000000"},
      {"window_minutes = 60", "window_minutes = 1441",
       "c.conf:18: class H100-SXM: window_minutes: \"1441\" is outside 1..1440"},
      {"tick = 0.02", "tick = 0",
       "c.conf:20: class H100-SXM: tick: \"0\" is not above 0 and at most 10000.00"},
      {"band_high = 10.00", "band_high = 10000.02",
       "c.conf:22: class H100-SXM: band_high: \"10000.02\" is not above 0 and at most 10000.00"},
  });
}

TEST_CASE("Values that do not fit each other are named") {
  CheckFaults({
      {"gate_minutes = 3", "gate_minutes = 2",
       "c.conf:5: market: gate_minutes: \"2\" is less than notice_seconds and one minute more"},
      {"notice_seconds = 120", "notice_seconds = 121",
       "c.conf:5: market: gate_minutes: \"3\" is less than notice_seconds and one minute more"},
      {"window_minutes = 60", "window_minutes = 3",
       "c.conf:18: class H100-SXM: window_minutes: \"3\" is not longer than gate_minutes"},
      {"id = 3", "id = 1", "c.conf:10: region eu-west: id: \"1\" is the id of us-east already"},
      {"\tid\t=\t2\t", "id = 9", "c.conf:25: class T4: id: \"9\" is the id of H100-SXM already"},
      {"tick = 0.02", "tick = 0.0205",
       "c.conf:20: class H100-SXM: tick: \"0.0205\" is not a multiple of 0.001"},
      {"band_low = 1.00", "band_low = 1.01",
       "c.conf:21: class H100-SXM: band_low: \"1.01\" is not a multiple of the tick 0.02"},
      {"band_high = 10.00", "band_high = 9.99",
       "c.conf:22: class H100-SXM: band_high: \"9.99\" is not a multiple of the tick 0.02"},
      {"reference_price = 2.50", "reference_price = 2.51",
       "c.conf:23: class H100-SXM: reference_price: \"2.51\" is not a multiple of the tick 0.02"},
      {"band_high = 10.00", "band_high = 0.98",
       "c.conf:22: class H100-SXM: band_high: \"0.98\" is below band_low"},
      {"reference_price = 2.50", "reference_price = 0.98",
       "c.conf:23: class H100-SXM: reference_price: \"0.98\" is outside the band"},
      {"reference_price = 2.50", "reference_price = 10.02",
       "c.conf:23: class H100-SXM: reference_price: \"10.02\" is outside the band"},
      {"window_minutes = 60", "window_minutes = 4", "no fault"},
      {"notice_seconds = 120", "notice_seconds = 0", "no fault"},
      {"band_high = 10.00", "band_high = 2.50", "no fault"},
  });
}

TEST_CASE("The same id may stand for a class and for a region") {
  CHECK(Fault(With("\tid\t=\t2\t", "id = 1")) == "no fault");
}

TEST_CASE("Every catalogue cut short is read or refused, never worse") {
  for (size_t length = 0; length <= kGood.size(); ++length) {
    const auto catalogue = ParseCatalogue(kGood.substr(0, length), "c.conf");
    if (!catalogue.ok()) CHECK(catalogue.status().message().substr(0, 6) == "c.conf");
  }
}

TEST_CASE("A file that is not there or not a file says so with its path") {
  const auto missing = LoadCatalogue("/nonexistent/c.conf");
  CHECK(missing.status().message() ==
        "/nonexistent/c.conf: cannot read the catalogue: No such file or directory");
  CHECK(missing.status().code() == absl::StatusCode::kUnavailable);
  CHECK(LoadCatalogue("/").status().message() == "/: cannot read the catalogue: Is a directory");
}

TEST_CASE("A file without an end is refused by its size") {
  CHECK(LoadCatalogue("/dev/zero").status().message() ==
        "/dev/zero: the catalogue is larger than 1 MiB");
}

}  // namespace
}  // namespace warpbook
