// Provider: registers nodes under their own device keys, proves them by the CPU's prover (which
// answers the small profile of probes), asks for them around the fair price, and
// delivers what it sold: starts each lease in its first minute and sends a signed heartbeat for
// each minute, while that minute runs.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "gateway/cli/demo/member.h"

namespace warpbook::gateway {

class Provider : public Member {
 public:
  static constexpr int kNodes = 6;

  // `number`, from 0, says which markets its nodes are in, and how large they are.
  Provider(DemoContext& context, int64_t number, const std::string& name,
           const std::string& key_file, std::chrono::milliseconds action_period);

 protected:
  void Trade() override;
  void Maintain() override;
  void Deliver() override;
  void OnReady() override;
  void OnNewAccount() override;
  void OnOrderRefused(const std::string& code) override;

 private:
  struct Node {
    std::string key_file;
    std::shared_ptr<const Ed25519PrivateKey> key;
    size_t market = 0;
    int64_t gpus = 0;
    bool is_attested = false;  // an operator adds to its proof that it knows the hardware
    uint64_t id = 0;           // 0: not registered
    bool is_approved = false;
    bool is_proving = false;
    uint64_t proof = 0;       // its number
    int64_t prove_by_us = 0;  // when it has to prove itself again (the market's time); 0: at once
    std::chrono::steady_clock::time_point not_before;  // of the next call about it
  };

  absl::Status MakeNodes();
  void Register(Node& node);
  void OnRegistered(Node& node, const Reply& reply);
  void LookAtNodes();
  void OnNodeRow(Node& node, const JsonValue& row);
  bool HasToProve(const Node& node) const;
  void Prove(Node& node);
  void OnVerdict(Node& node, const absl::StatusOr<JsonValue>& verdict);
  void Ask(const Node& node, const DemoWindow& window);
  void Start(OwnLease& lease);
  void SendHeartbeat(OwnLease& lease);
  // The lease's next call waits, for longer the less it can do about the refusal; for ever where
  // nothing can.
  static void WaitAfter(OwnLease& lease, const Reply& reply);
  Node* FindNode(uint64_t id);

  const int64_t number_;
  std::chrono::steady_clock::time_point next_look_;
  std::vector<Node> nodes_;
  int64_t limit_usd_ = 0;
  bool needs_limit_ = false;
  std::chrono::steady_clock::time_point limit_due_;
};

}  // namespace warpbook::gateway
