#include "gateway/net/descriptors.h"

#include <doctest/doctest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

namespace warpbook::gateway {

TEST_CASE("Connections never take the descriptors that the journal needs") {
  GatewayLimits limits;
  limits.client_connections = {.total_max = 8'000, .per_address_max = 1'024, .refused_max = 10};
  limits.admin_connections = {.total_max = 20, .per_address_max = 20, .refused_max = 6};
  REQUIRE(FitConnections(1'048'576, limits).ok());
  CHECK(limits.client_connections.total_max == 8'000);
  REQUIRE(FitConnections(1'024, limits).ok());
  CHECK(limits.client_connections.total_max == 1'024 - 96 - 10 - 26);
  REQUIRE(FitConnections(133, limits).ok());
  CHECK(limits.client_connections.total_max == 1);
  const absl::Status none = FitConnections(132, limits);
  CHECK(absl::IsResourceExhausted(none));
  CHECK(none.message() ==
        "the limit of open files is 132, and at least 133 are needed (ulimit -n)");
}

TEST_CASE("The soft limit of descriptors is raised to the hard one") {
  const pid_t child = fork();  // limits are the process's
  if (child == 0) {
    rlimit limit{};
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max / 2;
    setrlimit(RLIMIT_NOFILE, &limit);
    const absl::StatusOr<uint64_t> raised = RaiseDescriptorLimit();
    getrlimit(RLIMIT_NOFILE, &limit);
    _exit(raised.ok() && *raised == limit.rlim_max && limit.rlim_cur == limit.rlim_max ? 0 : 1);
  }
  int status = -1;
  REQUIRE(waitpid(child, &status, 0) == child);
  CHECK(status == 0);
}

}  // namespace warpbook::gateway
