#include "gateway/protocol/command_builder.h"

#include <cstring>
#include <variant>

namespace warpbook::gateway {
namespace {

// A command of that type with its header set and everything else zero.
template <typename Command>
Command Begin(CommandOrigin origin) {
  Command command;
  command.mutable_header().mutate_account_id(origin.account.value());
  command.mutable_header().mutate_tag(origin.tag);
  return command;
}

template <typename Command>
Command BeginDecision(uint64_t number, CommandOrigin origin) {
  auto command = Begin<Command>(origin);
  command.mutate_number(number);
  return command;
}

// One that says no more than which lease it is about.
template <typename Command>
wire::CommandRecord MakeLeaseCommand(LeaseId lease, CommandOrigin origin) {
  auto command = Begin<Command>(origin);
  command.mutate_lease_id(lease.value());
  return wire::CommandRecord(command);
}

template <typename FlatArray>
void CopyBytes(FlatArray* target, const uint8_t* bytes) {
  std::memcpy(target->Data(), bytes, target->size());
}

template <typename E>
uint8_t Byte(E value) {
  return static_cast<uint8_t>(value);
}

template <typename Command, typename TokenRequest>
wire::CommandRecord MakeTokenMovement(const TokenRequest& request, CommandOrigin origin) {
  auto command = Begin<Command>(origin);
  command.mutate_target_account_id(request.account.value());
  command.mutate_amount_utok(request.amount.value());
  CopyBytes(command.mutable_reference(), request.reference.bytes());
  return wire::CommandRecord(command);
}

wire::CommandRecord MakeDecision(const PostDepositDecision& decision, uint64_t number,
                                 CommandOrigin origin) {
  auto command = BeginDecision<wire::PostDeposit>(number, origin);
  command.mutate_request_sequence(decision.request.value());
  return wire::CommandRecord(command);
}

wire::CommandRecord MakeDecision(const PostWithdrawalDecision& decision, uint64_t number,
                                 CommandOrigin origin) {
  auto command = BeginDecision<wire::PostWithdrawal>(number, origin);
  command.mutate_request_sequence(decision.request.value());
  return wire::CommandRecord(command);
}

wire::CommandRecord MakeDecision(const PostTopUpDecision& decision, uint64_t number,
                                 CommandOrigin origin) {
  auto command = BeginDecision<wire::PostTopUp>(number, origin);
  command.mutate_request_sequence(decision.request.value());
  command.mutate_credits(decision.credits.value());
  return wire::CommandRecord(command);
}

wire::CommandRecord MakeDecision(const RefuseRequestDecision& decision, uint64_t number,
                                 CommandOrigin origin) {
  auto command = BeginDecision<wire::RefuseRequest>(number, origin);
  command.mutate_request_sequence(decision.request.value());
  command.mutate_reason(decision.reason);
  return wire::CommandRecord(command);
}

// What is paid, of a settlement or of a deferred payment.
template <typename Decision, typename Command>
void FillPayment(const Decision& decision, Command& command) {
  command.mutate_consumed(decision.consumed.value());
  command.mutate_gross_utok(decision.gross.value());
  command.mutate_provider_utok(decision.provider.value());
  command.mutate_fee_utok(decision.fee.value());
  command.mutate_retire_utok(decision.retire.value());
  command.mutate_emitted_utok(decision.emitted.value());
}

wire::CommandRecord MakeDecision(const SettleLeaseDecision& decision, uint64_t number,
                                 CommandOrigin origin) {
  auto command = BeginDecision<wire::SettleLease>(number, origin);
  command.mutate_lease_id(decision.lease.value());
  command.mutate_verified_weight(decision.verified_weight);
  command.mutate_burned(decision.burned.value());
  command.mutate_owed(decision.owed.value());
  FillPayment(decision, command);
  command.mutate_delivered_minutes(decision.delivered_minutes.value());
  command.mutate_verdict(Byte(decision.verdict));
  return wire::CommandRecord(command);
}

wire::CommandRecord MakeDecision(const PayDeferredDecision& decision, uint64_t number,
                                 CommandOrigin origin) {
  auto command = BeginDecision<wire::PayDeferred>(number, origin);
  command.mutate_lease_id(decision.lease.value());
  FillPayment(decision, command);
  return wire::CommandRecord(command);
}

wire::CommandRecord MakeDecision(const CloseEpochDecision& decision, uint64_t number,
                                 CommandOrigin origin) {
  auto command = BeginDecision<wire::CloseEpoch>(number, origin);
  command.mutate_day(decision.day);
  command.mutate_budget_utok(decision.budget.value());
  command.mutate_emitted_utok(decision.emitted.value());
  command.mutate_bonus_utok(decision.bonus.value());
  command.mutate_gross_utok(decision.gross.value());
  command.mutate_retire_utok(decision.retire.value());
  return wire::CommandRecord(command);
}

wire::CommandRecord MakeDecision(const PayBonusDecision& decision, uint64_t number,
                                 CommandOrigin origin) {
  auto command = BeginDecision<wire::PayBonus>(number, origin);
  command.mutate_day(decision.day);
  command.mutate_account_id(decision.account.value());
  command.mutate_gross_utok(decision.gross.value());
  command.mutate_bonus_utok(decision.bonus.value());
  return wire::CommandRecord(command);
}

wire::CommandRecord MakeDecision(const MarkOwnerDecision& decision, uint64_t number,
                                 CommandOrigin origin) {
  auto command = BeginDecision<wire::MarkOwner>(number, origin);
  command.mutate_owner_id(decision.owner.value());
  command.mutate_large(decision.large ? 1 : 0);
  return wire::CommandRecord(command);
}

constexpr uint8_t kBothSides = 2;

}  // namespace

wire::CommandRecord MakeCommand(const AccountOpenRequest& request, CommandOrigin origin) {
  auto command = Begin<wire::OpenAccount>(origin);
  CopyBytes(command.mutable_public_key(), request.public_key.data());
  return wire::CommandRecord(command);
}

wire::CommandRecord MakeCommand(const KeyAddRequest& request, CommandOrigin origin) {
  auto command = Begin<wire::AddKey>(origin);
  CopyBytes(command.mutable_public_key(), request.public_key.data());
  command.mutate_scopes(request.scopes);
  return wire::CommandRecord(command);
}

wire::CommandRecord MakeCommand(const KeyRevokeRequest& request, CommandOrigin origin) {
  auto command = Begin<wire::RevokeKey>(origin);
  command.mutate_target_account_id(request.account.value());
  CopyBytes(command.mutable_public_key(), request.public_key.data());
  return wire::CommandRecord(command);
}

wire::CommandRecord MakeCommand(const CreditsBuyRequest& request, CommandOrigin origin) {
  auto command = Begin<wire::RequestTopUp>(origin);
  command.mutate_burn_utok(request.burn.value());
  return wire::CommandRecord(command);
}

wire::CommandRecord MakeCommand(const OrderPlaceRequest& request, CommandOrigin origin,
                                InstrumentId instrument) {
  auto command = Begin<wire::PlaceOrder>(origin);
  command.mutate_price(request.price.value());
  command.mutate_expires_us(request.expires.micros());
  command.mutate_deadline_us(request.deadline.micros());
  command.mutate_node_id(request.node.value());
  command.mutate_lease_id(request.lease.value());
  CopyBytes(command.mutable_client_order_id(), request.client_order_id.bytes());
  command.mutate_instrument_id(instrument.value());
  command.mutate_gpus(request.gpus.value());
  command.mutate_min_fill(request.min_fill.value());
  command.mutate_side(Byte(request.side));
  command.mutate_type(Byte(request.order_type));
  command.mutate_time_in_force(Byte(request.time_in_force));
  command.mutate_tier(Byte(request.tier));
  command.mutate_min_assurance(Byte(request.min_assurance));
  command.mutate_self_trade_prevention(Byte(request.stp));
  command.mutate_post_only(request.post_only ? 1 : 0);
  command.mutate_validate_only(origin.validate_only ? 1 : 0);
  return wire::CommandRecord(command);
}

wire::CommandRecord MakeCommand(const OrderAmendRequest& request, CommandOrigin origin) {
  auto command = Begin<wire::AmendOrder>(origin);
  command.mutate_order_id(request.order_id.value());
  CopyBytes(command.mutable_client_order_id(), request.client_order_id.bytes());
  command.mutate_price(request.price.value());
  command.mutate_deadline_us(request.deadline.micros());
  command.mutate_gpus(request.gpus.value());
  command.mutate_validate_only(origin.validate_only ? 1 : 0);
  return wire::CommandRecord(command);
}

wire::CommandRecord MakeCommand(const OrderCancelRequest& request, CommandOrigin origin) {
  auto command = Begin<wire::CancelOrder>(origin);
  command.mutate_order_id(request.order_id.value());
  CopyBytes(command.mutable_client_order_id(), request.client_order_id.bytes());
  command.mutate_deadline_us(request.deadline.micros());
  return wire::CommandRecord(command);
}

wire::CommandRecord MakeCommand(const OrderCancelAllRequest& request, CommandOrigin origin,
                                InstrumentId instrument, ClassId class_id) {
  auto command = Begin<wire::CancelAllOrders>(origin);
  command.mutate_deadline_us(request.deadline.micros());
  command.mutate_instrument_id(instrument.value());
  command.mutate_class_id(class_id.value());
  command.mutate_side(request.side ? Byte(*request.side) : kBothSides);
  command.mutate_reason(Byte(CancelReason::kRequested));
  return wire::CommandRecord(command);
}

wire::CommandRecord MakeCommand(const CancelOnDisconnectRequest& request, CommandOrigin origin,
                                uint32_t session) {
  const auto mode = request.scope == DisconnectScope::kSession   ? OrderGuardMode::kSession
                    : request.scope == DisconnectScope::kAccount ? OrderGuardMode::kAccount
                                                                 : OrderGuardMode::kOff;
  auto command = Begin<wire::SetOrderGuard>(origin);
  command.mutate_session(session);
  command.mutate_mode(Byte(mode));
  return wire::CommandRecord(command);
}

wire::CommandRecord MakeCommand(const CancelAfterRequest& request, CommandOrigin origin,
                                Timestamp now) {
  auto command = Begin<wire::SetOrderGuard>(origin);
  if (request.timeout_ms == 0) return wire::CommandRecord(command);  // off, whatever it is
  command.mutate_mode(Byte(OrderGuardMode::kTimer));
  command.mutate_deadline_us(now.PlusMicros(request.timeout_ms * 1'000).micros());
  return wire::CommandRecord(command);
}

wire::CommandRecord MakeCancelAll(AccountId account, CancelReason reason) {
  wire::CancelAllOrders command;
  command.mutate_target_account_id(account.value());
  command.mutate_side(kBothSides);
  command.mutate_reason(Byte(reason));
  return wire::CommandRecord(command);
}

wire::CommandRecord MakeWithdraw(AccountId account, OrderId order, CancelReason reason) {
  wire::WithdrawOrder command;
  command.mutate_target_account_id(account.value());
  command.mutate_order_id(order.value());
  command.mutate_reason(Byte(reason));
  return wire::CommandRecord(command);
}

wire::CommandRecord MakeGuardOff(AccountId account, uint32_t session, Timestamp deadline) {
  auto command = Begin<wire::SetOrderGuard>(CommandOrigin{.account = account});
  command.mutate_session(session);
  command.mutate_deadline_us(deadline.micros());
  return wire::CommandRecord(command);
}

wire::CommandRecord MakeCallProbe(NodeId node, Timestamp due) {
  wire::CallProbe command;
  command.mutate_node_id(node.value());
  command.mutate_due_us(due.micros());
  return wire::CommandRecord(command);
}

wire::CommandRecord MakeDecideProbe(const ProbeDecision& decision, uint64_t tag) {
  wire::DecideProbe command;
  command.mutable_header().mutate_tag(tag);
  command.mutate_node_id(decision.node.value());
  command.mutate_probe_id(decision.probe.value());
  CopyBytes(command.mutable_transcript(), decision.transcript.data());
  command.mutate_int8_ops_per_s(decision.int8_ops_per_s);
  command.mutate_bytes_per_s(decision.bytes_per_s);
  command.mutate_memory_bytes(decision.memory_bytes);
  command.mutate_valid_until_us(decision.valid_until.micros());
  command.mutate_gpus(decision.gpus.value());
  command.mutate_share(decision.share_bps);
  command.mutate_flags(decision.flags);
  command.mutate_reason(Byte(decision.reason));
  command.mutate_answers_call(decision.answers_call ? 1 : 0);
  return wire::CommandRecord(command);
}

wire::CommandRecord MakeCommand(const ProbeBeginRequest& request, CommandOrigin origin,
                                const Sha256Digest& nonce, Timestamp expires) {
  auto command = Begin<wire::BeginProbe>(origin);
  command.mutate_node_id(request.node.value());
  CopyBytes(command.mutable_nonce(), nonce.data());
  command.mutate_expires_us(expires.micros());
  return wire::CommandRecord(command);
}

wire::CommandRecord MakeCommand(const CapacityRegisterRequest& request, CommandOrigin origin,
                                ClassId class_id, RegionId region_id) {
  auto command = Begin<wire::RegisterNode>(origin);
  CopyBytes(command.mutable_device_key(), request.device_key.data());
  command.mutate_gpus(request.gpus.value());
  command.mutate_class_id(class_id.value());
  command.mutate_region_id(region_id.value());
  return wire::CommandRecord(command);
}

wire::CommandRecord MakeCommand(const LeaseStartRequest& request, CommandOrigin origin) {
  return MakeLeaseCommand<wire::StartLease>(request.lease, origin);
}

wire::CommandRecord MakeCommand(const LeaseHeartbeatRequest& request, CommandOrigin origin) {
  auto command = Begin<wire::HeartbeatLease>(origin);
  command.mutate_lease_id(request.lease.value());
  command.mutate_minute_us(request.minute.micros());
  return wire::CommandRecord(command);
}

wire::CommandRecord MakeCommand(const LeaseCompleteRequest& request, CommandOrigin origin) {
  return MakeLeaseCommand<wire::CompleteLease>(request.lease, origin);
}

wire::CommandRecord MakeCommand(const LeaseDisputeRequest& request, CommandOrigin origin) {
  return MakeLeaseCommand<wire::DisputeLease>(request.lease, origin);
}

wire::CommandRecord MakeCommand(const LeaseJudgeRequest& request, CommandOrigin origin) {
  auto command = Begin<wire::JudgeLease>(origin);
  command.mutate_lease_id(request.lease.value());
  command.mutate_verdict(Byte(request.verdict));
  command.mutate_share(request.share_bps);
  WARPBOOK_CHECK(request.reason.size() <= command.reason()->size());
  std::memcpy(command.mutable_reason()->Data(), request.reason.data(), request.reason.size());
  return wire::CommandRecord(command);
}

wire::CommandRecord MakeCommand(const TokenDepositRequest& request, CommandOrigin origin) {
  return MakeTokenMovement<wire::RequestDeposit>(request, origin);
}

wire::CommandRecord MakeCommand(const TokenWithdrawRequest& request, CommandOrigin origin) {
  return MakeTokenMovement<wire::RequestWithdrawal>(request, origin);
}

wire::CommandRecord MakeCommand(const OwnerVerifyRequest& request, CommandOrigin origin) {
  auto command = Begin<wire::VerifyOwner>(origin);
  command.mutate_owner_id(request.owner.value());
  command.mutate_verified(request.verified ? 1 : 0);
  return wire::CommandRecord(command);
}

wire::CommandRecord MakeCommand(const LimitSetRequest& request, CommandOrigin origin) {
  auto command = Begin<wire::SetBondedLimit>(origin);
  command.mutate_target_account_id(request.account.value());
  command.mutate_limit(request.limit.value());
  return wire::CommandRecord(command);
}

wire::CommandRecord MakeCommand(const CapacitySetRequest& request, CommandOrigin origin) {
  auto command = Begin<wire::SetCapacity>(origin);
  command.mutate_node_id(request.node.value());
  command.mutate_gpus(request.gpus.value());
  command.mutate_assurance(Byte(request.assurance));
  return wire::CommandRecord(command);
}

wire::CommandRecord MakeCommand(const PriceSetRequest& request, CommandOrigin origin) {
  auto command = Begin<wire::SetPrices>(origin);
  for (size_t i = 0; i < kPriceFeedCount; ++i) {
    const PriceFeedField& feed = request.feeds[i];
    command.mutable_feeds()->Mutate(static_cast<uint16_t>(i),
                                    wire::PriceFeed(feed.price.value(), feed.time.micros()));
  }
  return wire::CommandRecord(command);
}

wire::CommandRecord MakeCommand(const InstrumentHaltRequest& request, CommandOrigin origin,
                                InstrumentId instrument) {
  auto command = Begin<wire::SetInstrumentHalt>(origin);
  command.mutate_instrument_id(instrument.value());
  command.mutate_halted(request.halt ? 1 : 0);
  return wire::CommandRecord(command);
}

wire::CommandRecord MakeCommand(const SettlementSubmitRequest& request, CommandOrigin origin) {
  return std::visit(
      [&](const auto& decision) { return MakeDecision(decision, request.number, origin); },
      request.decision);
}

}  // namespace warpbook::gateway
