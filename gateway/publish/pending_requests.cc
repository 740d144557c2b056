#include "gateway/publish/pending_requests.h"

#include "schema/base/check.h"

namespace warpbook::gateway {
namespace {

uint32_t SessionOf(uint64_t tag) { return static_cast<uint32_t>(tag >> 32); }

// What decides which orders are a session's when it ends.
bool ConcernsSessionsOrders(Method method) {
  return method == Method::kOrderPlace || method == Method::kCancelOnDisconnect;
}

void Decrement(auto& counts, auto key) {
  const auto count = counts.find(key);
  WARPBOOK_CHECK(count != counts.end());
  if (--count->second == 0) counts.erase(count);
}

}  // namespace

uint64_t PendingRequests::NextTag(uint32_t session) {
  // The counter wraps after four thousand million commands: what is still open is stepped over.
  uint64_t tag = 0;
  do {
    tag = (uint64_t{session} << 32) | ++counter_;
  } while (requests_.contains(tag));
  return tag;
}

void PendingRequests::Add(uint64_t tag, const PendingRequest& request) {
  WARPBOOK_CHECK(requests_.emplace(tag, request).second);
  ++counts_[request.connection_id];
  if (ConcernsSessionsOrders(request.method)) ++under_way_[SessionOf(tag)];
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
  Decrement(counts_, request.connection_id);
  if (ConcernsSessionsOrders(request.method)) Decrement(under_way_, SessionOf(tag));
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
