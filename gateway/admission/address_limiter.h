// AddressLimiter: how fast each address may do a thing that needs no logon. Time enters as an
// argument (a monotonic clock, microseconds); not for two threads at once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "gateway/admission/token_bucket.h"

namespace warpbook::gateway {

class AddressLimiter {
 public:
  // `addresses_max` are remembered; beyond, those are forgotten first that could do the most.
  AddressLimiter(int64_t per_second, int64_t burst, size_t addresses_max)
      : fresh_(per_second, burst), addresses_max_(addresses_max) {}

  // 0: now. Else not, and this is how many microseconds to wait.
  int64_t Take(const std::string& address, int64_t now_micros) {
    if (by_address_.size() >= addresses_max_ && !by_address_.contains(address)) {
      absl::erase_if(by_address_, [&](auto& entry) { return entry.second.IsFull(now_micros); });
      if (by_address_.size() >= addresses_max_) by_address_.erase(by_address_.begin());
    }
    return by_address_.try_emplace(address, fresh_).first->second.Take(now_micros);
  }

  size_t remembered() const { return by_address_.size(); }

 private:
  const TokenBucket fresh_;
  const size_t addresses_max_;
  absl::flat_hash_map<std::string, TokenBucket> by_address_;
};

}  // namespace warpbook::gateway
