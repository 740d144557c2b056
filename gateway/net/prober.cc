#include "gateway/net/prober.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <span>

#include "absl/container/flat_hash_map.h"
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
    first_end_ = now.PlusMicros(policy_.answer_micros);
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
  struct Group {
    std::vector<const NodeRow*> nodes;
    bool is_surprised = false;
  };
  absl::flat_hash_map<OwnerId, Group> groups;
  for (const auto& [id, node] : state_.nodes()) {
    if (!TakesPart(node) || EndWhatIsOver(node, now)) continue;
    Group& group = groups[state_.FindAccount(node.account)->owner];
    group.nodes.push_back(&node);
    if (node.proved_until != Timestamp() && delivering.contains(id) &&
        Comes(span, policy_.surprise_mean_micros)) {
      group.is_surprised = true;
    }
  }
  for (const auto& [owner, group] : groups) {
    const Timestamp due = DueOf(group.nodes, group.is_surprised, now);
    if (due != Timestamp()) Call(owner, group.nodes, due, now);
  }
}

bool Prober::IsOver(const NodeRow& node, Timestamp end, Timestamp now) const {
  if (end > now || now < first_end_) return false;
  return node.probe == Sequence() || now >= end.PlusMicros(policy_.grace_micros);
}

bool Prober::EndWhatIsOver(const NodeRow& node, Timestamp now) {
  ProbeReason reason = ProbeReason::kNone;
  if (node.probe_due != Timestamp() && IsOver(node, node.probe_due, now)) {
    reason = ProbeReason::kUnfinished;
  } else if (node.proved_until != Timestamp() && IsOver(node, node.proved_until, now)) {
    reason = ProbeReason::kLapsed;
  }
  if (reason == ProbeReason::kNone) return false;
  Submit(MakeDecideProbe({.node = node.id, .reason = reason}, 0));
  return true;
}

Timestamp Prober::DueOf(const std::vector<const NodeRow*>& nodes, bool is_surprised,
                        Timestamp now) const {
  const Timestamp soon = now.PlusMicros(policy_.answer_micros);
  Timestamp first_end, first_due;
  bool is_needed = is_surprised;
  for (const NodeRow* node : nodes) {
    const auto take_first = [](Timestamp& first, Timestamp time) {
      if (time != Timestamp() && (first == Timestamp() || time < first)) first = time;
    };
    take_first(first_end, node->proved_until);
    take_first(first_due, node->probe_due);
    // Proofs that were made together end together. And who begins one waits for the others.
    const bool is_apart = node->proved_until != nodes.front()->proved_until;
    if (nodes.size() > 1 && (is_apart || node->probe != Sequence())) is_needed = true;
  }
  Timestamp due = first_due;
  if (is_needed) {
    due = soon;
  } else if (due == Timestamp() && first_end > now &&
             first_end <= now.PlusMicros(policy_.call_lead_micros)) {
    due = nodes.size() > 1 ? std::max(first_end, soon) : first_end;
  }
  return first_due != Timestamp() ? std::min(due, first_due) : due;
}

void Prober::Call(OwnerId owner, const std::vector<const NodeRow*>& nodes, Timestamp due,
                  Timestamp now) {
  if (nodes.size() > 1 && musters_.HasBegun(owner, due, now)) return;
  for (const NodeRow* node : nodes) {
    if (node->probe_due != due && commands_left_ > 0) Submit(MakeCallProbe(node->id, due));
  }
}

void Prober::Submit(const wire::CommandRecord& command) {
  // Where the engine has no room the next look will find the same.
  if (port_.TrySubmit(std::span(&command, 1)) == 1) --commands_left_;
}

}  // namespace warpbook::gateway
