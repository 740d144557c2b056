#include "gateway/cli/doctor/machine_checks.h"

#include <sys/resource.h>
#include <sys/timex.h>

#include <fstream>
#include <iterator>

#include "absl/strings/str_cat.h"
#include "gateway/admission/limits.h"
#include "gateway/net/descriptors.h"

namespace warpbook::gateway {
namespace {

std::string TextOf(const char* path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

uint64_t HardLimit(__rlimit_resource resource) {
  rlimit limit{};
  getrlimit(resource, &limit);
  return limit.rlim_max;
}

}  // namespace

void CheckClock(bool synchronised, Findings& findings) {
  if (synchronised) return findings.Good("clock", "The clock is kept right by a time service.");
  findings.Warn(
      "clock",
      "Nothing keeps the clock right. Logons are refused by clocks that differ, and windows "
      "open and close by it: run chrony or systemd-timesyncd.");
}

void CheckSwap(const std::string& swaps, uint64_t locked_bytes_max, Findings& findings) {
  // A line of headings, then one for each.
  const size_t second_line = swaps.find('\n');
  const bool swaps_out = second_line != std::string::npos && second_line + 1 < swaps.size();
  if (!swaps_out) return findings.Good("memory", "Nothing of the engine can be swapped out.");
  findings.Warn(
      "memory",
      absl::StrCat("There is swap, and an engine that is swapped out answers a thousand times "
                   "slower: switch it off (swapoff -a), or set MemorySwapMax=0 in its unit",
                   locked_bytes_max == 0 ? "; no memory may be locked either." : "."));
}

void CheckLargePages(const std::string& enabled, Findings& findings) {
  if (enabled.find("[never]") == std::string::npos && !enabled.empty()) {
    return findings.Good("large pages", "The engine's tables get large pages.");
  }
  findings.Warn("large pages",
                "The system gives no large pages, and a book of a million orders is slower by a "
                "third: write madvise to /sys/kernel/mm/transparent_hugepage/enabled.");
}

void CheckDescriptors(uint64_t hard_limit, Findings& findings) {
  GatewayLimits limits;
  const uint64_t wanted = limits.client_connections.total_max;
  if (!FitConnections(hard_limit, limits).ok()) {
    return findings.Fault("open files", absl::StrCat("Only ", hard_limit,
                                                     " files may be open, and not one client fits: "
                                                     "raise LimitNOFILE."));
  }
  if (limits.client_connections.total_max < wanted) {
    return findings.Warn(
        "open files", absl::StrCat("Only ", hard_limit, " files may be open, so ",
                                   limits.client_connections.total_max, " clients fit instead of ",
                                   wanted, ": raise LimitNOFILE."));
  }
  findings.Good("open files", absl::StrCat(wanted, " clients fit."));
}

void CheckMachine(Findings& findings) {
  timex state{};
  CheckClock(adjtimex(&state) != TIME_ERROR, findings);
  CheckSwap(TextOf("/proc/swaps"), HardLimit(RLIMIT_MEMLOCK), findings);
  CheckLargePages(TextOf("/sys/kernel/mm/transparent_hugepage/enabled"), findings);
  CheckDescriptors(HardLimit(RLIMIT_NOFILE), findings);
}

}  // namespace warpbook::gateway
