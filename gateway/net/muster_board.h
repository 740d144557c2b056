// MusterBoard: has the nodes of an owner prove themselves at the same time (design: Challenge), so
// that no GPU stands for two of them. A muster is the nodes of an owner that are called until the
// same time. Each comes to two gates: to that of the challenge and, with its arena filled, to that
// of the gather. A gate opens for all at once, when all have come or their time is over; from then
// the clock runs for all, whenever one asks, and who is late has missed it.
//
// All I/O threads of a gateway share it. It knows only what has come to it: after a restart musters
// begin anew.
#pragma once

#include <cstdint>
#include <mutex>
#include <optional>
#include <span>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "gateway/net/probe_policy.h"
#include "schema/types/ids.h"
#include "schema/types/timestamp.h"

namespace warpbook::gateway {

class MusterBoard {
 public:
  // Who waits asks again after so long at the latest; a gate opens a little later than is known, so
  // that all who wait hear of it before.
  static constexpr int64_t kAskAgainMicros = kMicrosPerSecond / 4;
  static constexpr int64_t kNoticeMicros = kMicrosPerSecond / 2;

  enum class Gate : uint8_t { kStart = 0, kGather = 1 };
  struct Moment {
    int64_t monotonic_micros = 0;
    Timestamp market;
  };
  struct Answer {
    bool is_missed = false;
    int64_t wait_micros = 0;    // not yet: to be asked again then
    int64_t opened_micros = 0;  // else: since when the clock runs, monotonic
    Timestamp opened = {};      // the same for all, by the market's clock
  };

  // The policy must outlive it.
  explicit MusterBoard(const ProbePolicy& policy) : policy_(policy) {}

  // The node, which is called until `due`, comes to the gate, or asks again; `nodes` are all nodes
  // of the owner that are called until then.
  Answer Come(Gate gate, OwnerId owner, Timestamp due, NodeId node, std::span<const NodeId> nodes,
              Moment now);
  // Whether it is too late to be called until `due` as well.
  bool HasBegun(OwnerId owner, Timestamp due, Timestamp now);

 private:
  struct GateState {
    absl::flat_hash_set<NodeId> came;
    std::optional<int64_t> opens_micros;  // monotonic; may be ahead
    Timestamp opens;                      // by the market's clock: when that was decided
  };
  struct Muster {
    Timestamp due;
    Timestamp start_by;
    GateState start, gather;
  };

  // Until when a muster waits for nodes that have not come.
  Timestamp StartBy(Timestamp due) const { return due.PlusMicros(-policy_.muster_lead_micros); }
  Muster& Find(OwnerId owner, Timestamp due, Timestamp now);

  const ProbePolicy& policy_;
  std::mutex mutex_;
  absl::flat_hash_map<OwnerId, Muster> musters_;  // guarded by mutex_: the last one of each
};

}  // namespace warpbook::gateway
