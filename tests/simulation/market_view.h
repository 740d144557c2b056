// MarketView: what whoever trades knows of the market, from published events: accounts, nodes,
// windows, orders and leases to name in commands.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <vector>

#include "schema/types/enums.h"
#include "schema/types/public_key.h"
#include "schema/wire/record.h"

namespace warpbook::simulation {

PublicKey ToKey(const flatbuffers::Array<uint8_t, 32>* bytes);
void PutKey(flatbuffers::Array<uint8_t, 32>* bytes, const PublicKey& key);

class MarketView {
 public:
  struct Node {
    uint64_t id = 0, account = 0;
    int32_t gpus = 0;
    uint16_t region = 0;
    bool approved = false;
  };
  struct Window {
    uint32_t id = 0;
    uint16_t region = 0;
    int64_t tick = 0;
    bool open = true;
  };
  struct Order {
    uint64_t id = 0, account = 0;
    int64_t price = 0;
  };
  struct Lease {
    uint64_t id = 0, buyer = 0, provider = 0;
  };

  void Observe(wire::RecordView event);

  // 0: there is none.
  uint64_t AccountOf(const PublicKey& key) const;
  bool HasNode(uint64_t account) const;
  bool HasCredits(uint64_t account) const { return funded_.contains(account); }  // had some
  bool HasBondedLimit(uint64_t account) const { return bonded_.contains(account); }
  const std::vector<uint64_t>& members() const { return members_; }
  const std::vector<Node>& nodes() const { return nodes_; }
  const std::vector<Window>& windows() const { return windows_; }  // not closed
  const std::vector<Order>& orders() const { return orders_; }     // also finished ones
  const std::vector<Lease>& leases() const { return leases_; }     // also settled ones

 private:
  std::map<PublicKey, uint64_t> accounts_;
  std::vector<uint64_t> members_;
  std::set<uint64_t> funded_, bonded_;  // accounts
  std::vector<Node> nodes_;
  std::vector<Window> windows_;
  std::vector<Order> orders_;
  std::vector<Lease> leases_;
};

}  // namespace warpbook::simulation
