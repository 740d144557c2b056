// PendingRequests: the commands of this I/O thread that have no answer yet, by tag. A tag is the
// mark of the session that sent it (gateway/admission/gatekeeper.h) over a counter, so that the
// tags of a replay, or of another thread or gateway, never meet one of ours, and so that an order
// tells which session has placed it. The I/O thread owns it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string_view>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "gateway/protocol/methods.h"

namespace warpbook::gateway {

struct PendingRequest {
  uint64_t connection_id = 0;
  Method method = Method::kPing;
  std::optional<int64_t> req_id = {};
  int64_t time_in_us = 0;
  bool taken = false;  // settlement's to decide: the engine has taken the request
  // An item of a batch: the batch (Replier::BeginBatch), and which item. 0: it stands alone.
  uint64_t batch = 0;
  uint32_t item = 0;
};

class PendingRequests {
 public:
  // Never 0, and never one that is still open. The session's mark is not 0.
  uint64_t NextTag(uint32_t session);
  void Add(uint64_t tag, const PendingRequest& request);
  bool IsOpen(uint64_t tag) const { return requests_.contains(tag); }
  // Null where the tag is none of ours or has been answered.
  PendingRequest* Find(uint64_t tag);
  std::optional<PendingRequest> Take(uint64_t tag);

  // Commands without an answer: of a connection, and of all.
  size_t CountOf(uint64_t connection_id) const;
  size_t size() const { return requests_.size(); }
  // Whether a session has an order under way that is to be placed, or a guard that is to be set.
  bool HasOrderUnderWay(uint32_t session) const { return under_way_.contains(session); }

  // Settlement must decide by then (monotonic microseconds, never falling from call to call).
  void AddDeadline(uint64_t tag, int64_t deadline_micros) {
    deadlines_.emplace_back(deadline_micros, tag);
  }
  // The next tag whose deadline has passed and that is still open.
  std::optional<uint64_t> NextOverdue(int64_t now_micros);
  // Any open one; for the end of a drain.
  std::optional<uint64_t> AnyTag() const;

 private:
  uint32_t counter_ = 0;
  absl::flat_hash_map<uint64_t, PendingRequest> requests_;
  absl::flat_hash_map<uint64_t, size_t> counts_;     // by connection
  absl::flat_hash_map<uint32_t, size_t> under_way_;  // HasOrderUnderWay, by session
  std::deque<std::pair<int64_t, uint64_t>> deadlines_;
};

}  // namespace warpbook::gateway
