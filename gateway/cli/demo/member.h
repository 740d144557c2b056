// Member: one participant of the demo market: a WebSocket client with its own key and account, kept
// in files from run to run. It logs on (opening its account the first time), subscribes to its
// private channels, finds out what it has (also after a lost connection), and then trades. What it
// trades is for the kinds of members to say. The loop's thread owns it.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "gateway/cli/demo/context.h"
#include "gateway/cli/demo/member_leases.h"
#include "gateway/cli/demo/member_orders.h"
#include "gateway/cli/demo/reconnecting_client.h"
#include "schema/base/crypto.h"
#include "schema/types/ids.h"

namespace warpbook::gateway {

class Member {
 public:
  // `key_file` holds the key, and beside it the account; both are made where they are not there.
  Member(DemoContext& context, const std::string& name, const std::string& key_file,
         std::chrono::milliseconds action_period);
  virtual ~Member() = default;
  Member(const Member&) = delete;
  Member& operator=(const Member&) = delete;

  absl::Status LoadFiles();
  void Start();
  void Stop();

  void CancelAll() { orders_.CancelAll(); }
  // Orders that are open or not heard of.
  size_t unfinished_orders() const { return orders_.open() + orders_.pending(); }
  bool is_ready() const { return is_ready_; }

 protected:
  // One action on the market, at its average rate.
  virtual void Trade() = 0;
  // Once a second while logged on: what the member needs to go on trading.
  virtual void Maintain() = 0;
  // Ten times a second while logged on: what it owes to its leases.
  virtual void Deliver() = 0;
  // Logged on, all that the member has is known.
  virtual void OnReady() {}
  // The account was opened anew: what was known of an earlier one is of no use.
  virtual void OnNewAccount() {}
  virtual void OnOrderRefused(const std::string& code) = 0;

  // Asks the operator for `amount` TOK when there are fewer than `low`.
  void MaintainTokens(int64_t low, int64_t amount);

  // A call, while connected. Refusals are counted.
  void Call(std::string_view method, const std::string& params,
            const std::function<void(const Reply&)>& on_reply);

  // Picks a market and one of its windows, the nearer ones more often; nullptr where none is open.
  const DemoWindow* PickWindow(size_t market);

  DemoContext& context_;
  const std::string name_;
  const std::string key_file_;
  ReconnectingClient client_;
  AccountId account_;
  OwnerId owner_;
  MemberOrders orders_;
  MemberLeases leases_;
  int64_t free_micro_usd_ = 0;  // of credits
  int64_t micro_tokens_ = 0;
  int64_t tokens_ = 0;          // whole TOK
  int64_t credits_bought_ = 0;  // how often they arrived

 private:
  void OnConnected();
  void OpenAccount();
  void OnAccountRefused(const Reply& reply);
  void LogOn();
  void OnLoggedOn();
  void OnMessage(const JsonValue& message);
  void OnBalance(const JsonValue& item);
  void BeVerified();
  // Runs the function every so often until the member is stopped.
  void Repeat(std::chrono::milliseconds period, const std::function<void()>& function);

  std::shared_ptr<const Ed25519PrivateKey> key_;
  const std::chrono::milliseconds action_period_;
  bool is_running_ = false;
  bool is_ready_ = false;
  bool is_verified_ = false;
  bool was_connected_ = false;
  std::chrono::steady_clock::time_point deposit_due_;  // no other deposit is asked for before
};

}  // namespace warpbook::gateway
