// What `warpbook-probe` understands. CLI11 is in command_line.cc alone.
#pragma once

#include "gpu_probe/prover/commands.h"

namespace warpbook::probe {

// Parses and runs; the exit code. Help goes to `out`, what is wrong to `error` in one line.
int RunCommandLine(int argc, const char* const* argv, const Program& program);

}  // namespace warpbook::probe
