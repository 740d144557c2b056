// micro_bench: the engine's single steps, by Google Benchmark. A book with 10,000 resting orders on
// 400 levels each side, two accounts, no second thread: each time is that of Apply alone, or of a
// part.
#include <benchmark/benchmark.h>

#include <cstring>
#include <random>
#include <vector>

#include "engine/core/engine.h"
#include "engine/core/event_writer.h"
#include "engine/core/id_index.h"
#include "engine/core/order.h"
#include "engine/core/price_ladder.h"
#include "schema/types/enums.h"
#include "tests/bench/market.h"
#include "tests/bench/resting_market.h"

namespace warpbook::bench {
namespace {

constexpr uint32_t kInstrument = 1;
constexpr uint32_t kRestingOrders = 10'000;
constexpr uint32_t kLevels = 400;
constexpr int64_t kSecond = 1'000'000;

class Book {
 public:
  Book() : market_(kBareMarket), engine_(market_.limits()) {
    for (const wire::CommandRecord& command : market_.SetUp()) {
      engine_.Apply(command.view(), 0, events_);
    }
    std::mt19937 random(1);
    for (uint32_t i = 0; i < kRestingOrders; ++i) {
      wire::CommandRecord place(RestingOrder(market_, i, kInstrument, i % 2 == 1, kLevels, random));
      Apply(place);
    }
  }

  wire::PlaceOrder Bid(int64_t ticks, int32_t gpus = 1) const {
    return market_.Bid(0, kInstrument, ticks * kTick, gpus);
  }
  wire::PlaceOrder Ask(int64_t ticks, int32_t gpus = 1) const {
    return market_.Ask(0, kInstrument, ticks * kTick, gpus);
  }
  void Apply(wire::CommandRecord& command, int64_t micros_later = 0) {
    time_us_ += micros_later;
    command.mutable_header().mutate_sequence(engine_.last_sequence().value() + 1);
    command.mutable_header().mutate_time_us(time_us_);
    events_.Clear();
    engine_.Apply(command.view(), 0, events_);
  }
  // Of the last command.
  uint64_t accepted_id() const { return First<wire::OrderAccepted>().order_id(); }
  template <typename Event>
  const Event& First() const {
    return wire::RecordView(events_.bytes().data()).as<Event>();
  }

