#include "engine/core/client_order_ids.h"

#include "schema/base/check.h"

namespace warpbook::engine {

const ClientOrderIds::Entry* ClientOrderIds::Find(const ClientOrderId& id) const {
  const auto it = entries_.find(id);
  return it == entries_.end() ? nullptr : &it->second;
}

void ClientOrderIds::Add(const ClientOrderId& id, const OrderContent& content, OrderId order) {
  const bool added = entries_.try_emplace(id, Entry{content, order, true}).second;
  WARPBOOK_CHECK(added);
}

void ClientOrderIds::Finish(const ClientOrderId& id, Timestamp now) {
  Entry& entry = entries_.at(id);
  WARPBOOK_CHECK(entry.live);
  entry.live = false;
  finished_.push_back({id, now});
}

size_t ClientOrderIds::Trim(size_t keep, Timestamp oldest) {
  size_t forgotten = 0;
  while (finished_.size() > keep && finished_.front().finished < oldest) {
    entries_.erase(finished_.front().id);
    finished_.pop_front();
    ++forgotten;
  }
  return forgotten;
}

}  // namespace warpbook::engine
