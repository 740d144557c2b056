// CallProbe, BeginProbe and DecideProbe: what is known of a node by proof. Whether a proof holds is
// decided before (gpu_probe/verifier); here is what follows from it.
#include <algorithm>
#include <cstring>

#include "engine/core/handlers.h"
#include "schema/types/probe_reason.h"

namespace warpbook::engine {
namespace {

constexpr int32_t kFullShare = 10'000;  // basis points

// Flags by ProbeReason, from the first that does not refuse.
constexpr uint32_t kFlags = (uint32_t{1} << (EnumNames<ProbeReason>::kNames.size() -
                                             static_cast<size_t>(ProbeReason::kLapsed) - 1)) -
                            1;

bool IsWellFormed(const wire::DecideProbe& command) {
  const auto reason = static_cast<ProbeReason>(command.reason());
  if (!IsValid(reason) || (command.flags() & ~kFlags) != 0) return false;
  if (command.int8_ops_per_s() < 0 || command.bytes_per_s() < 0 || command.memory_bytes() < 0) {
    return false;
  }
  if (command.answers_call() > 1) return false;
  if (reason == ProbeReason::kNone) {
    return command.probe_id() != 0 && command.gpus() >= 1 && command.valid_until_us() > 0 &&
           command.share() >= 0 && command.share() <= kFullShare;
  }
  return Refuses(reason) && command.gpus() == 0 && command.valid_until_us() == 0 &&
         command.share() == 0 && command.answers_call() == 0;
}

// Whether there is what the command decides on: the open probe, or a time that is over.
bool IsDue(const Node& node, const wire::DecideProbe& command, Timestamp now) {
  if (command.probe_id() != 0) return command.probe_id() == node.probe_id;
  switch (static_cast<ProbeReason>(command.reason())) {
    case ProbeReason::kLapsed:
      return node.proved_until != Timestamp() && node.proved_until <= now;
    case ProbeReason::kUnfinished:
      return node.probe_due != Timestamp() && node.probe_due <= now;
    default:
      return false;
  }
}

// What a decision makes of a node.
enum class Consequence : uint8_t {
  kProved,
  kNone,      // nothing was learned
  kUnproved,  // it is no longer what it had proved
  kRefuted,   // it is not what it says it is
};
Consequence ConsequenceOf(const wire::DecideProbe& command) {
  switch (static_cast<ProbeReason>(command.reason())) {
    case ProbeReason::kNone:
      return Consequence::kProved;
    case ProbeReason::kUnfinished:
    case ProbeReason::kTooLate:
      return command.probe_id() != 0 ? Consequence::kNone : Consequence::kUnproved;
    case ProbeReason::kLapsed:
      return Consequence::kUnproved;
    case ProbeReason::kNoProbe:
      return Consequence::kNone;
    default:
      return Consequence::kRefuted;
  }
}

void EmitProbeDecided(Context& context, const Node& node, const wire::DecideProbe& command) {
  const auto event = context.events.Private<wire::ProbeDecided>(*node.account);
  event->mutate_tag(command.header().tag());
  event->mutate_node_id(node.id.value());
  event->mutate_probe_id(command.probe_id());
  std::memcpy(event->mutable_transcript()->Data(), command.transcript()->Data(),
              command.transcript()->size());
  event->mutate_int8_ops_per_s(command.int8_ops_per_s());
  event->mutate_bytes_per_s(command.bytes_per_s());
  event->mutate_memory_bytes(command.memory_bytes());
  event->mutate_proved_until_us(node.proved_until.micros());
  event->mutate_probe_due_us(node.probe_due.micros());
  event->mutate_gpus(command.gpus());
  event->mutate_share(command.share());
  event->mutate_flags(command.flags());
  event->mutate_reason(command.reason());
}

}  // namespace

Refusal Handle(Context& context, const wire::CallProbe& command) {
  if (const Refusal refusal = RequireExchange(command.header())) return refusal;
  Node* node = context.state.accounts.FindNode(NodeId(command.node_id()));
  if (node == nullptr) return {RejectReason::kUnknownNode};
  if (Timestamp(command.due_us()) <= context.now) return {RejectReason::kDeadlinePassed};
  context.events.Accept(command.header(), wire::RecordType::kCallProbe, node->id.value());
  const bool is_due_before =
      node->probe_due != Timestamp() && node->probe_due <= Timestamp(command.due_us());
  if (is_due_before) return kNoRefusal;
  node->probe_due = Timestamp(command.due_us());
  const auto event = context.events.Private<wire::ProbeCalled>(*node->account);
  event->mutate_node_id(node->id.value());
  event->mutate_due_us(command.due_us());
  return kNoRefusal;
}

Refusal Handle(Context& context, const wire::BeginProbe& command) {
  const auto& nonce = *command.nonce();
  if (std::all_of(nonce.Data(), nonce.Data() + nonce.size(),
                  [](uint8_t byte) { return byte == 0; })) {
    return {RejectReason::kMalformedCommand};
  }
  const Sender sender = FindSender(context, command.header(), AccountKind::kMember);
  if (sender.refusal) return sender.refusal;
  Node* node = context.state.accounts.FindNode(NodeId(command.node_id()));
  if (node == nullptr || node->account != sender.account) return {RejectReason::kUnknownNode};
  if (Timestamp(command.expires_us()) <= context.now) return {RejectReason::kDeadlinePassed};
  // A newer one would let a prover escape the verdict on one that it sees fail.
  if (node->probe_id != 0 && context.now < node->probe_expires) {
    return {RejectReason::kProbeUnderWay, node->probe_expires.micros()};
  }
  node->probe_id = command.header().sequence();
  node->probe_expires = Timestamp(command.expires_us());
  const auto event = context.events.Private<wire::ProbeBegun>(*node->account);
  event->mutate_tag(command.header().tag());
  event->mutate_node_id(node->id.value());
  event->mutate_probe_id(node->probe_id);
  event->mutate_expires_us(command.expires_us());
  return kNoRefusal;
}

Refusal Handle(Context& context, const wire::DecideProbe& command) {
  if (!IsWellFormed(command)) return {RejectReason::kMalformedCommand};
  if (const Refusal refusal = RequireExchange(command.header())) return refusal;
  Node* node = context.state.accounts.FindNode(NodeId(command.node_id()));
  if (node == nullptr) return {RejectReason::kUnknownNode};
  if (!IsDue(*node, command, context.now)) return {RejectReason::kUnknownProbe};
  const Consequence consequence = ConsequenceOf(command);
  const Quantity gpus = Quantity(command.gpus());
  if (consequence == Consequence::kProved) {
    if (gpus > node->registered) {
      return {RejectReason::kInvalidQuantity, node->registered.value()};
    }
    if (Timestamp(command.valid_until_us()) <= context.now) return {RejectReason::kDeadlinePassed};
    node->proved_until = Timestamp(command.valid_until_us());
  } else if (consequence != Consequence::kNone) {
    node->proved_until = Timestamp();
  }
  if (command.probe_id() != 0) {
    node->probe_id = 0;
    node->probe_expires = Timestamp();
  }
  // A pass that was begun before the call does not answer it: where an owner's nodes are called to
  // prove themselves together, each could be proved by the same GPUs.
  const bool call_stands = consequence == Consequence::kNone ||
                           (consequence == Consequence::kProved && command.answers_call() == 0);
  if (!call_stands) node->probe_due = Timestamp();
  EmitProbeDecided(context, *node, command);
  switch (consequence) {
    case Consequence::kNone:
      break;
    case Consequence::kProved:
      // Attested is more than proved, and an operator's word.
      ChangeCapacity(context, *node, std::min(gpus, node->gpus_max),
                     std::min(node->assurance, Assurance::kVerified));
      break;
    case Consequence::kUnproved:
      ChangeCapacity(context, *node, node->gpus, Assurance::kListed);
      break;
    case Consequence::kRefuted:
      ChangeCapacity(context, *node, Quantity(0), Assurance::kListed);
      break;
  }
  return kNoRefusal;
}

}  // namespace warpbook::engine
