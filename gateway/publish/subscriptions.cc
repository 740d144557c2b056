#include "gateway/publish/subscriptions.h"

#include <algorithm>
#include <utility>

#include "schema/base/check.h"

namespace warpbook::gateway {

// ---- Who listens ----

const Subscriptions::Connection* Subscriptions::FindConnection(uint64_t connection_id) const {
  const auto found = connections_.find(connection_id);
  return found == connections_.end() ? nullptr : &found->second;
}

Subscriptions::Connection& Subscriptions::GetConnection(uint64_t connection_id) {
  const auto found = connections_.find(connection_id);
  WARPBOOK_CHECK(found != connections_.end());
  return found->second;
}

Subscriptions::Subscription& Subscriptions::Get(Connection& connection, const Topic& topic) {
  const auto found = std::ranges::find(connection.subscriptions, topic, &Subscription::topic);
  WARPBOOK_CHECK(found != connection.subscriptions.end());
  return *found;
}

bool Subscriptions::Contains(uint64_t connection_id, const Topic& topic) const {
  const Connection* connection = FindConnection(connection_id);
  return connection != nullptr &&
         std::ranges::find(connection->subscriptions, topic, &Subscription::topic) !=
             connection->subscriptions.end();
}

void Subscriptions::Add(uint64_t connection_id, Subscriber& subscriber, const Topic& topic) {
  WARPBOOK_CHECK(!Contains(connection_id, topic));
  Connection& connection = connections_[connection_id];
  connection.id = connection_id;
  connection.subscriber = &subscriber;
  connection.encoding = subscriber.encoding();
  Audience& audience = audiences_[topic];
  audience.listeners.push_back(&connection);
  ++audience.readers[static_cast<size_t>(connection.encoding)];
  connection.subscriptions.push_back(
      {.topic = topic, .audience = &audience, .next = audience.end()});
}

void Subscriptions::Leave(const Subscription& subscription, Connection& connection) {
  Audience& audience = *subscription.audience;
  std::erase(audience.listeners, &connection);
  --audience.readers[static_cast<size_t>(connection.encoding)];
  if (audience.listeners.empty()) audiences_.erase(subscription.topic);
}

bool Subscriptions::Remove(uint64_t connection_id, const Topic& topic) {
  if (!Contains(connection_id, topic)) return false;
  Connection& connection = GetConnection(connection_id);
  Subscription& subscription = Get(connection, topic);
  Leave(subscription, connection);
  connection.subscriptions.erase(connection.subscriptions.begin() +
                                 (&subscription - connection.subscriptions.data()));
  return true;
}

void Subscriptions::RemoveConnection(uint64_t connection_id) {
  const auto connection = connections_.find(connection_id);
  if (connection == connections_.end()) return;
  for (const Subscription& subscription : connection->second.subscriptions) {
    Leave(subscription, connection->second);
  }
  connections_.erase(connection);
}

void Subscriptions::Drop(const Topic& topic) {
  const auto audience = audiences_.find(topic);
  if (audience == audiences_.end()) return;
  for (Connection* connection : audience->second.listeners) {
    std::erase_if(connection->subscriptions,
                  [&](const Subscription& subscription) { return subscription.topic == topic; });
  }
  audiences_.erase(audience);
}

size_t Subscriptions::CountOf(uint64_t connection_id) const {
  const Connection* connection = FindConnection(connection_id);
  return connection == nullptr ? 0 : connection->subscriptions.size();
}

std::vector<Topic> Subscriptions::MissedBy(uint64_t connection_id) const {
  std::vector<Topic> missed;
  const Connection* connection = FindConnection(connection_id);
  if (connection == nullptr) return missed;
  for (const Subscription& subscription : connection->subscriptions) {
    if (subscription.missed) missed.push_back(subscription.topic);
  }
  return missed;
}

// ---- Messages ----

void Subscriptions::Broadcast(const Topic& topic, Encode encode) {
  const auto found = audiences_.find(topic);
  if (found == audiences_.end()) return;
  Audience& audience = found->second;
  Post post;
  for (size_t i = 0; i < post.size(); ++i) {
    const auto encoding = static_cast<Encoding>(i);
    if (audience.readers[i] != 0) post[i] = Share(encoding, encode(encoding));
  }
  if (audience.posts.empty()) posted_.push_back(topic);
  audience.posts.push_back(std::move(post));
  for (Connection* listener : audience.listeners) {
    if (!std::exchange(listener->is_due, true)) due_.push_back(listener->id);
  }
}

void Subscriptions::SendSnapshot(uint64_t connection_id, const Topic& topic, Encode encode) {
  Connection& connection = GetConnection(connection_id);
  Subscription& subscription = Get(connection, topic);
  const uint64_t end = subscription.audience->end();
  // Passed over: the one that was refused, and those behind it.
  if (subscription.missed) tally_.conflated += end - subscription.next + 1;
  subscription.next = end;
  subscription.missed =
      !connection.subscriber->SendPublic(Share(connection.encoding, encode(connection.encoding)));
  if (!subscription.missed) tally_.OnSent(topic.channel);
}

void Subscriptions::SendLast(const Topic& topic, Encode encode) {
  const auto audience = audiences_.find(topic);
  if (audience == audiences_.end()) return;
  for (const Connection* listener : audience->second.listeners) {
    SendLastTo(listener->id, topic, encode);
  }
}

void Subscriptions::SendLastTo(uint64_t connection_id, const Topic& topic, Encode encode) {
  Connection& connection = GetConnection(connection_id);
  Serve(connection, Get(connection, topic));
  tally_.OnSent(topic.channel);
  connection.subscriber->Send(encode(connection.encoding));
}

// ---- Delivery ----

void Subscriptions::Serve(const Connection& connection, Subscription& subscription) {
  const Audience& audience = *subscription.audience;
  for (; subscription.next < audience.end() && !subscription.missed; ++subscription.next) {
    const Post& post = audience.posts[subscription.next - audience.first];
    subscription.missed =
        !connection.subscriber->SendPublic(post[static_cast<size_t>(connection.encoding)]);
    if (!subscription.missed) tally_.OnSent(subscription.topic.channel);
  }
}

void Subscriptions::Serve(Connection& connection) {
  connection.is_due = false;
  for (Subscription& subscription : connection.subscriptions) Serve(connection, subscription);
}

bool Subscriptions::Deliver(size_t connections) {
  if (round_.empty()) BeginRound();
  for (; connections > 0 && !round_.empty(); --connections) {
    const auto connection = connections_.find(round_.back());
    round_.pop_back();
    if (connection != connections_.end()) Serve(connection->second);
  }
  if (!round_.empty()) return true;
  EndRound();
  return false;
}

void Subscriptions::BeginRound() {
  // The first who was due is served first.
  round_.swap(due_);
  std::ranges::reverse(round_);
  for (const Topic& topic : posted_) {
    const auto audience = audiences_.find(topic);
    if (audience != audiences_.end()) audience->second.at_round_begin = audience->second.end();
  }
}

// What was there at its beginning has been delivered; where nobody is due, so has everything.
void Subscriptions::EndRound() {
  std::erase_if(posted_, [&](const Topic& topic) {
    const auto found = audiences_.find(topic);
    if (found == audiences_.end()) return true;
    Audience& audience = found->second;
    const uint64_t delivered = due_.empty() ? audience.end() : audience.at_round_begin;
    for (; audience.first < delivered; ++audience.first) audience.posts.pop_front();
    return audience.posts.empty();
  });
}

}  // namespace warpbook::gateway
