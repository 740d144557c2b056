#include "gateway/cli/commands.h"

namespace warpbook::gateway {

void AddCommands(Command root) {
  AddServeCommand(root);
  AddKeyCommands(root);
  AddAccountCommands(root);
  AddOrderCommands(root);
  AddWatchCommands(root);
  AddInstrumentCommands(root);
  AddCapacityCommands(root);
  AddLeaseCommands(root);
  AddReportCommands(root);
  AddOperatorCommands(root);
  AddJournalCommands(root);
  AddMetricsCommand(root);
  AddDoctorCommand(root);
  AddDemoCommand(root);
}

}  // namespace warpbook::gateway
