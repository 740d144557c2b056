#include "gateway/cli/demo/member_leases.h"

#include <algorithm>
#include <vector>

#include "absl/container/flat_hash_set.h"

namespace warpbook::gateway {

void MemberLeases::OnLeases(const JsonValue& data) {
  for (const JsonValue& row : data.items()) OnLease(row, true);
}

void MemberLeases::OnLease(const JsonValue& row, bool is_new) {
  const uint64_t id = row["lease_id"].id();
  OwnLease& lease = leases_[id];
  if (lease.id == 0 && row.Has("gpus")) {
    lease.id = id;
    lease.symbol = row["symbol"].text();
    lease.is_provider = row["role"].text() == "provider";
    lease.gpus = row["gpus"].integer();
    lease.delivery_start_us = row["delivery_start"].integer();
    lease.delivery_end_us = row["delivery_end"].integer();
    lease.node = row["node"].id();
    lease.next_minute_us = lease.delivery_start_us;
    context_.stats.Reserved(id, lease.gpus, row["minutes"].integer(), is_new);
  } else if (row.Has("gpus")) {
    lease.gpus = row["gpus"].integer();  // some were resold
    if (row.Has("resold_as") && !lease.is_provider) ++context_.stats.counts.resales;
  }
  lease.state = ParseName<LeaseState>(row["state"].text()).value_or(lease.state);
  lease.is_completed = row["completed"].flag();
  if (lease.state == LeaseState::kDelivered) context_.stats.Delivered(id);
  if (lease.state == LeaseState::kFailed) context_.stats.Failed(id);
  if (lease.state == LeaseState::kSettled) {
    context_.stats.Settled(id);
    leases_.erase(id);
  } else if (lease.state == LeaseState::kResold || lease.id == 0) {
    // Over, or a change of a lease that is not known: its beginning comes with Replace.
    leases_.erase(id);
  }
}

void MemberLeases::Replace(const JsonValue& leases) {
  absl::flat_hash_set<uint64_t> open;
  for (const JsonValue& row : leases.items()) {
    OnLease(row, is_known_);
    open.insert(row["lease_id"].id());
  }
  // What was open and is no longer has ended while nobody listened.
  std::vector<uint64_t> ended;
  for (auto& [id, lease] : leases_) {
    lease.is_waiting = false;
    if (!open.contains(id)) ended.push_back(id);
  }
  for (const uint64_t id : ended) {
    // One that was reserved was rather resold: its delivery takes longer than connections are away.
    if (leases_[id].state != LeaseState::kReserved) context_.stats.Settled(id);
    leases_.erase(id);
  }
  is_known_ = true;
}

OwnLease* MemberLeases::Find(uint64_t id) {
  const auto lease = leases_.find(id);
  return lease == leases_.end() ? nullptr : &lease->second;
}

int64_t MemberLeases::GpusSold(uint64_t node, std::string_view symbol) const {
  int64_t gpus = 0;
  for (const auto& [id, lease] : leases_) {
    if (lease.node == node && lease.symbol == symbol) gpus += lease.gpus;
  }
  return gpus;
}

}  // namespace warpbook::gateway
