// `warpbook`: the exchange's one command.

#include <iostream>

#include "gateway/cli/commands.h"
#include "schema/base/command_line.h"

int main(int argc, char** argv) {
  warpbook::CommandLine command_line("warpbook", "An exchange for GPU capacity.");
  warpbook::gateway::AddCommands(command_line.root());
  return command_line.Run(argc, argv, std::cout, std::cerr);
}
