// memory_bench: what the engine's state takes in memory, and what opening and closing windows takes
// in time. One engine with all windows open and a million resting orders; then all windows end, and
// as many open again. Sizes are what malloc has given out; RSS is the process's, which is the
// engine and next to nothing else.
#include <malloc.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "engine/core/engine.h"
#include "engine/core/id_index.h"
#include "engine/core/order.h"
#include "engine/core/price_ladder.h"
#include "schema/base/check.h"
#include "schema/types/client_order_id.h"
#include "tests/bench/market.h"
#include "tests/bench/resting_market.h"

namespace warpbook::bench {
namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr double kMebibyte = 1'024 * 1'024;

// Given out by malloc and not given back.
size_t InUse() {
  const struct mallinfo2 info = mallinfo2();
  return info.uordblks + info.hblkhd;
}

size_t Rss() {
  std::ifstream file("/proc/self/statm");
  size_t total = 0, resident = 0;
  file >> total >> resident;
  WARPBOOK_CHECK(bool{file});
  return resident * static_cast<size_t>(sysconf(_SC_PAGESIZE));
}

double MicrosSince(SteadyClock::time_point start) {
  return std::chrono::duration<double, std::micro>(SteadyClock::now() - start).count();
}

// An engine that is driven command by command, and a market for it.
class Driver {
 public:
  explicit Driver(const MarketSize& size) : market_(size), engine_(market_.limits()) {}

  const Market& market() const { return market_; }
  void SetUp() {
    for (const wire::CommandRecord& command : market_.SetUp()) Apply(command);
  }
  template <typename Command>
  void Apply(Command command, int64_t time_us) {
    command.mutable_header().mutate_sequence(engine_.last_sequence().value() + 1);
    command.mutable_header().mutate_time_us(time_us);
    Apply(wire::CommandRecord(command));
  }
  // A record that has its sequence and time. Nothing is refused.
  void Apply(const wire::CommandRecord& command) {
    events_.Clear();
    engine_.Apply(command.view(), 0, events_);
    for (const wire::RecordView event : wire::Records(events_.bytes())) {
      WARPBOOK_CHECK(event.type() != wire::RecordType::kCommandRejected);
    }
  }

