// This process, as the system sees it.
#pragma once

#include <sched.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstddef>
#include <cstdio>

#include "schema/base/check.h"

namespace warpbook::bench {

// Resident bytes but for those of files: the journal's, whose file is in memory here, are none of
// the process's own.
inline size_t ResidentBytes() {
  std::FILE* file = std::fopen("/proc/self/statm", "r");
  WARPBOOK_CHECK(file != nullptr);
  unsigned long size = 0, resident = 0, of_files = 0;
  WARPBOOK_CHECK(std::fscanf(file, "%lu %lu %lu", &size, &resident, &of_files) == 3);
  std::fclose(file);
  return (resident - of_files) * static_cast<size_t>(sysconf(_SC_PAGESIZE));
}

// As many open files as the system allows.
inline void RaiseDescriptorLimit() {
  rlimit limit{};
  WARPBOOK_CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0);
  limit.rlim_cur = limit.rlim_max;
  WARPBOOK_CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
}

// The calling thread gets what the others leave: for a client that stands for other machines, and
// must not take the processor from what is measured.
inline void YieldToOthers() {
  const sched_param none{};
  WARPBOOK_CHECK(sched_setscheduler(0, SCHED_IDLE, &none) == 0);
}

}  // namespace warpbook::bench
