// One handler per command: refuses it before the first effect, or carries it out and emits its
// reply first. Who may ask is checked before what is asked.
#pragma once

#include "engine/core/state.h"

namespace warpbook::engine {

#define WARPBOOK_X(name, number) Refusal Handle(Context& context, const wire::name& command);
WARPBOOK_COMMANDS(WARPBOOK_X)
#undef WARPBOOK_X

// The account that sent the command, if it is of this kind; else why not.
struct Sender {
  Account* account = nullptr;
  Refusal refusal;
};
Sender FindSender(Context& context, const wire::CommandHeader& header, AccountKind kind);

// kNotPermitted unless the exchange itself (account 0) sent the command.
Refusal RequireExchange(const wire::CommandHeader& header);

// What a node has and what is known of it, from now on. What does not fit any more of its asks is
// cancelled, newest first; a downgrade cancels all of them.
void ChangeCapacity(Context& context, Node& node, Quantity gpus, Assurance assurance);
void EmitInstrumentState(Context& context, InstrumentId id, InstrumentState state);
// To the provider, then to the buyer, who may be the same account: it can buy its GPUs back.
void EmitLeaseChanged(Context& context, const Lease& lease);

}  // namespace warpbook::engine