 private:
  Market market_;
  engine::Engine engine_;
  wire::RecordWriter events_;
};

void PrintRss(const char* when) {
  std::printf("%-48s RSS %7.1f MiB, in use %7.1f MiB\n", when,
              static_cast<double>(Rss()) / kMebibyte, static_cast<double>(InUse()) / kMebibyte);
}

// ---- All windows, many orders ----

// The market's windows from instrument `first` on (0-based), as many as may be open at once.
void OpenAll(Driver& driver, uint32_t first, int64_t now) {
  const size_t before = InUse();
  const SteadyClock::time_point start = SteadyClock::now();
  for (uint32_t i = 0; i < kAllInstruments; ++i) {
    driver.Apply(driver.market().OpenCommand(first + i), now);
  }
  const double micros = MicrosSince(start);
  std::printf("%-48s %.2f us, %.0f bytes\n", "  one window opens", micros / kAllInstruments,
              static_cast<double>(InUse() - before) / kAllInstruments);
}

void PlaceOrders(Driver& driver, uint32_t first, uint32_t orders, int64_t now) {
  std::mt19937 random(1);
  const uint32_t levels = LevelsFor(orders / kAllInstruments);
  const size_t before = InUse();
  const SteadyClock::time_point start = SteadyClock::now();
  for (uint32_t i = 0; i < orders; ++i) {
    const bool ask = i / kAllInstruments % 2 == 1;
    driver.Apply(
        RestingOrder(driver.market(), i, 1 + first + i % kAllInstruments, ask, levels, random),
        now);
  }
  const double micros = MicrosSince(start);
  std::printf("%-48s %.2f us, %.0f bytes with all its indexes\n", "  one order comes to rest",
              micros / orders, static_cast<double>(InUse() - before) / orders);
}

// Hour by hour: the orders expire at the gates, and the windows close at their end.
void CloseAll(Driver& driver, uint32_t first, uint32_t orders) {
  double expiry_micros = 0, close_micros = 0;
  for (uint32_t hour = 0; hour < kWindowsLive; ++hour) {
    const int64_t end =
        driver.market().OpenCommand(first + hour * kClasses * kRegions).window_start_us() +
        kWindowMicros;
    SteadyClock::time_point start = SteadyClock::now();
    driver.Apply(wire::Tick{}, end);
    expiry_micros += MicrosSince(start);
    start = SteadyClock::now();
    for (uint32_t i = 0; i < kClasses * kRegions; ++i) {
      wire::CloseInstrument close;
      close.mutate_instrument_id(1 + first + hour * kClasses * kRegions + i);
      driver.Apply(close, end);
    }
    close_micros += MicrosSince(start);
  }
  std::printf("%-48s %.2f us for each order\n", "  one window's orders expire",
              expiry_micros / orders);
  std::printf("%-48s %.2f us\n", "  one window closes", close_micros / kAllInstruments);
}

void MeasureLife(uint32_t orders) {
  // Windows of which the market opens none itself.
  MarketSize size = kFullMarket;
  size.instruments = kAllInstruments;
  Driver driver(size);
  PrintRss("An empty engine");
  std::vector<wire::CommandRecord> setup = Market(size).SetUp();
  setup.resize(setup.size() - kAllInstruments);
  for (const wire::CommandRecord& command : setup) driver.Apply(command);
  setup = {};
  malloc_trim(0);
  PrintRss("10,000 accounts, 5,000 nodes");
  int64_t now = kStart;
  uint32_t first = 0;
  for (const char* when :
       {"6,552 windows, resting orders in all", "The same again, in later windows"}) {
    OpenAll(driver, first, now);
    PlaceOrders(driver, first, orders, now);
    PrintRss(when);
    CloseAll(driver, first, orders);
    PrintRss("All windows closed");
    first += kAllInstruments;
    now = driver.market().OpenCommand(first).window_start_us();
  }
}

// ---- Parts ----

void PrintParts(uint32_t orders) {
  std::printf(
      "Parts: an order %zu bytes, a price level %zu, a ladder's node %zu, a client order id %zu\n",
      sizeof(engine::Order), sizeof(engine::PriceLevel), sizeof(engine::LadderMemory::Node),
      sizeof(ClientOrderId));
  size_t before = InUse();
  engine::BlockPool<engine::Order> pool;
  std::vector<engine::Order*> made;
  made.reserve(orders);
  const size_t list = InUse() - before;
  for (uint32_t i = 0; i < orders; ++i) {
    made.push_back(pool.Acquire());
    made.back()->id = OrderId(i + 1);
  }
  std::printf("  the pool of %u orders: %.1f bytes for each\n", orders,
              static_cast<double>(InUse() - before - list) / orders);
  before = InUse();
  engine::IdIndex<engine::Order> index;
  for (engine::Order* order : made) index.Insert(order);
  std::printf("  the index of their ids: %.1f bytes for each\n",
              static_cast<double>(InUse() - before) / orders);
}

// In each book two bids: beside each other, or at the two ends of a band of 2,000,000 ticks.
void MeasureFarPrice() {
  static_assert(kBandTicksMax == 2'000'000);
  for (const int64_t ticks : {1, 1'999'999}) {
    MarketSize size;
    size.instruments = kAllInstruments;
    size.band_ticks = kBandTicksMax;
    Driver driver(size);
    driver.SetUp();
    const size_t before = InUse();
    for (uint32_t instrument = 1; instrument <= kAllInstruments; ++instrument) {
      driver.Apply(driver.market().Bid(1, instrument, kTick, 1), kStart);
      driver.Apply(driver.market().Bid(2, instrument, (1 + ticks) * kTick, 1), kStart);
    }
    std::printf("Two bids %9ld ticks apart: %.0f bytes in all\n", ticks,
                static_cast<double>(InUse() - before) / kAllInstruments);
  }
}

// What is in use while so many orders rest in one book, and after they have expired; of it, what is
// there since the market's setup.
struct OneBook {
  double resting = 0, expired = 0;
};
OneBook MeasureOneBook(uint32_t orders, bool named) {
  Driver driver(kFullMarket);
  driver.SetUp();
  std::mt19937 random(1);
  const size_t before = InUse();
  for (uint32_t i = 0; i < orders; ++i) {
    wire::PlaceOrder place =
        RestingOrder(driver.market(), i, 1, i % 2 == 1, LevelsFor(orders), random);
    if (named) {
      const std::string name = absl::StrCat("order-", i);
      std::memcpy(place.mutable_client_order_id()->Data(), name.data(), name.size());
    }
    driver.Apply(place, kStart);
  }
  OneBook book;
  book.resting = static_cast<double>(InUse() - before);
  driver.Apply(wire::Tick{}, kWindowStart + kWindowMicros);
  book.expired = static_cast<double>(InUse() - before);
  return book;
}

void MeasureClientOrderIds(uint32_t orders) {
  const OneBook nameless = MeasureOneBook(orders, /*named=*/false);
  const OneBook named = MeasureOneBook(orders, /*named=*/true);
  std::printf("%u orders in one book: %.1f bytes for each with all its indexes\n", orders,
              nameless.resting / orders);
  std::printf("  their client order ids: %.1f bytes more for each\n",
              (named.resting - nameless.resting) / orders);
  std::printf("  finished client order ids: %.1f bytes for each that is remembered\n",
              (named.expired - nameless.expired) / orders);
}

int Run(int argc, char** argv) {
  uint32_t orders = 1'000'000;
  CLI::App app("The engine's memory, and windows that open and close");
  app.add_option("--orders", orders, "That rest")
      ->check(CLI::Range(10'000u, 3'000'000u))
      ->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  MeasureLife(orders);
  PrintParts(orders);
  MeasureFarPrice();
  MeasureClientOrderIds(orders);
  return EXIT_SUCCESS;
}

}  // namespace
}  // namespace warpbook::bench

int main(int argc, char** argv) { return warpbook::bench::Run(argc, argv); }
