// What a gateway asks of providers' probes, and when.
#pragma once

#include <cstdint>

#include "schema/types/timestamp.h"

namespace warpbook::gateway {

struct ProbePolicy {
  // Challenges are of the small profile (gpu_probe/verifier/class_table.h), which a CPU answers and
  // which proves nothing of a class: for demonstrations.
  bool small_profile = false;

  // ---- By the market's clock ----
  // How long a proof holds; how long before its end the node is called; how often a node is called
  // at a surprise while it delivers (on average; 0: never).
  int64_t valid_micros = 24 * 60 * kMicrosPerMinute;
  int64_t call_lead_micros = 2 * 60 * kMicrosPerMinute;
  int64_t surprise_mean_micros = 4 * 60 * kMicrosPerMinute;
  // The time that a called node has. Of that, the last part at the latest is for the proof that all
  // nodes of an owner make together (MusterBoard); and whoever comes first waits so long for the
  // others, even where that has begun.
  int64_t answer_micros = 5 * kMicrosPerMinute;
  int64_t muster_lead_micros = 2 * kMicrosPerMinute;
  int64_t muster_wait_micros = kMicrosPerMinute / 2;
  // So long after a time that is over a node is left as it is while a probe of it is open: its
  // verdict may be on its way.
  int64_t grace_micros = 10 * kMicrosPerMinute;

  // ---- By the real clock ----
  // A muster's gather begins so long after its start, and before where all are ready.
  int64_t gather_after_micros = kMicrosPerMinute;
  // Who asks so much later than a muster's step has begun has missed it.
  int64_t late_max_micros = kMicrosPerSecond;
};

}  // namespace warpbook::gateway
