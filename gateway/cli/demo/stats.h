// Stats: what the demo market has done so far. The loop's thread owns it.
#pragma once

#include <cstdint>
#include <fstream>
#include <map>
#include <string>
#include <string_view>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "schema/types/ids.h"

namespace warpbook::gateway {

// A lease as its state was last told; each is counted once, whoever of its two parties tells.
struct DemoCounts {
  int64_t orders_sent = 0;
  int64_t orders_acknowledged = 0;
  int64_t orders_asked_again = 0;      // after a lost connection, with the same client order id
  int64_t orders_found_duplicate = 0;  // of those, the ones that had been taken before
  int64_t amends = 0;
  int64_t cancels = 0;
  int64_t fills = 0;  // resales included
  int64_t resales = 0;
  int64_t gpu_minutes = 0;
  int64_t leases_started = 0;
  int64_t leases_delivered = 0;
  int64_t leases_failed = 0;
  int64_t leases_settled = 0;
  int64_t heartbeats = 0;
  int64_t probes = 0;
  int64_t probes_passed = 0;
  int64_t reconnects = 0;
};

class Stats {
 public:
  // Writes every acknowledged order to the file from now on, as "order_id account client_order_id".
  // The exchange's own number alone would prove nothing: one that loses orders gives their numbers
  // to the next ones.
  absl::Status OpenAcknowledged(const std::string& path);

  void OrderAcknowledged(uint64_t order_id, AccountId account, std::string_view client_order_id);
  // A lease that is new in this run, or (is_new false) one of an earlier run.
  void Reserved(uint64_t lease_id, int64_t gpus, int64_t minutes, bool is_new);
  void Delivered(uint64_t lease_id);
  void Failed(uint64_t lease_id);
  void Settled(uint64_t lease_id);
  void Refused(std::string_view method, const std::string& code);

  DemoCounts counts;

  // All counts as one JSON object.
  std::string Json(double seconds) const;

 private:
  enum class LeaseStage : uint8_t { kReserved, kEnded, kSettled };
  absl::flat_hash_map<uint64_t, LeaseStage> leases_;
  std::map<std::string, int64_t> refusals_;  // "method code"
  std::ofstream acknowledged_;
};

}  // namespace warpbook::gateway
