// Prober: sees to it that nodes prove themselves again: calls those whose proof ends soon and, at a
// surprise, those that deliver; and tells the engine of calls and proofs whose time is over. All
// that it goes by is published, so that a restart takes nothing from it. The first I/O thread owns
// it.
#pragma once

#include <cstdint>

#include "engine/service/engine_port.h"
#include "gateway/net/probe_judge.h"
#include "gateway/publish/market_state.h"
#include "schema/types/timestamp.h"

namespace warpbook::gateway {

class Prober {
 public:
  // At most so many commands in a look; the rest has time until the next.
  static constexpr int kCommandsPerLook = 256;

  // All that is passed must outlive it.
  Prober(const MarketState& state, engine::EnginePort& port, const ProbePolicy& policy)
      : state_(state), port_(port), policy_(policy) {}

  // Looks at all nodes, once a second of the market's time at most.
  void Look(Timestamp now);

 private:
  void LookAt(const NodeRow& node, Timestamp now, bool is_surprised);
  void Submit(const wire::CommandRecord& command);

  const MarketState& state_;
  engine::EnginePort& port_;
  const ProbePolicy& policy_;
  Timestamp last_look_;
  int commands_left_ = 0;
};

}  // namespace warpbook::gateway
