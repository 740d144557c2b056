// Replier: answers the commands of this I/O thread from the durable events that carry their tags.
// The I/O thread owns it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "gateway/protocol/reply_writer.h"
#include "gateway/publish/gateway_tally.h"
#include "gateway/publish/order_outcome.h"
#include "gateway/publish/pending_requests.h"
#include "gateway/publish/subscriber.h"
#include "schema/base/clock.h"
#include "schema/wire/record.h"

namespace warpbook::gateway {

class Replier {
 public:
  // The limits that a connection's replies state, as they are now.
  using LimitsOf = std::function<LimitStates()>;

  // `clock`: real time, for time_out.
  Replier(const Clock& clock, GatewayTally& tally) : clock_(clock), tally_(tally) {}

  PendingRequests& pending() { return pending_; }
  const PendingRequests& pending() const { return pending_; }

  void AddConnection(uint64_t connection_id, Subscriber& subscriber) {
    connections_.emplace(connection_id, Connection{.subscriber = &subscriber});
  }
  // From now on its replies state limits.
  void StateLimits(uint64_t connection_id, LimitsOf limits_of);
  void RemoveConnection(uint64_t connection_id) { connections_.erase(connection_id); }

  // Each connection: `visit(connection_id, subscriber)`.
  template <typename Visit>
  void ForEachConnection(Visit&& visit) const {
    for (const auto& [id, connection] : connections_) visit(id, *connection.subscriber);
  }

  // An event of `command`. Most are no answers.
  void OnEvent(wire::RecordView command, wire::RecordView event);

  // ---- A batch: one reply for several commands, when the last of them is known ----

  // Its items are numbered from 0. They are all refused (RefuseItem) or pending, with the batch's
  // id, before EndBatch.
  uint64_t BeginBatch(const PendingRequest& request, size_t items);
  void RefuseItem(uint64_t batch, uint32_t item, Method method, const Refusal& refusal);
  // One that was checked by the gateway alone.
  void ValidateItem(uint64_t batch, uint32_t item, Method method);
  void EndBatch(uint64_t batch, uint64_t sequence);

  // Answers those for which settlement took too long (monotonic microseconds).
  void AnswerOverdue(int64_t now_micros);
  // Answers all that are open with an outcome that nobody knows: the drain's deadline has come.
  void AnswerAllUnknown();

 private:
  struct Connection {
    Subscriber* subscriber = nullptr;
    LimitsOf limits_of = {};
  };
  struct Failure {
    Refusal refusal;
    RequestOutcome outcome = RequestOutcome::kRejected;
  };
  struct Item {
    Method method = Method::kOrderPlace;
    std::variant<std::monostate, OrderOutcome, Failure> outcome;  // monostate: not yet known
    uint64_t sequence = 0;
  };
  struct Batch {
    PendingRequest request;
    std::vector<Item> items;
    size_t open = 0;        // items not yet known, and 1 until EndBatch
    uint64_t sequence = 0;  // the last one's
  };

  void OnRejected(const wire::CommandRejected& event, uint64_t sequence);
  void OnAccepted(wire::RecordView command, const wire::CommandAccepted& event);
  void OnDecided(const wire::RequestDecided& event);

  // Answers the command of that tag, if it is ours: with a result, or with a refusal.
  template <typename WriteFields>
  void Succeed(uint64_t tag, uint64_t sequence, WriteFields&& write_fields);
  void Succeed(uint64_t tag, uint64_t sequence, const OrderOutcome& outcome);
  void Fail(uint64_t tag, uint64_t sequence, const Refusal& refusal, RequestOutcome outcome);
  void SetItem(uint64_t batch, uint32_t index, Item item);
  void CloseItem(uint64_t batch);
  void SendBatch(const Batch& batch);
  ReplyHead HeadOf(const PendingRequest& request, uint64_t sequence) const;
  // `write(out, head)`
  template <typename Write>
  void Send(const PendingRequest& request, uint64_t sequence, Write&& write);

  PendingRequests pending_;
  const Clock& clock_;
  GatewayTally& tally_;
  absl::flat_hash_map<uint64_t, Connection> connections_;
  absl::flat_hash_map<uint64_t, Batch> batches_;
  uint64_t last_batch_ = 0;
  std::string message_;  // being written; kept for its memory
};

}  // namespace warpbook::gateway
