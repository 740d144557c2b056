// What settlement needs of PostgreSQL: a version that it was tried with, settings under which what
// is committed stays, the schema of this program, a role that cannot change what was posted.
#pragma once

#include <string>

#include "gateway/cli/doctor/finding.h"
#include "settlement/store/server_facts.h"

namespace warpbook::gateway {

void CheckDatabase(const std::string& conninfo, Findings& findings);

// On what was read.
void CheckServerFacts(const settlement::ServerFacts& facts, Findings& findings);

}  // namespace warpbook::gateway
