// Replier: answers the commands of this process from the durable events that carry their tags. The
// I/O thread owns it.
#pragma once

#include <cstdint>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "gateway/protocol/reply_writer.h"
#include "gateway/publish/pending_requests.h"
#include "gateway/publish/subscriber.h"
#include "schema/base/clock.h"
#include "schema/wire/record.h"

namespace warpbook::gateway {

class Replier {
 public:
  // `clock`: real time, for time_out.
  Replier(uint32_t tag_prefix, const Clock& clock) : pending_(tag_prefix), clock_(clock) {}

  PendingRequests& pending() { return pending_; }

  void AddConnection(uint64_t connection_id, Subscriber& subscriber) {
    connections_.emplace(connection_id, &subscriber);
  }
  void RemoveConnection(uint64_t connection_id) {
    connections_.erase(connection_id);
    pending_.ForgetConnection(connection_id);
  }

  const absl::flat_hash_map<uint64_t, Subscriber*>& connections() const { return connections_; }

  // An event of `command`. Most are no answers.
  void OnEvent(wire::RecordView command, wire::RecordView event);

  // Answers those for which settlement took too long (monotonic microseconds).
  void AnswerOverdue(int64_t now_micros);
  // Answers all that are open with an outcome that nobody knows: the drain's deadline has come.
  void AnswerAllUnknown();

 private:
  void OnRejected(const wire::CommandRejected& event, uint64_t sequence);
  void OnAccepted(wire::RecordView command, const wire::CommandAccepted& event);
  void OnDecided(const wire::RequestDecided& event);
  void OnCancelled(const wire::OrderCancelled& event, uint64_t sequence);

  // Answers the command of that tag, if it is ours: with a result, or with a refusal.
  template <typename WriteFields>
  void Succeed(uint64_t tag, uint64_t sequence, WriteFields&& write_fields);
  void Fail(uint64_t tag, uint64_t sequence, const Refusal& refusal, RequestOutcome outcome);
  ReplyHead HeadOf(const PendingRequest& request, uint64_t sequence) const;
  template <typename Write>
  void Send(const PendingRequest& request, Write&& write);

  PendingRequests pending_;
  const Clock& clock_;
  absl::flat_hash_map<uint64_t, Subscriber*> connections_;
  std::string message_;  // being written; kept for its memory
};

}  // namespace warpbook::gateway
