// Runs `warpbook` commands inside the test, as main does, and keeps what they print.
#pragma once

#include <string>
#include <vector>

namespace warpbook::gateway {

struct CommandResult {
  int exit_code = 0;
  std::string out;
  std::string error;
};

// RunCommand({"keys", "new", path}).
CommandResult RunCommand(const std::vector<std::string>& words);

}  // namespace warpbook::gateway
