// FinishedOrders: the orders that came to their end last, so that who has missed what became of one
// can ask. Kept are the last 1,024 of each account, and of all together the last 262,144: what is
// older is forgotten. Owned by MarketState.
#pragma once

#include <cstddef>
#include <deque>
#include <list>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "gateway/publish/market_rows.h"

namespace warpbook::gateway {

class FinishedOrders {
 public:
  static constexpr size_t kKeptPerAccount = 1'024;
  static constexpr size_t kKept = 262'144;

  FinishedOrders() = default;
  // By id they are found by their places, which a copy would not have; a list keeps its when moved.
  FinishedOrders(FinishedOrders&&) = default;
  FinishedOrders& operator=(FinishedOrders&&) = default;

  // Takes in one whose id is new; `on_forgotten(order)` is told of the one that goes for it.
  template <typename OnForgotten>
  void Add(const FinishedOrder& order, OnForgotten&& on_forgotten) {
    auto& of_account = by_account_[order.account];
    if (of_account.size() == kKeptPerAccount) {
      Forget(of_account.front(), on_forgotten);
    } else if (all_.size() == kKept) {
      Forget(all_.begin(), on_forgotten);
    }
    const Place place = all_.insert(all_.end(), order);
    by_account_[order.account].push_back(place);
    by_id_.emplace(order.id, place);
  }

  // Null where it is not known. Valid until the next Add.
  const FinishedOrder* Find(OrderId id) const {
    const auto found = by_id_.find(id);
    return found == by_id_.end() ? nullptr : &*found->second;
  }
  // Whether one of the account's goes in without another one of them being forgotten.
  bool HasRoomFor(AccountId account) const {
    const auto found = by_account_.find(account);
    return all_.size() < kKept &&
           (found == by_account_.end() || found->second.size() < kKeptPerAccount);
  }
  // Oldest first.
  const std::list<FinishedOrder>& all() const { return all_; }

 private:
  using Place = std::list<FinishedOrder>::const_iterator;

  // The oldest of its account.
  template <typename OnForgotten>
  void Forget(Place place, OnForgotten& on_forgotten) {
    on_forgotten(*place);
    const auto of_account = by_account_.find(place->account);
    of_account->second.pop_front();
    if (of_account->second.empty()) by_account_.erase(of_account);
    by_id_.erase(place->id);
    all_.erase(place);
  }

  std::list<FinishedOrder> all_;
  absl::flat_hash_map<AccountId, std::deque<Place>> by_account_;  // oldest first
  absl::flat_hash_map<OrderId, Place> by_id_;
};

}  // namespace warpbook::gateway
