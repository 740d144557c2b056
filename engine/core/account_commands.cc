#include <algorithm>
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

// The member that an operator names.
Sender FindMember(Context& context, AccountId id) {
  Account* account = context.state.accounts.Find(id);
  if (account == nullptr) return {nullptr, {RejectReason::kUnknownAccount}};
  if (account->kind != AccountKind::kMember) return {nullptr, {RejectReason::kNotPermitted}};
  return {account, kNoRefusal};
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

// Whose key it is: the sender's own or, from an operator, that of the member it names.
Sender FindKeyHolder(Context& context, const wire::RevokeKey& command) {
  const AccountId from = AccountId(command.header().account_id());
  const AccountId named = AccountId(command.target_account_id());
  if (!named || named == from) return FindSender(context, command.header(), AccountKind::kMember);
  const Sender sender = FindSender(context, command.header(), AccountKind::kOperator);
  return sender.refusal ? sender : FindMember(context, named);
}

// What an operator asks for: that a member's tokens come in or go out.
template <typename Command>
Refusal TakeOperatorsRequest(Context& context, const Command& command, RequestKind kind) {
  const Sender sender = FindSender(context, command.header(), AccountKind::kOperator);
  if (sender.refusal) return sender.refusal;
  const Sender target = FindMember(context, AccountId(command.target_account_id()));
  if (target.refusal) return target.refusal;
  const Tokens amount = Tokens(command.amount_utok());
  if (const Refusal refusal = CheckRequest(context.state, amount)) return refusal;
  const auto reference = ClientOrderId::FromBytes(command.reference()->Data());
  if (!reference || reference->empty()) return {RejectReason::kInvalidReference};
  PendingRequest request{kind, command.header().tag(), sender.account->id, target.account->id,
                         amount};
  std::memcpy(request.reference.data(), reference->bytes(), request.reference.size());
  TakeRequest(context, request);
  return kNoRefusal;
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
  if (context.state.accounts.owners().size() >= context.state.limits.accounts_max) {
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
  if (sender.account->keys.size() >= limits.keys_ever_per_account_max) {
    return {RejectReason::kTooManyKeys, limits.keys_ever_per_account_max};
  }
  const auto living = std::ranges::count_if(sender.account->keys, &AccountKey::scopes);
  if (living >= limits.keys_per_account_max) {
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

Refusal Handle(Context& context, const wire::RevokeKey& command) {
  const Sender target = FindKeyHolder(context, command);
  if (target.refusal) return target.refusal;
  Account& account = *target.account;
  const PublicKey key = CopyKey(*command.public_key());
  AccountKey* revoked = nullptr;
  uint32_t scopes_left = 0;
  for (AccountKey& candidate : account.keys) {
    if (candidate.key == key && candidate.scopes != 0) {
      revoked = &candidate;
    } else {
      scopes_left |= candidate.scopes;
    }
  }
  if (revoked == nullptr) return {RejectReason::kUnknownKey};
  // A key gives no scope that it lacks, so the account could never have it back. An operator may: a
  // stolen key is often the only one.
  const bool by_itself = account.id.value() == command.header().account_id();
  if (by_itself && (revoked->scopes & ~scopes_left) != 0) return {RejectReason::kLastKey};
  revoked->scopes = 0;
  context.events.Accept(command.header(), wire::RecordType::kRevokeKey, account.id.value());
  const auto event = context.events.Private<wire::KeyRevoked>(account);
  std::memcpy(event->mutable_public_key()->Data(), key.data(), key.size());
  return kNoRefusal;
}

Refusal Handle(Context& context, const wire::VerifyOwner& command) {
  if (command.verified() > 1) return {RejectReason::kMalformedCommand};
  const Sender sender = FindSender(context, command.header(), AccountKind::kOperator);
  if (sender.refusal) return sender.refusal;
  const OwnerId id = OwnerId(command.owner_id());
  Owner* const owner = context.state.accounts.FindOwner(id);
  if (owner == nullptr) return {RejectReason::kUnknownOwner};
  owner->verified = command.verified() != 0;
  Account& account = *context.state.accounts.Find(owner->account);
  account.must_be_verified = owner->large && !owner->verified;
  context.events.Accept(command.header(), wire::RecordType::kVerifyOwner, id.value());
  const auto event = context.events.Private<wire::OwnerVerified>(account);
  event->mutate_owner_id(id.value());
  event->mutate_verified(command.verified());
  return kNoRefusal;
}

Refusal Handle(Context& context, const wire::RequestDeposit& command) {
  return TakeOperatorsRequest(context, command, RequestKind::kDeposit);
}

Refusal Handle(Context& context, const wire::RequestWithdrawal& command) {
  return TakeOperatorsRequest(context, command, RequestKind::kWithdrawal);
}

Refusal Handle(Context& context, const wire::RequestTopUp& command) {
  const Sender sender = FindSender(context, command.header(), AccountKind::kMember);
  if (sender.refusal) return sender.refusal;
  if (sender.account->must_be_verified) return {RejectReason::kOwnerNotVerified};
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
