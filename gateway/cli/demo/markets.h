// Markets: what the demo trades: some classes and regions of the exchange, their open windows, and
// for each a fair price that wanders inside the range that the catalogue's band was made from. The
// loop's thread owns it. Floating point is at home here: nothing of it reaches the exchange but
// decimal strings on the tick.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "gateway/client/json_value.h"
#include "schema/types/amounts.h"

namespace warpbook::gateway {

struct DemoWindow {
  std::string symbol;
  int64_t start_us = 0;
  int64_t gate_us = 0;
};

struct DemoMarket {
  std::string hardware_class, region;
  Price tick, band_low, band_high;
  std::vector<DemoWindow> windows;  // open, ascending by start
  double low = 0, high = 0;         // USD: where the fair price stays
  double fair = 0;                  // USD
};

class Markets {
 public:
  // Windows traded at a time: the current one and those that follow.
  static constexpr size_t kWindowsTraded = 5;

  // Chooses the markets from the rows of `instruments`, the dearest classes first. NotFound where
  // nothing is open.
  absl::Status Choose(const JsonValue& instruments);
  // Takes in the windows of one market.
  void Update(size_t market, const JsonValue& instruments);
  // One step of every fair price's walk.
  void Walk(std::mt19937_64& random);

  size_t size() const { return markets_.size(); }
  const DemoMarket& market(size_t index) const { return markets_[index]; }
  // The market of that class and region, or size().
  size_t Find(const std::string& hardware_class, const std::string& region) const;
  // The market of the symbol, or size().
  size_t FindSymbol(const std::string& symbol) const;
  // The one whose prices the summary shows: H100-SXM, or the first.
  size_t headline() const { return headline_; }

  // The windows to trade in at this time: still open for a while, the earliest first.
  std::vector<const DemoWindow*> Tradable(size_t market, int64_t now_us) const;
  // The symbol is no longer to be traded (the exchange said so).
  void Drop(const std::string& symbol);

  // The fair price, times `factor`, on the tick and inside the band. Later windows are a little
  // dearer.
  Price Quote(size_t market, const DemoWindow& window, double factor) const;
  // The same by symbol; nullopt where that is not open.
  std::optional<Price> Quote(const std::string& symbol, double factor) const;

 private:
  std::vector<DemoMarket> markets_;
  size_t headline_ = 0;
};

}  // namespace warpbook::gateway
