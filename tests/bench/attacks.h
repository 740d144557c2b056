// What a hostile client does to a gateway, at a stated pace, for hostile_bench. Each attack runs in
// a thread of its own from its construction to its destruction, and counts what it did.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "tests/bench/gateway_market.h"

namespace warpbook::bench {

class Attack {
 public:
  virtual ~Attack() = default;
  // What it did and what came of it, for people. After the attack has ended.
  virtual std::string Report() const = 0;
  virtual void Stop() = 0;
};

struct AttackKind {
  const char* name;
  const char* description;
  std::unique_ptr<Attack> (*start)(const GatewayMarket& market);
};
const std::vector<AttackKind>& AllAttacks();

}  // namespace warpbook::bench
