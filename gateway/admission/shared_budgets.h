// SharedBudgets: what an account, and an address, may ask for over all connections, on whatever I/O
// thread each of them is. A bucket is looked up once, under a mutex, when a connection's first
// message comes or somebody logs on; to take from it needs no lock.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "gateway/admission/limits.h"
#include "gateway/admission/token_bucket.h"
#include "schema/types/ids.h"

namespace warpbook::gateway {

// Buckets by key. Those in use are kept; of the others at most so many are remembered, and first
// those forgotten that are full again.
template <typename Key>
class BucketRegistry {
 public:
  BucketRegistry(int64_t per_second, int64_t burst, size_t remembered_max)
      : per_second_(per_second), burst_(burst), remembered_max_(remembered_max) {}

  // Any thread. `now_micros` is a monotonic clock's.
  std::shared_ptr<TokenBucket> Get(const Key& key, int64_t now_micros) {
    const std::lock_guard lock(mutex_);
    const auto known = buckets_.find(key);
    if (known != buckets_.end()) return known->second;
    if (buckets_.size() >= remembered_max_) Forget(now_micros);
    return buckets_.emplace(key, std::make_shared<TokenBucket>(per_second_, burst_)).first->second;
  }
  size_t remembered() const {
    const std::lock_guard lock(mutex_);
    return buckets_.size();
  }

 private:
  void Forget(int64_t now_micros) {
    absl::erase_if(buckets_, [&](const auto& entry) {
      return entry.second.use_count() == 1 && entry.second->IsFull(now_micros);
    });
    // Any that nobody uses: each connection's own limit holds whatever is forgotten.
    for (auto entry = buckets_.begin();
         entry != buckets_.end() && buckets_.size() >= remembered_max_; ++entry) {
      if (entry->second.use_count() != 1) continue;
      buckets_.erase(entry);
      return;
    }
  }

  const int64_t per_second_;
  const int64_t burst_;
  const size_t remembered_max_;
  mutable std::mutex mutex_;
  absl::flat_hash_map<Key, std::shared_ptr<TokenBucket>> buckets_;
};

struct SharedBudgets {
  explicit SharedBudgets(const SharedRateLimits& limits)
      : account_orders(limits.account_orders_per_second, limits.account_orders_burst,
                       limits.accounts_remembered_max),
        address_requests(limits.address_requests_per_second, limits.address_requests_burst,
                         limits.addresses_remembered_max) {}

  BucketRegistry<AccountId> account_orders;
  BucketRegistry<std::string> address_requests;
};

}  // namespace warpbook::gateway
