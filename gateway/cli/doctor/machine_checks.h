// What the machine must give: a clock that is right, memory that is not swapped, large pages, file
// descriptors.
#pragma once

#include <cstdint>
#include <string>

#include "gateway/cli/doctor/finding.h"

namespace warpbook::gateway {

void CheckMachine(Findings& findings);

// ---- Its parts, on what was read, so that each is tested ----

// `synchronised`: what the kernel says of the clock.
void CheckClock(bool synchronised, Findings& findings);
// `swaps`: the text of /proc/swaps.
void CheckSwap(const std::string& swaps, uint64_t locked_bytes_max, Findings& findings);
// `enabled`: the text of /sys/kernel/mm/transparent_hugepage/enabled; "": there is none.
void CheckLargePages(const std::string& enabled, Findings& findings);
void CheckDescriptors(uint64_t hard_limit, Findings& findings);

}  // namespace warpbook::gateway
