// `warpbook`: the exchange's one command.

#include <iostream>

#include "gateway/cli/command_line.h"
#include "gateway/cli/commands.h"

int main(int argc, char** argv) {
  using namespace warpbook::gateway;
  CommandLine command_line("warpbook", "An exchange for GPU capacity.");
  Command root = command_line.root();
  AddServeCommand(root);
  AddKeyCommands(root);
  AddAccountCommands(root);
  AddOrderCommands(root);
  AddWatchCommands(root);
  AddInstrumentCommands(root);
  AddCapacityCommands(root);
  AddLeaseCommands(root);
  AddOperatorCommands(root);
  AddJournalCommands(root);
  AddDemoCommand(root);
  return command_line.Run(argc, argv, std::cout, std::cerr);
}
