// The command groups of `warpbook`, one file each. Each function adds its commands to the tree.
#pragma once

#include "schema/base/command_line.h"

namespace warpbook::gateway {

struct ServeOptions;

// All of them, in the order of the help.
void AddCommands(Command root);

// What `serve` can be told, also in a file; for who looks at the same installation too.
void AddServeOptions(Command& command, ServeOptions& options);
void AddServeCommand(Command& root);      // serve
void AddKeyCommands(Command& root);       // keys new|show
void AddAccountCommands(Command& root);   // account open|changes, balances, orders, credits buy
void AddOrderCommands(Command& root);     // order place|amend|cancel
void AddCapacityCommands(Command& root);  // capacity register|list|set
void AddLeaseCommands(Command& root);     // lease ID, lease start|heartbeat|complete|dispute|judge
void AddReportCommands(Command& root);    // supply, disclosures, statement
void AddInstrumentCommands(Command& root);  // instruments, instrument halt|resume
void AddOperatorCommands(Command& root);    // token, owner, limit, price
void AddWatchCommands(Command& root);       // watch book|trades|executions|balances|leases
void AddJournalCommands(Command& root);     // journal dump|verify
void AddMetricsCommand(Command& root);      // metrics
void AddDoctorCommand(Command& root);       // doctor
void AddDemoCommand(Command& root);         // demo

}  // namespace warpbook::gateway
