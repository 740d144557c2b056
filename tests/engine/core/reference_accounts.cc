// The reference's accounts, keys, owners, and what they ask of settlement.
#include <algorithm>

#include "tests/engine/core/reference_market.h"

namespace warpbook::reference {
namespace {

constexpr int64_t kMaxTok = 1'000'000'000'000'000;

}  // namespace

uint64_t ReferenceMarket::AccountOfKey(const Bytes32& key) const {
  for (const Account& account : accounts_) {
    for (const Key& held : account.keys) {
      if (held.bytes == key) return account.id;
    }
  }
  return 0;
}

void ReferenceMarket::OpenAccountFor(AccountKind kind, const Bytes32& key, uint32_t scopes,
                                     uint64_t tag) {
  Account account;
  account.id = accounts_.size() + 1;
  account.kind = kind;
  account.owner = kind == AccountKind::kMember ? ++owners_ : 0;
  account.keys = {{key, scopes}};
  accounts_.push_back(account);
  wire::AccountOpened event;
  event.mutate_tag(tag);
  event.mutate_owner_id(account.owner);
  PutBytes(event.mutable_public_key(), key);
  event.mutate_scopes(scopes);
  event.mutate_kind(static_cast<uint8_t>(kind));
  EmitPrivate(event, account.id);
}

ReferenceMarket::Answer ReferenceMarket::Do(const wire::RegisterSystemKey& c) {
  if (c.kind() != 1 && c.kind() != 2) return {RejectReason::kMalformedCommand};
  if (c.header().account_id() != 0) return {RejectReason::kNotPermitted};
  const Bytes32 key = ToBytes(c.public_key());
  if (const uint64_t id = AccountOfKey(key); id != 0) {
    if (accounts_[id - 1].kind != static_cast<AccountKind>(c.kind())) {
      return {RejectReason::kKeyInUse};
    }
    Accept(c.header(), wire::RecordType::kRegisterSystemKey, id);
    return {};
  }
  OpenAccountFor(static_cast<AccountKind>(c.kind()), key, c.kind() == 1 ? 8 : 16, c.header().tag());
  return {};
}

ReferenceMarket::Answer ReferenceMarket::Do(const wire::OpenAccount& c) {
  if (c.header().account_id() != 0) return {RejectReason::kNotPermitted};
  const Bytes32 key = ToBytes(c.public_key());
  if (AccountOfKey(key) != 0) return {RejectReason::kKeyInUse};
  const auto members = std::ranges::count(accounts_, AccountKind::kMember, &Account::kind);
  if (static_cast<size_t>(members) >= limits_.accounts) {
    return {RejectReason::kTooManyAccounts, static_cast<int64_t>(limits_.accounts)};
  }
  OpenAccountFor(AccountKind::kMember, key, 7, c.header().tag());
  return {};
}

ReferenceMarket::Answer ReferenceMarket::Do(const wire::AddKey& c) {
  const Answer sender = Sender(c.header(), AccountKind::kMember);
  if (sender.reason != RejectReason::kNone) return sender;
  Account& account = accounts_[c.header().account_id() - 1];
  const Bytes32 key = ToBytes(c.public_key());
  if (AccountOfKey(key) != 0) return {RejectReason::kKeyInUse};
  if (account.keys.size() >= limits_.keys_ever_per_account) {
    return {RejectReason::kTooManyKeys, static_cast<int64_t>(limits_.keys_ever_per_account)};
  }
  if (std::ranges::count(account.keys, false, &Key::revoked) >=
      static_cast<int64_t>(limits_.keys_per_account)) {
    return {RejectReason::kTooManyKeys, static_cast<int64_t>(limits_.keys_per_account)};
  }
  if (c.scopes() == 0 || c.scopes() > 7) return {RejectReason::kInvalidScopes};
  account.keys.push_back({key, c.scopes()});
  wire::KeyAdded event;
  event.mutate_tag(c.header().tag());
  PutBytes(event.mutable_public_key(), key);
  event.mutate_scopes(c.scopes());
  EmitPrivate(event, account.id);
  return {};
}

ReferenceMarket::Answer ReferenceMarket::Do(const wire::RevokeKey& c) {
  const uint64_t from = c.header().account_id();
  const bool of_another = c.target_account_id() != 0 && c.target_account_id() != from;
  const Answer sender =
      Sender(c.header(), of_another ? AccountKind::kOperator : AccountKind::kMember);
  if (sender.reason != RejectReason::kNone) return sender;
  if (of_another && Find(c.target_account_id()) == nullptr) return {RejectReason::kUnknownAccount};
  Account& account = accounts_[(of_another ? c.target_account_id() : from) - 1];
  if (account.kind != AccountKind::kMember) return {RejectReason::kNotPermitted};
  const Bytes32 bytes = ToBytes(c.public_key());
  for (Key& key : account.keys) {
    if (key.bytes != bytes || key.revoked) continue;
    key.revoked = true;
    // Each of its scopes must still be some living key's.
    for (const uint32_t scope : {1u, 2u, 4u}) {
      const bool held = std::ranges::any_of(account.keys, [&](const Key& other) {
        return !other.revoked && (other.scopes & scope) != 0;
      });
      if (of_another || held || (key.scopes & scope) == 0) continue;
      key.revoked = false;
      return {RejectReason::kLastKey};
    }
    Accept(c.header(), wire::RecordType::kRevokeKey, account.id);
    wire::KeyRevoked event;
    PutBytes(event.mutable_public_key(), bytes);
    EmitPrivate(event, account.id);
    return {};
  }
  return {RejectReason::kUnknownKey};
}

ReferenceMarket::Answer ReferenceMarket::Do(const wire::VerifyOwner& c) {
  if (c.verified() > 1) return {RejectReason::kMalformedCommand};
  const Answer sender = Sender(c.header(), AccountKind::kOperator);
  if (sender.reason != RejectReason::kNone) return sender;
  for (Account& account : accounts_) {
    if (account.owner == 0 || account.owner != c.owner_id()) continue;
    account.verified = c.verified() == 1;
    Accept(c.header(), wire::RecordType::kVerifyOwner, account.owner);
    wire::OwnerVerified event;
    event.mutate_owner_id(account.owner);
    event.mutate_verified(c.verified());
    EmitPrivate(event, account.id);
    return {};
  }
  return {RejectReason::kUnknownOwner};
}

ReferenceMarket::Answer ReferenceMarket::CheckAmount(int64_t amount) const {
  if (amount < 1 || amount > kMaxTok) return {RejectReason::kInvalidAmount, kMaxTok};
  if (requests_.size() >= limits_.pending_requests) {
    return {RejectReason::kSettlementBacklog, static_cast<int64_t>(limits_.pending_requests)};
  }
  return {};
}

template <typename Command>
ReferenceMarket::Answer ReferenceMarket::RequestTokens(const Command& c, RequestKind kind) {
  const Answer sender = Sender(c.header(), AccountKind::kOperator);
  if (sender.reason != RejectReason::kNone) return sender;
  const Account* target = Find(c.target_account_id());
  if (target == nullptr) return {RejectReason::kUnknownAccount};
  if (target->kind != AccountKind::kMember) return {RejectReason::kNotPermitted};
  const Answer amount = CheckAmount(c.amount_utok());
  if (amount.reason != RejectReason::kNone) return amount;
  const Bytes32 reference = ToBytes(c.reference());
  if (!IsText(reference) || reference[0] == 0) return {RejectReason::kInvalidReference};
  requests_.push_back({sequence_, c.header().tag(), c.header().account_id(), target->id,
                       c.amount_utok(), reference, kind});
  wire::RequestTaken event;
  event.mutate_request_sequence(sequence_);
  event.mutate_account_id(target->id);
  event.mutate_amount_utok(c.amount_utok());
  PutBytes(event.mutable_reference(), reference);
  event.mutate_kind(static_cast<uint8_t>(kind));
  EmitPublic(event);
  return {};
}

ReferenceMarket::Answer ReferenceMarket::Do(const wire::RequestDeposit& c) {
  return RequestTokens(c, RequestKind::kDeposit);
}

ReferenceMarket::Answer ReferenceMarket::Do(const wire::RequestWithdrawal& c) {
  return RequestTokens(c, RequestKind::kWithdrawal);
}

ReferenceMarket::Answer ReferenceMarket::Do(const wire::RequestTopUp& c) {
  const Answer sender = Sender(c.header(), AccountKind::kMember);
  if (sender.reason != RejectReason::kNone) return sender;
  const Account& asking = *Find(c.header().account_id());
  if (asking.large && !asking.verified) return {RejectReason::kOwnerNotVerified};
  const Answer amount = CheckAmount(c.burn_utok());
  if (amount.reason != RejectReason::kNone) return amount;
  const uint64_t account = c.header().account_id();
  size_t waiting = 0;
  for (const Request& request : requests_) {
    if (request.kind == RequestKind::kTopUp && request.account == account) ++waiting;
  }
  const size_t limit = limits_.pending_top_ups_per_account;
  if (waiting >= limit) return {RejectReason::kTooManyRequests, static_cast<int64_t>(limit)};
  requests_.push_back({sequence_, c.header().tag(), account, account, c.burn_utok(), Bytes32{},
                       RequestKind::kTopUp});
  wire::RequestTaken event;
  event.mutate_request_sequence(sequence_);
  event.mutate_account_id(account);
  event.mutate_amount_utok(c.burn_utok());
  event.mutate_kind(1);
  EmitPublic(event);
  return {};
}

}  // namespace warpbook::reference
