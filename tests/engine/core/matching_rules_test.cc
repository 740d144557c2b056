// The walk by itself, on orders that no command could make: several accounts of one owner.
#include "engine/core/matching_rules.h"

#include <doctest/doctest.h>

#include <deque>

#include "engine/core/accounts.h"

namespace warpbook::engine {
namespace {

class Book {
 public:
  Order* Ask(uint64_t account, uint64_t owner, int64_t price, int32_t gpus) {
    Account& holder = accounts_.emplace_back();
    holder.id = AccountId(account);
    Order& order = orders_.emplace_back();
    order.id = OrderId(orders_.size());
    order.account = &holder;
    order.owner = OwnerId(owner);
    order.side = Side::kSell;
    order.price = Price(price);
    order.gpus = order.remaining = Quantity(gpus);
    PriceLadder& asks = book_.ladder(Side::kSell);
    asks.Append(asks.FindOrAdd(order.price), order);
    return &order;
  }
  MatchPlan Buy(uint64_t owner, int32_t gpus, SelfTradePrevention mode,
                bool fill_or_kill = false) const {
    IncomingOrder incoming;
    incoming.owner = OwnerId(owner);
    incoming.price = Price(10'000);
    incoming.remaining = Quantity(gpus);
    incoming.self_trade_prevention = mode;
    incoming.fill_or_kill = fill_or_kill;
    MatchPlan plan;
    PlanMatch(book_, incoming, plan);
    return plan;
  }
  const OrderBook& book() const { return book_; }

 private:
  std::deque<Account> accounts_;
  std::deque<Order> orders_;
  LadderMemory memory_;
  OrderBook book_{PriceGrid(Price(1'000), Price(1'000), Price(100'000)), memory_};
};

TEST_CASE("Self-trade prevention goes by the owner, whichever of its accounts rests") {
  Book book;
  const Order* own = book.Ask(/*account=*/2, /*owner=*/7, 9'000, 4);
  const Order* other = book.Ask(/*account=*/7, /*owner=*/8, 10'000, 4);
  const MatchPlan newest = book.Buy(7, 6, SelfTradePrevention::kCancelNewest);
  CHECK(newest.steps.empty());
  CHECK(newest.cancel_remainder == CancelReason::kSelfTrade);
  const MatchPlan oldest = book.Buy(7, 6, SelfTradePrevention::kCancelOldest);
  REQUIRE(oldest.steps.size() == 2);
  CHECK(oldest.steps[0].action == MatchAction::kCancelResting);
  CHECK(oldest.steps[0].resting == own);
  CHECK(oldest.steps[1].action == MatchAction::kFill);
  CHECK(oldest.steps[1].resting == other);
  CHECK(book.Buy(7, 4, SelfTradePrevention::kDecrement, true).meets_own_order);
  CHECK(book.Buy(2, 8, SelfTradePrevention::kCancelNewest).fills == 2);
}

TEST_CASE("A plan leaves the book as it is") {
  Book book;
  const Order* ask = book.Ask(2, 7, 9'000, 4);
  CHECK(book.Buy(8, 3, SelfTradePrevention::kCancelNewest).fills == 1);
  CHECK(ask->remaining == Quantity(4));
  CHECK(book.book().GpusAt(Side::kSell, Price(9'000)) == Quantity(4));
  CHECK(book.book().order_count(Side::kSell) == 1);
}

}  // namespace
}  // namespace warpbook::engine