 private:
  Market market_;
  engine::Engine engine_;
  wire::RecordWriter events_;
  int64_t time_us_ = kStart;
};

wire::AmendOrder Amend(const wire::PlaceOrder& placed, uint64_t order) {
  wire::AmendOrder amend;
  amend.mutable_header() = placed.header();
  amend.mutate_order_id(order);
  return amend;
}

// ---- Commands ----

void PlaceAndCancel(benchmark::State& state, int64_t ticks) {
  Book book;
  const wire::PlaceOrder bid = book.Bid(ticks);
  wire::CommandRecord place(bid);
  for (auto _ : state) {
    book.Apply(place);
    wire::CancelOrder cancel;
    cancel.mutable_header() = bid.header();
    cancel.mutate_order_id(book.accepted_id());
    wire::CommandRecord record(cancel);
    book.Apply(record);
  }
  book.First<wire::OrderCancelled>();
}
BENCHMARK_CAPTURE(PlaceAndCancel, best_level, kMidTicks - 1);
BENCHMARK_CAPTURE(PlaceAndCancel, deep_level, kMidTicks - 300);
BENCHMARK_CAPTURE(PlaceAndCancel, new_best_level, kMidTicks);
BENCHMARK_CAPTURE(PlaceAndCancel, far_level, 1);

void CancelByClientOrderId(benchmark::State& state) {
  Book book;
  wire::PlaceOrder place = book.Bid(kMidTicks - 1);
  wire::CancelOrder cancel;
  cancel.mutable_header() = place.header();
  uint64_t number = 0;
  for (auto _ : state) {
    ++number;
    char* digits = reinterpret_cast<char*>(place.mutable_client_order_id()->Data());
    for (int i = 0; i < 16; ++i) digits[i] = static_cast<char>('a' + (number >> (4 * i) & 15));
    std::memcpy(cancel.mutable_client_order_id()->Data(), place.client_order_id()->Data(), 32);
    wire::CommandRecord first(place), second(cancel);
    // A second each, so that what is remembered does not grow.
    book.Apply(first, kSecond);
    book.Apply(second);
  }
  book.First<wire::OrderCancelled>();
}
BENCHMARK(CancelByClientOrderId);

// As many steps as the largest order has GPUs.
constexpr int32_t kSteps = 90'000;

void FillOne(benchmark::State& state) {
  Book book;
  wire::CommandRecord maker(book.Ask(kMidTicks, kSteps + 1));
  book.Apply(maker);
  wire::PlaceOrder bid = book.Bid(kMidTicks);
  bid.mutate_time_in_force(static_cast<uint8_t>(TimeInForce::kIoc));
  wire::CommandRecord taker(bid);
  for (auto _ : state) book.Apply(taker);
  book.First<wire::OrderAccepted>();
}
BENCHMARK(FillOne)->Iterations(kSteps);

void AmendDown(benchmark::State& state) {
  Book book;
  const wire::PlaceOrder bid = book.Bid(kMidTicks - 1, kSteps + 1);
  wire::CommandRecord place(bid);
  book.Apply(place);
  wire::AmendOrder amend = Amend(bid, book.accepted_id());
  int32_t gpus = kSteps + 1;
  for (auto _ : state) {
    amend.mutate_gpus(--gpus);
    wire::CommandRecord record(amend);
    book.Apply(record);
  }
  book.First<wire::OrderAmended>();
}
BENCHMARK(AmendDown)->Iterations(kSteps);

void AmendPrice(benchmark::State& state) {
  Book book;
  const wire::PlaceOrder bid = book.Bid(kMidTicks - 1);
  wire::CommandRecord place(bid);
  book.Apply(place);
  wire::AmendOrder amend = Amend(bid, book.accepted_id());
  int64_t ticks = kMidTicks - 1;
  for (auto _ : state) {
    ticks = 2 * kMidTicks - 12 - ticks;  // between two levels, the best and the eleventh
    amend.mutate_price(ticks * kTick);
    wire::CommandRecord record(amend);
    book.Apply(record);
  }
  book.First<wire::OrderAmended>();
}
BENCHMARK(AmendPrice);

void Reject(benchmark::State& state) {
  Book book;
  wire::PlaceOrder bid = book.Bid(kMidTicks - 1);
  bid.mutate_price(bid.price() + 1);  // off the tick
  wire::CommandRecord place(bid);
  for (auto _ : state) book.Apply(place);
  book.First<wire::CommandRejected>();
}
BENCHMARK(Reject);

// ---- Parts ----

void PriceLadderNext(benchmark::State& state) {
  engine::LadderMemory memory;
  engine::PriceLadder ladder(Side::kSell, engine::PriceGrid(Price(kTick), Price(kTick), kMaxPrice),
                             memory);
  for (int64_t i = 0; i < kLevels; ++i) ladder.FindOrAdd(Price((kMidTicks + 3 * i) * kTick));
  const engine::PriceLevel* level = ladder.Best();
  for (auto _ : state) {
    level = ladder.Next(*level);
    if (level == nullptr) level = ladder.Best();
    benchmark::DoNotOptimize(level);
  }
}
BENCHMARK(PriceLadderNext);

// The oldest of so many live orders leaves, a new one comes, a third is looked for.
void IdIndexInsertFindErase(benchmark::State& state) {
  const auto live = static_cast<uint64_t>(state.range(0));
  std::vector<engine::Order> orders(live);
  engine::IdIndex<engine::Order> index;
  uint64_t id = 0;
  for (engine::Order& order : orders) {
    order.id = OrderId(++id);
    index.Insert(&order);
  }
  for (auto _ : state) {
    engine::Order& oldest = orders[id++ % live];
    index.Erase(oldest.id);
    oldest.id = OrderId(id);
    index.Insert(&oldest);
    benchmark::DoNotOptimize(index.Find(OrderId(id - live / 2)));
  }
}
BENCHMARK(IdIndexInsertFindErase)->Arg(10'000)->Arg(1'000'000);

// The three events of a bid that comes to rest.
void WriteAndHashEvents(benchmark::State& state) {
  engine::EventWriter writer;
  wire::RecordWriter output;
  for (auto _ : state) {
    output.Clear();
    writer.BeginCommand(output, 0);
    writer.Public<wire::OrderAccepted>();
    writer.Public<wire::CreditsMoved>();
    writer.Public<wire::BookLevelChanged>();
  }
  benchmark::DoNotOptimize(writer.hash());
}
BENCHMARK(WriteAndHashEvents);

}  // namespace
}  // namespace warpbook::bench

BENCHMARK_MAIN();
