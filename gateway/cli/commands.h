// The command groups of `warpbook`, one file each. Each function adds its commands to the tree.
#pragma once

#include "gateway/cli/command_line.h"

namespace warpbook::gateway {

// All of them, in the order of the help.
void AddCommands(Command root);

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
void AddDemoCommand(Command& root);         // demo

}  // namespace warpbook::gateway
