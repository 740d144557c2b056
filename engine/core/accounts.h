// Accounts, their keys, their money and their nodes. Engine's thread. Credits in 1/60 micro-USD.
// Invariants (CheckInvariants): no bucket is negative; locked is the sum of the locks of the open
// bids; exposure is the sum of the open asks at their limits and of the fills not yet ended.
#pragma once

#include <cstdint>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "engine/core/by_instrument.h"
#include "engine/core/order.h"
#include "engine/core/stable_vector.h"
#include "schema/types/public_key.h"

namespace warpbook::engine {

// One that was revoked stays, so that it is never anybody's again: who stole it could otherwise
// wait for a slip.
struct AccountKey {
  PublicKey key;
  uint32_t scopes = 0;  // 0: revoked
};

struct alignas(64) Account {
  // What every order reads or changes.
  AccountId id;
  OwnerId owner;                // 0 for the exchange's own accounts
  uint64_t event_sequence = 0;  // of its last private event
  Credits free, locked;
  Credits bonded_limit, exposure;
  AccountKind kind = AccountKind::kMember;
  bool must_be_verified = false;  // its owner is large and not verified: see Owner
  uint32_t order_count = 0;
  // Its open orders, ascending by id.
  Order* first_order = nullptr;
  Order* last_order = nullptr;
  ByInstrument<uint32_t> orders_in_book;

  Credits escrow, owed;
  std::vector<AccountKey> keys;  // as they were added
  std::vector<NodeId> nodes;
  uint32_t pending_top_ups = 0;
};

// Who stands behind an account: self-trade prevention and the thresholds of money go by owner. One
// that is large and not verified sells and tops up no more (2-tokens, Owners).
struct Owner {
  AccountId account;
  bool verified = false;  // an operator's word
  bool large = false;     // settlement's
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
  Quantity gpus_max;  // of them, what an operator allows at the most
  Quantity gpus;      // how many may be sold: an operator's word, or a probe's
  Assurance assurance = Assurance::kListed;
  bool approved = false;  // an operator has set its capacity, or a probe
  // Probes (design: gpu_probe).
  uint64_t probe_id = 0;    // the one that is open; 0: none
  Timestamp probe_expires;  // no other one is begun before
  Timestamp proved_until;   // when its last proof lapses; 0: it is not proved
  Timestamp probe_due;      // called: when it has to have proved itself; 0: not called
  ByInstrument<NodeUse> windows;
};

class Accounts {
 public:
  Account* Find(AccountId id) {
    return id.value() - 1 < accounts_.size() ? &accounts_[id.value() - 1] : nullptr;
  }
  Node* FindNode(NodeId id) {
    return id.value() - 1 < nodes_.size() ? &nodes_[id.value() - 1] : nullptr;
  }
  Owner* FindOwner(OwnerId id) {
    return id.value() - 1 < owners_.size() ? &owners_[id.value() - 1] : nullptr;
  }
  // Whose key it is, or was before it was revoked.
  const Account* FindByKey(const PublicKey& key) const;
  bool device_key_in_use(const PublicKey& key) const { return device_keys_.contains(key); }

  // The keys must not be in use.
  Account& Open(AccountKind kind, const PublicKey& key, uint32_t scopes);
  void AddKey(Account& account, const PublicKey& key, uint32_t scopes);
  Node& AddNode(Account& account, const PublicKey& device_key);

  // Ascending by id; addresses hold.
  const StableVector<Account>& all() const { return accounts_; }
  const StableVector<Node>& nodes() const { return nodes_; }
  const StableVector<Owner>& owners() const { return owners_; }

 private:
  StableVector<Account> accounts_;
  StableVector<Node> nodes_;
  StableVector<Owner> owners_;
  absl::flat_hash_map<PublicKey, AccountId> keys_;
  absl::flat_hash_set<PublicKey> device_keys_;
};

}  // namespace warpbook::engine
