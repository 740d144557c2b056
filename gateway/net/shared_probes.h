// What the I/O threads of a gateway share of probes.
#pragma once

#include "gateway/net/muster_board.h"
#include "gateway/net/probe_judge.h"

namespace warpbook::gateway {

struct SharedProbes {
  SharedProbes(const Catalogue& catalogue, const ProbePolicy& policy)
      : judge(catalogue, policy), musters(judge.policy()) {}

  ProbeJudge judge;
  MusterBoard musters;
};

}  // namespace warpbook::gateway
