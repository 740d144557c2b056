// OrderGuards: who has asked that orders be cancelled when a session ends, or when an account is
// not heard of in time, as accepted commands say (SetOrderGuard). What is to be done about them is
// gateway/net/order_guardian.h. Owned by MarketState.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <utility>

#include "absl/container/btree_map.h"
#include "absl/container/btree_set.h"
#include "absl/container/flat_hash_map.h"
#include "schema/types/enums.h"
#include "schema/types/ids.h"
#include "schema/types/timestamp.h"
#include "schema/wire/record.h"

namespace warpbook::gateway {

class OrderGuards {
 public:
  struct Session {
    AccountId account;
    uint32_t mark = 0;
    friend auto operator<=>(const Session&, const Session&) = default;
  };

  void Apply(const wire::SetOrderGuard& command);

  // kSession or kAccount, or kOff where there is none.
  OrderGuardMode ModeOf(const Session& session) const;
  std::optional<Timestamp> TimerOf(AccountId account) const;
  const absl::btree_map<Session, OrderGuardMode>& sessions() const { return sessions_; }
  // By deadline, in real time.
  const absl::btree_set<std::pair<Timestamp, AccountId>>& timers() const { return timers_; }

  void AddSession(const Session& session, OrderGuardMode mode) { sessions_[session] = mode; }
  void SetTimer(AccountId account, Timestamp deadline);

 private:
  void ClearTimer(AccountId account);

  absl::btree_map<Session, OrderGuardMode> sessions_;
  absl::btree_set<std::pair<Timestamp, AccountId>> timers_;
  absl::flat_hash_map<AccountId, Timestamp> deadlines_;  // the same, by account
};

}  // namespace warpbook::gateway
