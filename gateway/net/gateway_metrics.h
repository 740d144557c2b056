// GatewayMetrics: what an I/O thread of the gateway exports. What happens with each message is
// tallied by the thread itself (gateway/publish/gateway_tally.h) and taken over from time to time.
// The I/O thread owns it; several of them add to the same metrics.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "gateway/publish/gateway_tally.h"
#include "schema/metrics/metrics.h"

namespace warpbook::gateway {

class GatewayMetrics {
 public:
  explicit GatewayMetrics(Metrics& metrics);

  // Adds what was counted, and clears it.
  void Take(GatewayTally& tally);

  void OnConnected(bool on_admin) { connections_[on_admin ? 1 : 0].Add(1); }
  void OnGone(bool on_admin) { connections_[on_admin ? 1 : 0].Add(-1); }
  // Beyond a limit: told so, or dropped without a word.
  void OnConnectionRefused(bool dropped) { refused_[dropped ? 1 : 0].Add(1); }
  void OnSlowConsumer() { slow_consumers_.Add(1); }
  // The thread's send queues hold so many bytes more, or less.
  void AddQueuedBytes(int64_t bytes) { queued_bytes_.Add(bytes); }
  void SetReady(bool ready) { ready_.Set(ready ? 1 : 0); }

 private:
  // A counter of each key, resolved when it is first needed.
  template <typename Key>
  using Counters = absl::flat_hash_map<Key, Counter>;
  void TakeReasons(Metric metric, absl::flat_hash_map<RejectReason, uint64_t>& counts,
                   Counters<RejectReason>& counters);

  Metrics& metrics_;
  std::array<Gauge, 2> connections_;
  std::array<Counter, 2> refused_;
  Counter slow_consumers_, conflated_;
  Gauge queued_bytes_, ready_;
  std::vector<Counter> received_, sent_;  // by place (GatewayTally)
  absl::flat_hash_map<size_t, Histogram> durations_;
  Counters<RejectReason> rejects_, auth_failures_;
  Counters<std::string_view> resumes_;
};

}  // namespace warpbook::gateway
