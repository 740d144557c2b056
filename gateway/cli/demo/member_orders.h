// MemberOrders: one member's open orders as the exchange tells them, and those that it has sent and
// not heard of. The loop's thread owns it.
//
// An order is pending from when it is sent to its first execution or its refusal. What was pending
// when a connection was lost is asked for again with the same client order id and content: the
// exchange then answers with the first outcome, or takes it now.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "absl/container/flat_hash_map.h"
#include "gateway/cli/demo/context.h"
#include "gateway/cli/demo/reconnecting_client.h"
#include "schema/base/json_object.h"
#include "schema/types/ids.h"

namespace warpbook::gateway {

// What an ask sells: GPUs of a node, or of a lease that is resold. A bid has neither.
struct Backing {
  uint64_t node = 0;
  uint64_t lease = 0;
  friend bool operator==(const Backing&, const Backing&) = default;
};

struct OpenOrder {
  uint64_t id = 0;
  std::string symbol;
  bool is_bid = false;
  int64_t gpus = 0;  // the total, filled included
  int64_t remaining = 0;
  Backing backing;
};

class MemberOrders {
 public:
  // `account` is the member's, known once it is logged on. `on_refused` hears the code of every
  // order that was refused, after what is done here.
  MemberOrders(DemoContext& context, ReconnectingClient& client, const AccountId& account,
               std::string id_prefix, std::function<void(const std::string& code)> on_refused);

  // Sends an order; `params` are all but the symbol, the GPUs, the backing and the client order id.
  void Place(JsonObject params, const std::string& symbol, int64_t gpus, const Backing& backing);
  // Another price for a random open order, or its end; false where there is none.
  bool AmendRandom();
  bool CancelRandom();
  void CancelAll();

  // The exchange's word: an update of the channel executions, or all orders that are open.
  void OnExecutions(const JsonValue& data);
  void Replace(const JsonValue& orders);
  // Asks again for what was pending when the connection was lost.
  void AskAgain();

  // GPUs of open and pending asks with this backing in an instrument.
  int64_t GpusAsked(const Backing& backing, std::string_view symbol) const;
  size_t open() const { return open_.size(); }
  size_t pending() const { return pending_.size(); }
  // Whether the exchange has asked to wait.
  bool is_paused() const { return std::chrono::steady_clock::now() < paused_until_; }

 private:
  struct PendingOrder {
    std::string params;
    std::string symbol;
    int64_t gpus = 0;
    Backing backing;
    bool is_acknowledged = false;  // by a reply; its first execution is yet to come
    bool is_asked_again = false;
  };

  void Send(const std::string& client_id);
  void OnReply(const std::string& client_id, const Reply& reply);
  void OnRefused(std::string_view method, const Reply& reply, const std::string& symbol);
  void OnExecution(const JsonValue& execution);
  const OpenOrder* Random();

  DemoContext& context_;
  ReconnectingClient& client_;
  const AccountId& account_;
  const std::string id_prefix_;
  const std::function<void(const std::string&)> on_refused_;
  absl::flat_hash_map<uint64_t, OpenOrder> open_;
  absl::flat_hash_map<std::string, PendingOrder> pending_;  // by client order id
  std::chrono::steady_clock::time_point paused_until_;
  int64_t placed_ = 0;
};

}  // namespace warpbook::gateway
