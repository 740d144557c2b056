// OrderPool: the memory of all live orders, in blocks that are never moved or given back. Taken as
// orders come; EngineLimits::resting_orders_max bounds it.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "engine/core/order.h"

namespace warpbook::engine {

class OrderPool {
 public:
  // A fresh order; its address holds until Release.
  Order* Acquire();
  void Release(Order* order);
  size_t live() const { return live_; }

 private:
  static constexpr size_t kOrdersPerBlock = 1'024;
  std::vector<std::unique_ptr<Order[]>> blocks_;
  Order* free_ = nullptr;
  size_t live_ = 0;
};

}  // namespace warpbook::engine
