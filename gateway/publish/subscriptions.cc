#include "gateway/publish/subscriptions.h"

namespace warpbook::gateway {
namespace {

template <typename Listeners>
auto FindListener(Listeners& listeners, uint64_t connection_id) {
  return std::ranges::find_if(
      listeners, [&](const auto& listener) { return listener.connection_id == connection_id; });
}

}  // namespace

bool Subscriptions::Contains(uint64_t connection_id, const Topic& topic) const {
  const auto topics = by_connection_.find(connection_id);
  return topics != by_connection_.end() &&
         std::ranges::find(topics->second, topic) != topics->second.end();
}

void Subscriptions::Add(uint64_t connection_id, Subscriber& subscriber, const Topic& topic) {
  WARPBOOK_CHECK(!Contains(connection_id, topic));
  listeners_[topic].push_back({.connection_id = connection_id, .subscriber = &subscriber});
  by_connection_[connection_id].push_back(topic);
}

bool Subscriptions::Remove(uint64_t connection_id, const Topic& topic) {
  const auto topics = by_connection_.find(connection_id);
  if (topics == by_connection_.end() || std::erase(topics->second, topic) == 0) return false;
  const auto listeners = listeners_.find(topic);
  listeners->second.erase(FindListener(listeners->second, connection_id));
  if (listeners->second.empty()) listeners_.erase(listeners);
  return true;
}

void Subscriptions::Drop(const Topic& topic) {
  const auto found = listeners_.find(topic);
  if (found == listeners_.end()) return;
  for (const Listener& listener : found->second) {
    std::erase(by_connection_[listener.connection_id], topic);
  }
  listeners_.erase(found);
}

void Subscriptions::RemoveConnection(uint64_t connection_id) {
  const auto topics = by_connection_.find(connection_id);
  if (topics == by_connection_.end()) return;
  for (const Topic& topic : std::vector(topics->second)) Remove(connection_id, topic);
  by_connection_.erase(topics);
}

size_t Subscriptions::CountOf(uint64_t connection_id) const {
  const auto topics = by_connection_.find(connection_id);
  return topics == by_connection_.end() ? 0 : topics->second.size();
}

std::vector<Topic> Subscriptions::MissedBy(uint64_t connection_id) const {
  std::vector<Topic> missed;
  const auto topics = by_connection_.find(connection_id);
  if (topics == by_connection_.end()) return missed;
  for (const Topic& topic : topics->second) {
    if (FindListener(listeners_.find(topic)->second, connection_id)->missed)
      missed.push_back(topic);
  }
  return missed;
}

Subscriptions::Listener& Subscriptions::Find(uint64_t connection_id, const Topic& topic) {
  const auto listeners = listeners_.find(topic);
  WARPBOOK_CHECK(listeners != listeners_.end());
  const auto listener = FindListener(listeners->second, connection_id);
  WARPBOOK_CHECK(listener != listeners->second.end());
  return *listener;
}

}  // namespace warpbook::gateway
