// Prober: sees to it that nodes prove themselves again, and those of an owner together: calls those
// whose proof ends soon and, at a surprise, those that deliver, with all others of their owner; and
// tells the engine of calls and proofs whose time is over. All that it goes by is published. After
// a start it ends what a process before has left open, and leaves nodes the time of a surprise
// before it takes anything from them: they could not answer while the exchange was away. The first
// I/O thread owns it.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "engine/service/engine_port.h"
#include "gateway/net/shared_probes.h"
#include "gateway/publish/market_state.h"
#include "schema/types/timestamp.h"

namespace warpbook::gateway {

class Prober {
 public:
  // At most so many commands in a look; the rest has time until the next.
  static constexpr int kCommandsPerLook = 256;

  // All that is passed must outlive it.
  Prober(const MarketState& state, engine::EnginePort& port, SharedProbes& shared)
      : state_(state), port_(port), policy_(shared.judge.policy()), musters_(shared.musters) {}

  // Looks at all nodes, once a second of the market's time at most.
  void Look(Timestamp now);
  // Before anything else: the probes that are open are of a process before.
  void TakeOver();

 private:
  void EndLeftOver();
  // Ends its call or its proof, if that is over.
  bool EndWhatIsOver(const NodeRow& node, Timestamp now);
  // All nodes of an owner that take part. When they are to have proved themselves anew; 0: there is
  // no need.
  Timestamp DueOf(const std::vector<const NodeRow*>& nodes, bool is_surprised, Timestamp now) const;
  void Call(OwnerId owner, const std::vector<const NodeRow*>& nodes, Timestamp due, Timestamp now);
  // Whether what ended then is to be told.
  bool IsOver(const NodeRow& node, Timestamp end, Timestamp now) const;
  void Submit(const wire::CommandRecord& command);

  const MarketState& state_;
  engine::EnginePort& port_;
  const ProbePolicy& policy_;
  MusterBoard& musters_;
  Timestamp last_look_;
  Timestamp first_end_;  // nothing ends before
  std::vector<std::pair<NodeId, Sequence>> left_over_;
  int commands_left_ = 0;
};

}  // namespace warpbook::gateway
