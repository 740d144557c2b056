// What the exchange itself needs: its configuration, its ports, its secrets, the journal and its
// disk; and whether it runs. Nothing is changed but one small file that is written and removed
// where the journal is, to see how long its disk takes.
#pragma once

#include <cstdint>
#include <string>

#include "gateway/cli/doctor/finding.h"
#include "gateway/cli/serve.h"
#include "schema/journal/stat.h"

namespace warpbook::gateway {

void CheckExchange(const ServeOptions& options, Findings& findings);

// ---- Its parts, on what was read ----

void CheckJournalStat(const journal::JournalStat& stat, uint64_t reserve_bytes, Findings& findings);
// Half of the syncs took no longer than this.
void CheckSyncTime(int64_t median_micros, Findings& findings);
// `file_system`: as statfs names it.
void CheckFileSystem(int64_t magic, Findings& findings);

}  // namespace warpbook::gateway
