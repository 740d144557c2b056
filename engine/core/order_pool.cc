#include "engine/core/order_pool.h"

#include "schema/base/check.h"

namespace warpbook::engine {

Order* OrderPool::Acquire() {
  if (free_ == nullptr) {
    blocks_.push_back(std::make_unique<Order[]>(kOrdersPerBlock));
    for (size_t i = kOrdersPerBlock; i-- > 0;) {
      Order& slot = blocks_.back()[i];
      slot.account_next = free_;
      free_ = &slot;
    }
  }
  Order* order = free_;
  free_ = order->account_next;
  *order = Order();
  ++live_;
  return order;
}

void OrderPool::Release(Order* order) {
  WARPBOOK_CHECK(live_ > 0 && order->level == nullptr);
  *order = Order();
  order->account_next = free_;
  free_ = order;
  --live_;
}

}  // namespace warpbook::engine
