// Gatekeeper: may this connection do that now? Everything about a connection that admission needs,
// and the checks that cost nothing, in the declared order: logon, scope, listener, shutting down,
// rate. Signatures, which cost, are verified later, by the methods that carry one.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "gateway/admission/authenticator.h"
#include "gateway/admission/limits.h"
#include "gateway/admission/token_bucket.h"
#include "gateway/protocol/methods.h"
#include "gateway/protocol/reply_writer.h"
#include "gateway/protocol/request.h"
#include "schema/types/enums.h"
#include "schema/types/ids.h"

namespace warpbook::gateway {

struct LoggedOn {
  AccountId account;
  OwnerId owner;
  AccountKind kind = AccountKind::kMember;
  uint32_t scopes = 0;
  std::shared_ptr<TokenBucket> orders = {};  // of the account, shared by all its sessions
};

// A mark that no other session of this process has; never 0. Any thread. It begins at random, so
// that marks of a process before are hardly met again.
uint32_t NextSessionMark();

// One connection, as admission knows it.
struct Visitor {
  Visitor(uint64_t id, std::string peer_address, bool on_admin_listener,
          const RateLimits& rate_limits)
      : connection_id(id),
        address(std::move(peer_address)),
        on_admin(on_admin_listener),
        limits(rate_limits),
        requests(rate_limits.requests_per_second, rate_limits.requests_burst),
        authentications(rate_limits.authentications_per_second, rate_limits.authentications_burst) {
  }

  const uint64_t connection_id;
  const std::string address;  // without the port
  const bool on_admin;
  const RateLimits& limits;
  TokenBucket requests;
  TokenBucket authentications;
  bool is_introduced = false;                     // its first message has come
  std::shared_ptr<TokenBucket> address_requests;  // null: not held to it
  Challenge challenge;
  std::optional<LoggedOn> logged_on;
  // Of the orders that are placed from here until logged_on ends.
  uint32_t session = NextSessionMark();

  // What its requests are taken from, as it is now.
  LimitStates LimitsAt(int64_t now_micros) const;
};

// Whether the engine only takes the request, and settlement decides it.
bool IsDecidedBySettlement(Method method);

// A method that counts against its account's orders.
bool IsOrderMethod(Method method);

// kNone, or why the method is refused. Takes tokens from the visitor's buckets, as for `count`
// requests; `now_micros` is a monotonic clock's.
Refusal Admit(Visitor& visitor, Method method, int64_t count, bool shutting_down,
              int64_t now_micros);

// Takes what a subscription counts for beyond any other request, where its channel begins with a
// long message. 0, or how many microseconds it is to wait.
int64_t TakeForSubscription(Visitor& visitor, Channel channel, int64_t now_micros);

}  // namespace warpbook::gateway
