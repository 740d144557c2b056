// AccountOpenLimiter: how fast accounts are opened, by each address and by all. Opening one needs
// no logon and a connection costs nothing, so that a connection's own limits do not hold it. Time
// enters as an argument (a monotonic clock, microseconds); its owner is SharedAdmission.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "gateway/admission/limits.h"
#include "gateway/admission/token_bucket.h"

namespace warpbook::gateway {

class AccountOpenLimiter {
 public:
  explicit AccountOpenLimiter(const AccountOpenLimits& limits)
      : limits_(limits), all_(limits.per_minute, limits.burst * kShare) {}

  // 0: the address may open an account now. Else it may not, and this is how many microseconds to
  // wait.
  int64_t Take(const std::string& address, int64_t now_micros);

  size_t remembered() const { return by_address_.size(); }

 private:
  // Buckets are refilled by the second and these limits are by the minute: one account takes as
  // many tokens as a minute has seconds.
  static constexpr int64_t kShare = 60;

  // Makes room for another address: those whose buckets are full again need not be remembered.
  void Forget(int64_t now_micros);

  const AccountOpenLimits& limits_;
  TokenBucket all_;
  absl::flat_hash_map<std::string, TokenBucket> by_address_;
};

}  // namespace warpbook::gateway
