#include "gateway/net/prober.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <span>

#include "absl/container/flat_hash_set.h"
#include "gateway/protocol/command_builder.h"
#include "schema/base/crypto.h"

namespace warpbook::gateway {
namespace {

// Whether something that comes on average once in `mean` comes in this `span`.
bool Comes(int64_t span, int64_t mean) {
  std::array<uint8_t, sizeof(uint32_t)> bytes;
  FillRandom(bytes);
  uint32_t draw = 0;
  std::memcpy(&draw, bytes.data(), sizeof draw);
  return draw < static_cast<uint64_t>(std::min(span, mean)) * (uint64_t{1} << 32) /
                    static_cast<uint64_t>(mean);
}

}  // namespace

void Prober::Look(Timestamp now) {
  if (last_look_ == Timestamp()) last_look_ = now;
  const int64_t span = now.micros() - last_look_.micros();
  if (span < kMicrosPerSecond) return;
  last_look_ = now;
  commands_left_ = kCommandsPerLook;
  absl::flat_hash_set<NodeId> delivering;
  if (policy_.surprise_mean_micros > 0) {
    for (const auto& [id, lease] : state_.leases()) {
      if (lease.state == LeaseState::kActive) delivering.insert(lease.node);
    }
  }
  for (const auto& [id, node] : state_.nodes()) {
    const bool is_surprised = delivering.contains(id) && Comes(span, policy_.surprise_mean_micros);
    LookAt(node, now, is_surprised);
    if (commands_left_ == 0) return;
  }
}

void Prober::LookAt(const NodeRow& node, Timestamp now, bool is_surprised) {
  if (node.probe_due != Timestamp()) {
    if (node.probe_due > now) return;
    return Submit(MakeDecideProbe({.node = node.id, .reason = ProbeReason::kUnfinished}, 0));
  }
  // One that was never proved has nothing to lose.
  if (node.proved_until == Timestamp()) return;
  if (node.proved_until <= now) {
    return Submit(MakeDecideProbe({.node = node.id, .reason = ProbeReason::kLapsed}, 0));
  }
  if (node.proved_until <= now.PlusMicros(policy_.call_lead_micros)) {
    return Submit(MakeCallProbe(node.id, node.proved_until));
  }
  if (is_surprised) Submit(MakeCallProbe(node.id, now.PlusMicros(policy_.surprise_due_micros)));
}

void Prober::Submit(const wire::CommandRecord& command) {
  // Where the engine has no room the next look will find the same.
  if (port_.TrySubmit(std::span(&command, 1)) == 1) --commands_left_;
}

}  // namespace warpbook::gateway
