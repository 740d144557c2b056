// Subscriptions: who listens to which topic. A message for all who listen is encoded once for each
// encoding that somebody reads. A listener whose queue is too long is passed over until it has
// caught up, and then given a fresh snapshot. The I/O thread owns it.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "gateway/publish/subscriber.h"
#include "gateway/publish/topic.h"
#include "schema/base/check.h"

namespace warpbook::gateway {

class Subscriptions {
 public:
  bool Contains(uint64_t connection_id, const Topic& topic) const;
  // That is not there.
  void Add(uint64_t connection_id, Subscriber& subscriber, const Topic& topic);
  // Whether it was there.
  bool Remove(uint64_t connection_id, const Topic& topic);
  void RemoveConnection(uint64_t connection_id);
  size_t CountOf(uint64_t connection_id) const;
  // What the connection was passed over in.
  std::vector<Topic> MissedBy(uint64_t connection_id) const;

  // `encode(Encoding)` gives a message's bytes.
  //
  // For all who are not waiting for a snapshot; those who cannot take it wait from now.
  template <typename Encode>
  void Broadcast(const Topic& topic, Encode&& encode);
  // What a subscription begins with, or goes on with after it was passed over.
  template <typename Encode>
  void SendSnapshot(uint64_t connection_id, const Topic& topic, Encode&& encode);
  // The last message, to all or to one, also to who was passed over: Drop or Remove follows.
  template <typename Encode>
  void SendLast(const Topic& topic, Encode&& encode);
  template <typename Encode>
  void SendLastTo(uint64_t connection_id, const Topic& topic, Encode&& encode);
  // Nobody is subscribed to it any more.
  void Drop(const Topic& topic);

 private:
  struct Listener {
    uint64_t connection_id = 0;
    Subscriber* subscriber = nullptr;
    bool missed = false;  // passed over: needs a snapshot
  };
  Listener& Find(uint64_t connection_id, const Topic& topic);

  absl::flat_hash_map<Topic, std::vector<Listener>> listeners_;  // of topics that have some
  absl::flat_hash_map<uint64_t, std::vector<Topic>> by_connection_;
};

// ---- Implementation ----

template <typename Encode>
void Subscriptions::Broadcast(const Topic& topic, Encode&& encode) {
  const auto found = listeners_.find(topic);
  if (found == listeners_.end()) return;
  std::array<SharedMessage, kEncodingCount> messages;
  for (Listener& listener : found->second) {
    if (listener.missed) continue;
    const Encoding encoding = listener.subscriber->encoding();
    SharedMessage& message = messages[static_cast<size_t>(encoding)];
    if (message == nullptr) message = Share(encoding, encode(encoding));
    listener.missed = !listener.subscriber->SendPublic(message);
  }
}

template <typename Encode>
void Subscriptions::SendSnapshot(uint64_t connection_id, const Topic& topic, Encode&& encode) {
  Listener& listener = Find(connection_id, topic);
  const Encoding encoding = listener.subscriber->encoding();
  listener.missed = !listener.subscriber->SendPublic(Share(encoding, encode(encoding)));
}

template <typename Encode>
void Subscriptions::SendLast(const Topic& topic, Encode&& encode) {
  const auto found = listeners_.find(topic);
  if (found == listeners_.end()) return;
  for (const Listener& listener : found->second) {
    listener.subscriber->Send(encode(listener.subscriber->encoding()));
  }
}

template <typename Encode>
void Subscriptions::SendLastTo(uint64_t connection_id, const Topic& topic, Encode&& encode) {
  Subscriber& subscriber = *Find(connection_id, topic).subscriber;
  subscriber.Send(encode(subscriber.encoding()));
}

}  // namespace warpbook::gateway
