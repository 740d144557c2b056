#include <cstring>
#include <vector>

#include "engine/core/handlers.h"
#include "engine/core/order_effects.h"

namespace warpbook::engine {
namespace {

// Cancels the account's asks that `matches` names, newest first, for as long as `needed` says so.
template <typename Matches, typename Needed>
void CancelAsks(Context& context, Account& account, CancelReason reason, Matches matches,
                Needed needed) {
  Order* order = account.last_order;
  while (order != nullptr && needed()) {
    Order* older = order->account_previous;
    if (order->side == Side::kSell && matches(*order)) CancelOrder(context, *order, reason, 0);
    order = older;
  }
}

bool Exceeds(const Node& node, InstrumentId instrument) {
  const NodeUse* use = node.windows.Find(instrument);
  return use != nullptr && use->open > Quantity(0) && use->open + use->sold > node.gpus;
}

// In every window of the node, the newest asks go until open and sold GPUs fit again.
void CancelBeyondCapacity(Context& context, Node& node) {
  std::vector<InstrumentId> exceeded;
  for (const auto& [instrument, use] : node.windows) {
    if (Exceeds(node, instrument)) exceeded.push_back(instrument);
  }
  for (const InstrumentId instrument : exceeded) {
    CancelAsks(
        context, *node.account, CancelReason::kCapacityReduced,
        [&](const Order& ask) { return ask.instrument->id == instrument && ask.sells_of(node); },
        [&] { return Exceeds(node, instrument); });
  }
}

void EmitBondedLimitSet(Context& context, Account& account) {
  const auto event = context.events.Private<wire::BondedLimitSet>(account);
  event->mutate_limit(account.bonded_limit.value());
  event->mutate_exposure(account.exposure.value());
}

}  // namespace

void ChangeCapacity(Context& context, Node& node, Quantity gpus, Assurance assurance) {
  const bool downgraded = assurance > node.assurance;
  node.gpus = gpus;
  node.assurance = assurance;
  node.approved = true;
  {
    const auto event = context.events.Private<wire::CapacitySet>(*node.account);
    event->mutate_node_id(node.id.value());
    event->mutate_gpus(node.gpus.value());
    event->mutate_assurance(static_cast<uint8_t>(node.assurance));
  }
  if (downgraded) {
    CancelAsks(
        context, *node.account, CancelReason::kDowngraded,
        [&](const Order& ask) { return ask.sells_of(node); }, [] { return true; });
  }
  CancelBeyondCapacity(context, node);
}

Refusal Handle(Context& context, const wire::RegisterNode& command) {
  if (command.class_id() == 0 || command.region_id() == 0) {
    return {RejectReason::kMalformedCommand};
  }
  const Sender sender = FindSender(context, command.header(), AccountKind::kMember);
  if (sender.refusal) return sender.refusal;
  State& state = context.state;
  if (command.gpus() < 1 || command.gpus() > kMaxQuantity.value()) {
    return {RejectReason::kInvalidQuantity, kMaxQuantity.value()};
  }
  PublicKey device_key;
  std::memcpy(device_key.data(), command.device_key()->Data(), device_key.size());
  if (state.accounts.device_key_in_use(device_key)) return {RejectReason::kKeyInUse};
  if (sender.account->nodes.size() >= state.limits.nodes_per_account_max) {
    return {RejectReason::kTooManyNodes, state.limits.nodes_per_account_max};
  }
  if (state.accounts.nodes().size() >= state.limits.nodes_max) {
    return {RejectReason::kEngineFull, state.limits.nodes_max};
  }
  Node& node = state.accounts.AddNode(*sender.account, device_key);
  node.class_id = ClassId(command.class_id());
  node.region_id = RegionId(command.region_id());
  node.registered = Quantity(command.gpus());
  node.gpus_max = node.registered;
  const auto event = context.events.Private<wire::NodeRegistered>(*sender.account);
  event->mutate_tag(command.header().tag());
  event->mutate_node_id(node.id.value());
  std::memcpy(event->mutable_device_key()->Data(), device_key.data(), device_key.size());
  event->mutate_gpus(command.gpus());
  event->mutate_class_id(command.class_id());
  event->mutate_region_id(command.region_id());
  return kNoRefusal;
}

Refusal Handle(Context& context, const wire::SetCapacity& command) {
  const auto assurance = static_cast<Assurance>(command.assurance());
  if (!IsValid(assurance)) return {RejectReason::kMalformedCommand};
  const Sender sender = FindSender(context, command.header(), AccountKind::kOperator);
  if (sender.refusal) return sender.refusal;
  Node* node = context.state.accounts.FindNode(NodeId(command.node_id()));
  if (node == nullptr) return {RejectReason::kUnknownNode};
  const Quantity gpus = Quantity(command.gpus());
  if (gpus < Quantity(0) || gpus > node->registered) {
    return {RejectReason::kInvalidQuantity, node->registered.value()};
  }

  context.events.Accept(command.header(), wire::RecordType::kSetCapacity, node->id.value());
  node->gpus_max = gpus;
  ChangeCapacity(context, *node, gpus, assurance);
  return kNoRefusal;
}

Refusal Handle(Context& context, const wire::SetBondedLimit& command) {
  const Sender sender = FindSender(context, command.header(), AccountKind::kOperator);
  if (sender.refusal) return sender.refusal;
  Account* account = context.state.accounts.Find(AccountId(command.target_account_id()));
  if (account == nullptr) return {RejectReason::kUnknownAccount};
  if (account->kind != AccountKind::kMember) return {RejectReason::kNotPermitted};
  if (command.limit() < 0) return {RejectReason::kInvalidAmount};
  account->bonded_limit = Credits(command.limit());
  context.events.Accept(command.header(), wire::RecordType::kSetBondedLimit, account->id.value());
  EmitBondedLimitSet(context, *account);
  CancelAsks(
      context, *account, CancelReason::kLimitReduced,
      [](const Order& ask) { return !ask.is_resale; },
      [&] { return account->exposure > account->bonded_limit; });
  return kNoRefusal;
}

}  // namespace warpbook::engine
