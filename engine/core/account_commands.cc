#include <cstring>

#include "engine/core/handlers.h"
#include "schema/types/client_order_id.h"

namespace warpbook::engine {
namespace {

PublicKey CopyKey(const flatbuffers::Array<uint8_t, 32>& bytes) {
  PublicKey key;
  std::memcpy(key.data(), bytes.Data(), key.size());
  return key;
}

void OpenAccountFor(Context& context, AccountKind kind, const PublicKey& key, uint32_t scopes,
                    uint64_t tag) {
  Account& account = context.state.accounts.Open(kind, key, scopes);
  const auto event = context.events.Private<wire::AccountOpened>(account);
  event->mutate_tag(tag);
  event->mutate_owner_id(account.owner.value());
  std::memcpy(event->mutable_public_key()->Data(), key.data(), key.size());
  event->mutate_scopes(scopes);
  event->mutate_kind(static_cast<uint8_t>(kind));
}

Refusal CheckRequest(const State& state, Tokens amount) {
  if (amount <= Tokens(0) || amount > kMaxTokens) {
    return {RejectReason::kInvalidAmount, kMaxTokens.value()};
  }
  if (state.requests.size() >= state.limits.pending_requests_max) {
    return {RejectReason::kSettlementBacklog, state.limits.pending_requests_max};
  }
  return kNoRefusal;
}

void TakeRequest(Context& context, const PendingRequest& request) {
  context.state.requests.insert({context.sequence, request});
  const auto event = context.events.Public<wire::RequestTaken>();
  event->mutate_request_sequence(context.sequence.value());
  event->mutate_account_id(request.account.value());
  event->mutate_amount_utok(request.amount.value());
  std::memcpy(event->mutable_reference()->Data(), request.reference.data(),
              request.reference.size());
  event->mutate_kind(static_cast<uint8_t>(request.kind));
}

}  // namespace

Sender FindSender(Context& context, const wire::CommandHeader& header, AccountKind kind) {
  Account* account = context.state.accounts.Find(AccountId(header.account_id()));
  if (account == nullptr) return {nullptr, {RejectReason::kUnknownAccount}};
  if (account->kind != kind) return {nullptr, {RejectReason::kNotPermitted}};
  return {account, kNoRefusal};
}

Refusal RequireExchange(const wire::CommandHeader& header) {
  if (header.account_id() != 0) return {RejectReason::kNotPermitted};
  return kNoRefusal;
}

Refusal Handle(Context& context, const wire::RegisterSystemKey& command) {
  const auto kind = static_cast<AccountKind>(command.kind());
  if (kind != AccountKind::kOperator && kind != AccountKind::kSettlement) {
    return {RejectReason::kMalformedCommand};
  }
  if (const Refusal refusal = RequireExchange(command.header())) return refusal;
  const PublicKey key = CopyKey(*command.public_key());
  if (const Account* holder = context.state.accounts.FindByKey(key)) {
    if (holder->kind != kind) return {RejectReason::kKeyInUse};
    context.events.Accept(command.header(), wire::RecordType::kRegisterSystemKey,
                          holder->id.value());
    return kNoRefusal;
  }
  const Scope scope = kind == AccountKind::kOperator ? Scope::kOperate : Scope::kSettle;
  OpenAccountFor(context, kind, key, static_cast<uint32_t>(scope), command.header().tag());
  return kNoRefusal;
}

Refusal Handle(Context& context, const wire::OpenAccount& command) {
  if (const Refusal refusal = RequireExchange(command.header())) return refusal;
  const PublicKey key = CopyKey(*command.public_key());
  if (context.state.accounts.FindByKey(key) != nullptr) return {RejectReason::kKeyInUse};
  // Each member's account has an owner of its own. The exchange's accounts do not count: a new
  // operator's key always finds room.
  if (context.state.accounts.owner_count() >= context.state.limits.accounts_max) {
    return {RejectReason::kTooManyAccounts, context.state.limits.accounts_max};
  }
  OpenAccountFor(context, AccountKind::kMember, key, kMemberScopes, command.header().tag());
  return kNoRefusal;
}

Refusal Handle(Context& context, const wire::AddKey& command) {
  const Sender sender = FindSender(context, command.header(), AccountKind::kMember);
  if (sender.refusal) return sender.refusal;
  const EngineLimits& limits = context.state.limits;
  const PublicKey key = CopyKey(*command.public_key());
  const uint32_t scopes = command.scopes();
  if (context.state.accounts.FindByKey(key) != nullptr) return {RejectReason::kKeyInUse};
  if (sender.account->keys.size() >= limits.keys_per_account_max) {
    return {RejectReason::kTooManyKeys, limits.keys_per_account_max};
  }
  if (scopes == 0 || (scopes & ~kMemberScopes) != 0) return {RejectReason::kInvalidScopes};
  context.state.accounts.AddKey(*sender.account, key, scopes);
  const auto event = context.events.Private<wire::KeyAdded>(*sender.account);
  event->mutate_tag(command.header().tag());
  std::memcpy(event->mutable_public_key()->Data(), key.data(), key.size());
  event->mutate_scopes(scopes);
  return kNoRefusal;
}

Refusal Handle(Context& context, const wire::RequestDeposit& command) {
  const Sender sender = FindSender(context, command.header(), AccountKind::kOperator);
  if (sender.refusal) return sender.refusal;
  const AccountId target = AccountId(command.target_account_id());
  const Account* account = context.state.accounts.Find(target);
  if (account == nullptr) return {RejectReason::kUnknownAccount};
  if (account->kind != AccountKind::kMember) return {RejectReason::kNotPermitted};
  const Tokens amount = Tokens(command.amount_utok());
  if (const Refusal refusal = CheckRequest(context.state, amount)) return refusal;
  const auto reference = ClientOrderId::FromBytes(command.reference()->Data());
  if (!reference || reference->empty()) return {RejectReason::kInvalidReference};
  PendingRequest request{RequestKind::kDeposit, command.header().tag(), sender.account->id, target,
                         amount};
  std::memcpy(request.reference.data(), reference->bytes(), request.reference.size());
  TakeRequest(context, request);
  return kNoRefusal;
}

Refusal Handle(Context& context, const wire::RequestTopUp& command) {
  const Sender sender = FindSender(context, command.header(), AccountKind::kMember);
  if (sender.refusal) return sender.refusal;
  const Tokens amount = Tokens(command.burn_utok());
  if (const Refusal refusal = CheckRequest(context.state, amount)) return refusal;
  const uint32_t limit = context.state.limits.pending_top_ups_per_account_max;
  if (sender.account->pending_top_ups >= limit) return {RejectReason::kTooManyRequests, limit};
  ++sender.account->pending_top_ups;
  TakeRequest(context, {RequestKind::kTopUp, command.header().tag(), sender.account->id,
                        sender.account->id, amount});
  return kNoRefusal;
}

}  // namespace warpbook::engine
