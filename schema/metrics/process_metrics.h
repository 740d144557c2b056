// What every process exports of itself: build_info, and the process_ metrics that Prometheus's own
// client libraries have.
#pragma once

#include <string>

#include "schema/metrics/metrics.h"

namespace warpbook {

struct BuildInfo {
  std::string service;  // "warpbook", "warpbook-settlement"
  std::string version;
  std::string rules_version;  // "": it follows none
};

void AddProcessMetrics(Metrics& metrics, const BuildInfo& build);

}  // namespace warpbook
