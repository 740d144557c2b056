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

void Prober::TakeOver() {
  for (const auto& [id, node] : state_.nodes()) {
    if (node.probe != Sequence()) left_over_.emplace_back(id, node.probe);
  }
}

void Prober::EndLeftOver() {
  while (!left_over_.empty()) {
    const auto [node, probe] = left_over_.back();
    const wire::CommandRecord command =
        MakeDecideProbe({.node = node, .probe = probe, .reason = ProbeReason::kUnfinished}, 0);
    if (port_.TrySubmit(std::span(&command, 1)) == 0) return;
    left_over_.pop_back();
  }
}

void Prober::Look(Timestamp now) {
  EndLeftOver();
  if (last_look_ == Timestamp()) {
    last_look_ = now;
    first_end_ = now.PlusMicros(policy_.surprise_due_micros);
  }
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

bool Prober::IsOver(const NodeRow& node, Timestamp end, Timestamp now) const {
  if (end > now || now < first_end_) return false;
  return node.probe == Sequence() || now >= end.PlusMicros(policy_.grace_micros);
}

void Prober::LookAt(const NodeRow& node, Timestamp now, bool is_surprised) {
  const bool is_called = node.probe_due != Timestamp();
  if (is_called && IsOver(node, node.probe_due, now)) {
    return Submit(MakeDecideProbe({.node = node.id, .reason = ProbeReason::kUnfinished}, 0));
  }
  // One that was never proved has nothing to lose.
  if (node.proved_until == Timestamp()) return;
  if (IsOver(node, node.proved_until, now)) {
    return Submit(MakeDecideProbe({.node = node.id, .reason = ProbeReason::kLapsed}, 0));
  }
  const Timestamp surprise = now.PlusMicros(policy_.surprise_due_micros);
  if (is_surprised && (!is_called || node.probe_due > surprise)) {
    return Submit(MakeCallProbe(node.id, surprise));
  }
  if (!is_called && node.proved_until > now &&
      node.proved_until <= now.PlusMicros(policy_.call_lead_micros)) {
    Submit(MakeCallProbe(node.id, node.proved_until));
  }
}

void Prober::Submit(const wire::CommandRecord& command) {
  // Where the engine has no room the next look will find the same.
  if (port_.TrySubmit(std::span(&command, 1)) == 1) --commands_left_;
}

}  // namespace warpbook::gateway
