#include "schema/metrics/process_metrics.h"

#include <sys/resource.h>
#include <unistd.h>

#include <cstdint>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <system_error>

#include "schema/base/clock.h"
#include "schema/types/timestamp.h"

namespace warpbook {
namespace {

int64_t MicrosOf(const timeval& time) { return time.tv_sec * kMicrosPerSecond + time.tv_usec; }

// 0 where it cannot be told.
int64_t ResidentBytes() {
  std::ifstream statm("/proc/self/statm");
  int64_t size_pages = 0, resident_pages = 0;
  statm >> size_pages >> resident_pages;
  return statm ? resident_pages * sysconf(_SC_PAGESIZE) : 0;
}

int64_t OpenDescriptors() {
  std::error_code error;
  const std::filesystem::directory_iterator descriptors("/proc/self/fd", error);
  return error ? 0 : std::distance(descriptors, std::filesystem::directory_iterator());
}

}  // namespace

void AddProcessMetrics(Metrics& metrics, const BuildInfo& build) {
  metrics.gauge(Metric::kBuildInfo, {build.service, build.version, build.rules_version}).Set(1);
  metrics.gauge(Metric::kProcessStartTime).Set(SystemClock().NowMicros() / kMicrosPerSecond);
  metrics.AddSource([](MetricSamples& samples) {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    samples.Add(Metric::kProcessCpu, {}, MicrosOf(usage.ru_utime) + MicrosOf(usage.ru_stime));
    samples.Add(Metric::kProcessResidentMemory, {}, ResidentBytes());
    samples.Add(Metric::kProcessOpenFds, {}, OpenDescriptors());
    rlimit limit{};
    getrlimit(RLIMIT_NOFILE, &limit);
    samples.Add(Metric::kProcessMaxFds, {}, static_cast<int64_t>(limit.rlim_cur));
  });
}

}  // namespace warpbook
