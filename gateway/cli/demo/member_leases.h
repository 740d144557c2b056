// MemberLeases: one member's leases that are not settled, as the exchange tells them. The loop's
// thread owns it.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "absl/container/flat_hash_map.h"
#include "gateway/cli/demo/context.h"
#include "gateway/client/json_value.h"
#include "schema/types/enums.h"

namespace warpbook::gateway {

struct OwnLease {
  uint64_t id = 0;
  std::string symbol;
  LeaseState state = LeaseState::kReserved;
  bool is_completed = false;
  bool is_provider = false;
  int64_t gpus = 0;
  int64_t delivery_start_us = 0, delivery_end_us = 0;
  uint64_t node = 0;

  // What the member has done about it.
  int64_t next_minute_us = 0;                        // the provider's next heartbeat
  bool is_waiting = false;                           // for the answer to a call about it
  std::chrono::steady_clock::time_point not_before;  // of the next call about it
};

class MemberLeases {
 public:
  explicit MemberLeases(DemoContext& context) : context_(context) {}

  // The exchange's word: an update of the channel leases, or all leases that are not settled.
  void OnLeases(const JsonValue& data);
  void Replace(const JsonValue& leases);

  absl::flat_hash_map<uint64_t, OwnLease>& all() { return leases_; }
  // Null where it is settled meanwhile, or none of this member's.
  OwnLease* Find(uint64_t id);
  // GPUs of a node that are sold in an instrument.
  int64_t GpusSold(uint64_t node, std::string_view symbol) const;

 private:
  void OnLease(const JsonValue& row, bool is_new);

  DemoContext& context_;
  absl::flat_hash_map<uint64_t, OwnLease> leases_;
  bool is_known_ = false;  // Replace has been called: what is unknown from now on is new
};

}  // namespace warpbook::gateway
