// SharedAdmission: what admission must know over all I/O threads of a gateway: connections and what
// addresses do before anybody has logged on, and what accounts and addresses may ask for together.
// Any thread; under a mutex, which is taken when a connection comes or goes, says its first message
// or logs on, an account is opened or HTTP is asked, and never for an order.
#pragma once

#include <cstdint>
#include <mutex>
#include <string>

#include "gateway/admission/account_open_limiter.h"
#include "gateway/admission/address_limiter.h"
#include "gateway/admission/connection_counter.h"
#include "gateway/admission/limits.h"
#include "gateway/admission/shared_budgets.h"

namespace warpbook::gateway {

class SharedAdmission {
 public:
  // The limits must outlive it.
  explicit SharedAdmission(const GatewayLimits& limits)
      : client_connections_(limits.client_connections),
        admin_connections_(limits.admin_connections),
        account_opens_(limits.account_opens),
        http_requests_(limits.http.requests_per_second, limits.http.requests_burst,
                       limits.http.addresses_max),
        budgets_(limits.shared) {}

  struct Arrival {
    ConnectionCounter::Verdict verdict;
    uint64_t connection_id;  // of no other connection
  };
  Arrival AddConnection(const std::string& address, bool on_admin) {
    const std::lock_guard lock(mutex_);
    return {.verdict = CounterOf(on_admin).Add(address), .connection_id = ++last_connection_id_};
  }
  // Of one that was not dropped.
  void RemoveConnection(const std::string& address, bool on_admin) {
    const std::lock_guard lock(mutex_);
    CounterOf(on_admin).Remove(address);
  }

  // 0, or how many microseconds to wait; `now_micros` is a monotonic clock's.
  int64_t TakeAccountOpen(const std::string& address, int64_t now_micros) {
    const std::lock_guard lock(mutex_);
    return account_opens_.Take(address, now_micros);
  }
  int64_t TakeHttpRequest(const std::string& address, int64_t now_micros) {
    const std::lock_guard lock(mutex_);
    return http_requests_.Take(address, now_micros);
  }

  // Any thread: it locks for itself.
  SharedBudgets& budgets() { return budgets_; }

 private:
  ConnectionCounter& CounterOf(bool on_admin) {
    return on_admin ? admin_connections_ : client_connections_;
  }

  std::mutex mutex_;
  ConnectionCounter client_connections_, admin_connections_;
  AccountOpenLimiter account_opens_;
  AddressLimiter http_requests_;
  SharedBudgets budgets_;
  uint64_t last_connection_id_ = 0;
};

}  // namespace warpbook::gateway
