#include "gateway/publish/pending_requests.h"

#include "schema/base/check.h"

namespace warpbook::gateway {

uint64_t PendingRequests::NextTag() {
  // The counter wraps after four thousand million commands: what is still open is stepped over.
  uint64_t tag = 0;
  do {
    tag = (uint64_t{prefix_} << 32) | ++counter_;
  } while (tag == 0 || requests_.contains(tag));
  return tag;
}

void PendingRequests::Add(uint64_t tag, const PendingRequest& request) {
  WARPBOOK_CHECK(requests_.emplace(tag, request).second);
  ++counts_[request.connection_id];
}

PendingRequest* PendingRequests::Find(uint64_t tag) {
  const auto found = requests_.find(tag);
  return found == requests_.end() ? nullptr : &found->second;
}

std::optional<PendingRequest> PendingRequests::Take(uint64_t tag) {
  const auto found = requests_.find(tag);
  if (found == requests_.end()) return std::nullopt;
  const PendingRequest request = found->second;
  requests_.erase(found);
  // The connection may be gone, and its count with it.
  const auto count = counts_.find(request.connection_id);
  if (count != counts_.end() && --count->second == 0) counts_.erase(count);
  return request;
}

size_t PendingRequests::CountOf(uint64_t connection_id) const {
  const auto count = counts_.find(connection_id);
  return count == counts_.end() ? 0 : count->second;
}

std::optional<uint64_t> PendingRequests::NextOverdue(int64_t now_micros) {
  while (!deadlines_.empty() && deadlines_.front().first <= now_micros) {
    const uint64_t tag = deadlines_.front().second;
    deadlines_.pop_front();
    if (requests_.contains(tag)) return tag;
  }
  return std::nullopt;
}

std::optional<uint64_t> PendingRequests::AnyTag() const {
  if (requests_.empty()) return std::nullopt;
  return requests_.begin()->first;
}

}  // namespace warpbook::gateway
