// Accounts, their keys, their money and their nodes. Engine's thread. Credits in 1/60 micro-USD.
// Invariants (CheckInvariants): no bucket is negative; locked is the sum of the locks of the open
// bids; exposure is the sum of the open asks at their limits and of the fills not yet ended.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "engine/core/client_order_ids.h"
#include "engine/core/order.h"
#include "schema/types/public_key.h"

namespace warpbook::engine {

struct AccountKey {
  PublicKey key;
  uint32_t scopes = 0;
};

struct Account {
  AccountId id;
  OwnerId owner;  // 0 for the exchange's own accounts
  AccountKind kind = AccountKind::kMember;
  uint64_t event_sequence = 0;  // of its last private event
  Credits free, locked, escrow, owed;
  Credits bonded_limit, exposure;
  std::vector<AccountKey> keys;
  std::vector<NodeId> nodes;
  // Its open orders, ascending by id.
  Order* first_order = nullptr;
  Order* last_order = nullptr;
  uint32_t order_count = 0;
  absl::flat_hash_map<InstrumentId, uint32_t> orders_in_book;
  std::unique_ptr<ClientOrderIds> client_order_ids;  // null until the first one
};

// What a node has open and sold in one window.
struct NodeUse {
  Quantity open;
  Quantity sold;
  friend bool operator==(const NodeUse&, const NodeUse&) = default;
};

// A machine of one class in one region. Invariant: per window with open asks, open + sold <= gpus.
struct Node {
  NodeId id;
  Account* account = nullptr;
  ClassId class_id;
  RegionId region_id;
  PublicKey device_key = {};
  Quantity registered;
  Quantity gpus;  // of them, how many may be sold: an operator's word
  Assurance assurance = Assurance::kListed;
  bool approved = false;  // an operator has set its capacity
  absl::btree_map<InstrumentId, NodeUse> windows;
};

class Accounts {
 public:
  Account* Find(AccountId id);
  Node* FindNode(NodeId id);
  const Account* FindByKey(const PublicKey& key) const;
  bool device_key_in_use(const PublicKey& key) const { return device_keys_.contains(key); }

  // The keys must not be in use.
  Account& Open(AccountKind kind, const PublicKey& key, uint32_t scopes);
  void AddKey(Account& account, const PublicKey& key, uint32_t scopes);
  Node& AddNode(Account& account, const PublicKey& device_key);

  // Ascending by id; addresses hold.
  std::deque<Account>& all() { return accounts_; }
  const std::deque<Account>& all() const { return accounts_; }
  const std::deque<Node>& nodes() const { return nodes_; }
  uint64_t owner_count() const { return owner_count_; }

 private:
  std::deque<Account> accounts_;
  std::deque<Node> nodes_;
  uint64_t owner_count_ = 0;
  absl::flat_hash_map<PublicKey, AccountId> keys_;
  absl::flat_hash_set<PublicKey> device_keys_;
};

}  // namespace warpbook::engine
