#include "gateway/net/muster_board.h"

#include <algorithm>

namespace warpbook::gateway {

MusterBoard::Muster& MusterBoard::Find(OwnerId owner, Timestamp due, Timestamp now) {
  const auto found = musters_.find(owner);
  if (found != musters_.end() && found->second.due == due) return found->second;
  // Those that nobody asks for any more.
  absl::erase_if(musters_, [&](const auto& entry) {
    return entry.second.due.PlusMicros(policy_.grace_micros) < now;
  });
  Muster& muster = musters_[owner];
  muster = {.due = due,
            .start_by = std::max(StartBy(due), now.PlusMicros(policy_.muster_wait_micros)),
            .start = {},
            .gather = {}};
  return muster;
}

bool MusterBoard::HasBegun(OwnerId owner, Timestamp due, Timestamp now) {
  const std::lock_guard lock(mutex_);
  const auto found = musters_.find(owner);
  const bool is_open = found != musters_.end() && found->second.due == due &&
                       found->second.start.opens_micros.has_value();
  return is_open || StartBy(due) <= now;
}

MusterBoard::Answer MusterBoard::Come(Gate gate, OwnerId owner, Timestamp due, NodeId node,
                                      std::span<const NodeId> nodes, Moment now) {
  const std::lock_guard lock(mutex_);
  Muster& muster = Find(owner, due, now.market);
  GateState& state = gate == Gate::kStart ? muster.start : muster.gather;
  const int64_t micros = now.monotonic_micros;
  const bool is_late = state.opens_micros && micros > *state.opens_micros + policy_.late_max_micros;
  if (is_late) return {.is_missed = true};
  state.came.insert(node);
  if (!state.opens_micros) {
    const auto have_come = [&](const auto& all) {
      return std::ranges::all_of(all, [&](NodeId id) { return state.came.contains(id); });
    };
    const bool opens = gate == Gate::kStart ? have_come(nodes) || now.market >= muster.start_by
                                            : have_come(muster.start.came) ||
                                                  micros >= muster.start.opens_micros.value_or(0) +
                                                                policy_.gather_after_micros;
    if (!opens) return {.wait_micros = kAskAgainMicros};
    state.opens_micros = micros + kNoticeMicros;
    state.opens = now.market;
  }
  if (micros < *state.opens_micros) {
    return {.wait_micros = std::min(kAskAgainMicros, *state.opens_micros - micros)};
  }
  return {.opened_micros = *state.opens_micros, .opened = state.opens};
}

}  // namespace warpbook::gateway
