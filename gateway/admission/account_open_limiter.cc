#include "gateway/admission/account_open_limiter.h"

namespace warpbook::gateway {

int64_t AccountOpenLimiter::Take(const std::string& address, int64_t now_micros) {
  // The address first: who asks too much takes nothing from the others.
  const auto known = by_address_.find(address);
  int64_t wait = known == by_address_.end() ? 0 : known->second.Take(now_micros, kShare);
  if (wait == 0) wait = all_.Take(now_micros, kShare);
  if (wait != 0 || known != by_address_.end()) return wait;
  // A new address is remembered only once it has opened one, so that no more of them come in a
  // minute than accounts may be opened.
  if (by_address_.size() >= limits_.addresses_max) Forget(now_micros);
  TokenBucket bucket(limits_.per_address_per_minute, limits_.per_address_burst * kShare);
  bucket.Take(now_micros, kShare);
  by_address_.emplace(address, bucket);
  return 0;
}

void AccountOpenLimiter::Forget(int64_t now_micros) {
  absl::erase_if(by_address_, [&](auto& entry) { return entry.second.IsFull(now_micros); });
  // Any one: the limit of all holds whatever is forgotten.
  if (by_address_.size() >= limits_.addresses_max) by_address_.erase(by_address_.begin());
}

}  // namespace warpbook::gateway
