#include <iostream>
#include <string>

#include "gateway/cli/commands.h"
#include "schema/metrics/metric_table.h"

namespace warpbook::gateway {
namespace {

// "method, code": as people list them.
std::string LabelsOf(const MetricInfo& info) {
  std::string labels;
  for (const char c : info.labels) {
    labels += c;
    if (c == ',') labels += ' ';
  }
  return labels;
}

// Who exports it.
std::string_view ServiceOf(const MetricInfo& info) {
  if (info.metric >= Metric::kBuildInfo) return "both";
  return info.metric >= Metric::kSettlementSequence ? "warpbook-settlement" : "warpbook";
}

int PrintTable() {
  std::cout << "| metric | type | labels | exported by | meaning |\n|---|---|---|---|---|\n";
  for (const MetricInfo& info : AllMetrics()) {
    std::cout << "| `" << info.name << "` | " << NameOf(info.type) << " | " << LabelsOf(info)
              << " | " << ServiceOf(info) << " | " << info.help << " |\n";
  }
  return kExitOk;
}

}  // namespace

void AddMetricsCommand(Command& root) {
  root.Add("metrics", "What the services export for Prometheus, as a table (Markdown)")
      .OnRun(PrintTable);
}

}  // namespace warpbook::gateway
