#include "gateway/net/descriptors.h"

#include <sys/resource.h>

#include <algorithm>
#include <cerrno>

#include "absl/strings/str_cat.h"

namespace warpbook::gateway {

absl::StatusOr<uint64_t> RaiseDescriptorLimit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) {
    return absl::ErrnoToStatus(errno, "cannot read the limit of open files");
  }
  if (limit.rlim_cur == limit.rlim_max) return limit.rlim_cur;
  limit.rlim_cur = limit.rlim_max;
  if (setrlimit(RLIMIT_NOFILE, &limit) != 0) {
    return absl::ErrnoToStatus(errno, "cannot raise the limit of open files");
  }
  return limit.rlim_cur;
}

absl::Status FitConnections(uint64_t descriptors, GatewayLimits& limits) {
  const uint64_t others = kReservedDescriptors + limits.admin_connections.total_max +
                          limits.admin_connections.refused_max +
                          limits.client_connections.refused_max;
  if (descriptors <= others) {
    return absl::ResourceExhaustedError(absl::StrCat("the limit of open files is ", descriptors,
                                                     ", and at least ", others + 1,
                                                     " are needed (ulimit -n)"));
  }
  limits.client_connections.total_max =
      std::min<uint64_t>(limits.client_connections.total_max, descriptors - others);
  return absl::OkStatus();
}

}  // namespace warpbook::gateway
