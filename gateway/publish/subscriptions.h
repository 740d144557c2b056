// Subscriptions: who listens to which topic. A message for all who listen is encoded once for each
// encoding that somebody reads, and then waits: Deliver hands out what waits, to a few connections
// at a time, so that a thousand of them keep nobody else waiting. Whoever is served gets all that
// has come up for it until then. A listener whose queue is too long is passed over until it has
// caught up, and then given a fresh snapshot. The I/O thread owns it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "absl/container/node_hash_map.h"
#include "absl/functional/function_ref.h"
#include "gateway/publish/gateway_tally.h"
#include "gateway/publish/subscriber.h"
#include "gateway/publish/topic.h"

namespace warpbook::gateway {

class Subscriptions {
 public:
  // A message's bytes.
  using Encode = absl::FunctionRef<std::string(Encoding)>;

  explicit Subscriptions(GatewayTally& tally) : tally_(tally) {}

  bool Contains(uint64_t connection_id, const Topic& topic) const;
  // That is not there.
  void Add(uint64_t connection_id, Subscriber& subscriber, const Topic& topic);
  // Whether it was there.
  bool Remove(uint64_t connection_id, const Topic& topic);
  void RemoveConnection(uint64_t connection_id);
  size_t CountOf(uint64_t connection_id) const;
  // What the connection was passed over in.
  std::vector<Topic> MissedBy(uint64_t connection_id) const;

  // For all who listen, to be delivered.
  void Broadcast(const Topic& topic, Encode encode);
  // What a subscription begins with, or goes on with after it was passed over. At once, and instead
  // of what waits.
  void SendSnapshot(uint64_t connection_id, const Topic& topic, Encode encode);
  // The last message, to all or to one, also to who was passed over. At once, behind what waits;
  // Drop or Remove follows.
  void SendLast(const Topic& topic, Encode encode);
  void SendLastTo(uint64_t connection_id, const Topic& topic, Encode encode);
  // Nobody is subscribed to it any more.
  void Drop(const Topic& topic);

  // Serves so many connections, at most until everybody has been served who was due when the round
  // began. False: the round is at its end. What was broadcast meanwhile may be left for the next.
  bool Deliver(size_t connections);
  // Somebody is due.
  bool has_undelivered() const { return !round_.empty() || !due_.empty(); }

 private:
  // A message in those encodings that were read when it was made.
  using Post = std::array<SharedMessage, kEncodingCount>;
  struct Connection;
  // Of a topic.
  struct Audience {
    std::vector<Connection*> listeners;
    std::array<size_t, kEncodingCount> readers = {};  // listeners by encoding
    // Those that somebody may still be to get. They are numbered; the first one is `first`.
    std::deque<Post> posts;
    uint64_t first = 0;
    uint64_t at_round_begin = 0;  // end(), then
    uint64_t end() const { return first + posts.size(); }
  };
  struct Subscription {
    Topic topic;
    Audience* audience = nullptr;
    uint64_t next = 0;    // the first post that is still to come
    bool missed = false;  // passed over: needs a snapshot
  };
  struct Connection {
    uint64_t id = 0;
    Subscriber* subscriber = nullptr;
    Encoding encoding = Encoding::kJson;
    std::vector<Subscription> subscriptions;
    bool is_due = false;  // it is in round_ or in due_
  };

  const Connection* FindConnection(uint64_t connection_id) const;
  Connection& GetConnection(uint64_t connection_id);
  static Subscription& Get(Connection& connection, const Topic& topic);
  void Leave(const Subscription& subscription, Connection& connection);
  void Serve(Connection& connection);
  void Serve(const Connection& connection, Subscription& subscription);
  void BeginRound();
  void EndRound();

  GatewayTally& tally_;
  absl::node_hash_map<Topic, Audience> audiences_;  // of topics with listeners
  absl::node_hash_map<uint64_t, Connection> connections_;
  std::vector<Topic> posted_;          // topics with posts, perhaps others
  std::vector<uint64_t> round_, due_;  // connections still to be served in this round; in the next
};

}  // namespace warpbook::gateway
