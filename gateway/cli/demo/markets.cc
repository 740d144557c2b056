#include "gateway/cli/demo/markets.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <set>

#include "schema/types/decimal.h"
#include "schema/types/timestamp.h"

namespace warpbook::gateway {
namespace {

constexpr size_t kClasses = 8;
constexpr const char* kHeadlineClass = "H100-SXM";
// A window is left alone when its gate is nearer than this.
constexpr int64_t kTimeLeftMin = 2 * kMicrosPerMinute;
// How much dearer each hour ahead is.
constexpr double kForwardSlope = 0.004;
// One step of the walk, and how strongly it is drawn back to the middle.
constexpr double kStep = 0.0015;
constexpr double kReversion = 0.01;

double Usd(Price price) { return static_cast<double>(price.value()) / kMicroUsdPerUsd; }

Price FieldPrice(const JsonValue& row, std::string_view field) {
  return ParsePrice(row[field].text()).value_or(Price(0));
}

DemoMarket MakeMarket(const JsonValue& row) {
  DemoMarket market;
  market.hardware_class = row["hardware_class"].text();
  market.region = row["region"].text();
  market.tick = FieldPrice(row, "tick");
  market.band_low = FieldPrice(row, "band_low");
  market.band_high = FieldPrice(row, "band_high");
  // The band is half the range's low to twice its high (schema/catalogue/catalogue.conf); prices
  // stay in its middle half, as the range's ends are of different kinds of offers.
  const double low = Usd(market.band_low) * 2;
  const double high = Usd(market.band_high) / 2;
  market.fair = (low + high) / 2;
  market.low = market.fair - (high - low) / 4;
  market.high = market.fair + (high - low) / 4;
  return market;
}

}  // namespace

absl::Status Markets::Choose(const JsonValue& instruments) {
  std::map<std::string, std::map<std::string, DemoMarket>> found;  // class, then region
  std::vector<std::string> regions;
  for (const JsonValue& row : instruments.items()) {
    DemoMarket market = MakeMarket(row);
    if (market.tick.value() <= 0) continue;
    if (std::find(regions.begin(), regions.end(), market.region) == regions.end()) {
      regions.push_back(market.region);
    }
    found[market.hardware_class].emplace(market.region, market);
  }
  if (found.empty()) return absl::NotFoundError("the exchange has no open instruments");
  std::vector<std::string> classes;
  for (const auto& [name, by_region] : found) classes.push_back(name);
  std::sort(classes.begin(), classes.end(), [&](const std::string& a, const std::string& b) {
    const auto rank = [&](const std::string& name) {
      return std::pair(name == kHeadlineClass, found[name].begin()->second.fair);
    };
    return rank(a) > rank(b);
  });
  classes.resize(std::min(classes.size(), kClasses));
  // Each class in one region, the first class in two: the first two regions in turn.
  markets_.clear();
  for (size_t i = 0; i < classes.size(); ++i) {
    for (size_t k = 0; k < (i == 0 ? 2 : 1); ++k) {
      const auto& by_region = found[classes[i]];
      const auto place = by_region.find(regions[(i + k) % std::min<size_t>(regions.size(), 2)]);
      const DemoMarket& market = (place == by_region.end() ? by_region.begin() : place)->second;
      if (Find(market.hardware_class, market.region) == size()) markets_.push_back(market);
    }
  }
  for (size_t i = 0; i < size(); ++i) Update(i, instruments);
  return absl::OkStatus();
}

void Markets::Update(size_t index, const JsonValue& instruments) {
  DemoMarket& market = markets_[index];
  market.windows.clear();
  for (const JsonValue& row : instruments.items()) {
    if (row["hardware_class"].text() != market.hardware_class ||
        row["region"].text() != market.region || row["state"].text() != "open") {
      continue;
    }
    market.windows.push_back(
        {row["symbol"].text(), row["window_start"].integer(), row["gate"].integer()});
  }
  std::sort(market.windows.begin(), market.windows.end(),
            [](const DemoWindow& a, const DemoWindow& b) { return a.start_us < b.start_us; });
}

void Markets::Walk(std::mt19937_64& random) {
  std::normal_distribution<double> noise(0, kStep);
  for (DemoMarket& market : markets_) {
    const double middle = (market.low + market.high) / 2;
    market.fair += market.fair * noise(random) + (middle - market.fair) * kReversion;
    market.fair = std::clamp(market.fair, market.low, market.high);
  }
}

size_t Markets::Find(const std::string& hardware_class, const std::string& region) const {
  size_t index = 0;
  while (index < size() &&
         (markets_[index].hardware_class != hardware_class || markets_[index].region != region)) {
    ++index;
  }
  return index;
}

size_t Markets::FindSymbol(const std::string& symbol) const {
  size_t index = 0;
  while (index < size() &&
         !symbol.starts_with(markets_[index].hardware_class + "." + markets_[index].region + ".")) {
    ++index;
  }
  return index;
}

std::vector<const DemoWindow*> Markets::Tradable(size_t market, int64_t now_us) const {
  std::vector<const DemoWindow*> windows;
  for (const DemoWindow& window : markets_[market].windows) {
    if (windows.size() == kWindowsTraded) break;
    if (window.gate_us > now_us + kTimeLeftMin) windows.push_back(&window);
  }
  return windows;
}

void Markets::Drop(const std::string& symbol) {
  const size_t index = FindSymbol(symbol);
  if (index == size()) return;
  std::erase_if(markets_[index].windows,
                [&](const DemoWindow& window) { return window.symbol == symbol; });
}

Price Markets::Quote(size_t index, const DemoWindow& window, double factor) const {
  const DemoMarket& market = markets_[index];
  const int64_t first = market.windows.empty() ? window.start_us : market.windows[0].start_us;
  const double hours = static_cast<double>(window.start_us - first) / kMicrosPerHour;
  const double usd = market.fair * (1 + kForwardSlope * hours) * factor;
  const double tick = Usd(market.tick);
  const auto ticks = static_cast<int64_t>(std::llround(usd / tick));
  return std::clamp(Price(ticks * market.tick.value()), market.band_low, market.band_high);
}

std::optional<Price> Markets::Quote(const std::string& symbol, double factor) const {
  const size_t index = FindSymbol(symbol);
  if (index == size()) return std::nullopt;
  for (const DemoWindow& window : markets_[index].windows) {
    if (window.symbol == symbol) return Quote(index, window, factor);
  }
  return std::nullopt;
}

}  // namespace warpbook::gateway
