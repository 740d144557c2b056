#include "gateway/publish/private_feed.h"

#include <algorithm>
#include <bit>
#include <string>
#include <utility>

#include "gateway/publish/private_messages.h"
#include "schema/base/check.h"

namespace warpbook::gateway {

bool PrivateFeed::IsSubscribed(uint64_t connection_id, Channel channel) const {
  const Listener* listener = Find(connection_id);
  return listener != nullptr && (listener->channels & Bit(channel)) != 0;
}

void PrivateFeed::Subscribe(uint64_t connection_id, Subscriber& subscriber, Channel channel,
                            AccountId account) {
  WARPBOOK_CHECK(!IsSubscribed(connection_id, channel));
  Listener* listener = Find(connection_id);
  if (listener == nullptr) {
    account_of_[connection_id] = account;
    listener = &listeners_[account].emplace_back(
        Listener{.connection_id = connection_id, .subscriber = &subscriber});
  }
  listener->channels |= Bit(channel);
}

RejectReason PrivateFeed::Unsubscribe(uint64_t connection_id, Channel channel) {
  Listener* listener = Find(connection_id);
  if (listener == nullptr || (listener->channels & Bit(channel)) == 0) {
    return RejectReason::kNotSubscribed;
  }
  listener->channels &= ~Bit(channel);
  if (listener->channels == 0) RemoveConnection(connection_id);
  return RejectReason::kNone;
}

void PrivateFeed::RemoveConnection(uint64_t connection_id) {
  const auto account = account_of_.find(connection_id);
  if (account == account_of_.end()) return;
  const auto listeners = listeners_.find(account->second);
  std::erase_if(listeners->second,
                [&](const Listener& listener) { return listener.connection_id == connection_id; });
  if (listeners->second.empty()) listeners_.erase(listeners);
  account_of_.erase(account);
}

size_t PrivateFeed::CountOf(uint64_t connection_id) const {
  const Listener* listener = Find(connection_id);
  return listener == nullptr ? 0 : static_cast<size_t>(std::popcount(listener->channels));
}

void PrivateFeed::SendFirst(uint64_t connection_id, Channel channel, int64_t ts_us) {
  Listener* listener = Find(connection_id);
  WARPBOOK_CHECK(listener != nullptr);
  const AccountRow& account = *state_.FindAccount(account_of_[connection_id]);
  listener->last_sequence = account.last_sequence;
  message_.clear();
  MessageWriter out(listener->subscriber->encoding(), message_);
  WritePrivateSnapshot(out, channel, account, state_, ts_us);
  listener->subscriber->Send(message_);
}

void PrivateFeed::OnEvent(wire::RecordView event, int64_t ts_us) {
  const wire::EventHeader& header = event.event_header();
  const auto execution = [&](const auto& order_event) {
    if (!Listens(header, Channel::kExecutions)) return;
    Send(header, Channel::kExecutions, ts_us,
         [&](MessageWriter& out) { WriteExecution(out, order_event, state_); });
  };
  switch (event.type()) {
    case wire::RecordType::kOrderAccepted:
      return execution(event.as<wire::OrderAccepted>());
    case wire::RecordType::kOrderAmended:
      return execution(event.as<wire::OrderAmended>());
    case wire::RecordType::kOrderCancelled:
      return execution(event.as<wire::OrderCancelled>());
    case wire::RecordType::kOrderFilled:
      execution(event.as<wire::OrderFilled>());
      return On(event.as<wire::OrderFilled>(), ts_us);
    case wire::RecordType::kCreditsMoved:
      if (!Listens(header, Channel::kBalances)) return;
      return Send(header, Channel::kBalances, ts_us, [&](MessageWriter& out) {
        WriteBalanceChange(out, event.as<wire::CreditsMoved>());
      });
    case wire::RecordType::kRequestDecided:
      return On(event.as<wire::RequestDecided>(), ts_us);
    case wire::RecordType::kLeaseChanged:
      return On(event.as<wire::LeaseChanged>(), ts_us);
    case wire::RecordType::kLeaseResold:
      return On(event.as<wire::LeaseResold>(), ts_us);
    case wire::RecordType::kLeaseSettled:
      rewarded_lease_ = LeaseId(event.as<wire::LeaseSettled>().lease_id());
      reward_ = Tokens(event.as<wire::LeaseSettled>().provider_utok());
      return;
    default:
      return;
  }
}

void PrivateFeed::On(const wire::OrderFilled& event, int64_t ts_us) {
  if (!Listens(event.header(), Channel::kLeases)) return;
  const LeaseRow& lease = *state_.FindLease(LeaseId(event.lease_id()));
  const bool sold = static_cast<Side>(event.side()) == Side::kSell;
  // Who resold it has no part in the new lease, and its provider is told by a LeaseResold.
  if (sold && lease.resold_lease) return;
  Send(event.header(), Channel::kLeases, ts_us,
       [&](MessageWriter& out) { WriteReservedLease(out, lease, sold); });
}

void PrivateFeed::On(const wire::LeaseResold& event, int64_t ts_us) {
  if (!Listens(event.header(), Channel::kLeases)) return;
  const LeaseRow& resold = *state_.FindLease(LeaseId(event.resold_lease_id()));
  Send(event.header(), Channel::kLeases, ts_us, [&](MessageWriter& out) {
    WriteResoldLease(out, event, resold);
    if (event.is_provider() == 0) return;
    WriteReservedLease(out, *state_.FindLease(LeaseId(event.lease_id())), true);
  });
}

void PrivateFeed::On(const wire::RequestDecided& event, int64_t ts_us) {
  if (event.reason() != 0 || !Listens(event.header(), Channel::kBalances)) return;
  const AccountRow& account = *state_.FindAccount(AccountId(event.header().account_id()));
  const Tokens amount(event.amount_utok());
  const auto kind = static_cast<RequestKind>(event.kind());
  Send(event.header(), Channel::kBalances, ts_us, [&](MessageWriter& out) {
    WriteTokenBalance(out, account.tokens, kind == RequestKind::kDeposit ? amount : -amount,
                      Name(kind));
  });
}

void PrivateFeed::On(const wire::LeaseChanged& event, int64_t ts_us) {
  if (Listens(event.header(), Channel::kLeases)) {
    Send(event.header(), Channel::kLeases, ts_us,
         [&](MessageWriter& out) { WriteLeaseChange(out, event, state_); });
  }
  const bool is_rewarded = event.is_provider() != 0 &&
                           static_cast<LeaseState>(event.state()) == LeaseState::kSettled &&
                           LeaseId(event.lease_id()) == rewarded_lease_ && reward_ > Tokens(0);
  if (!is_rewarded || !Listens(event.header(), Channel::kBalances)) return;
  const AccountRow& account = *state_.FindAccount(AccountId(event.header().account_id()));
  Send(event.header(), Channel::kBalances, ts_us,
       [&](MessageWriter& out) { WriteTokenBalance(out, account.tokens, reward_, "reward"); });
}

bool PrivateFeed::Listens(const wire::EventHeader& header, Channel channel) const {
  const auto listeners = listeners_.find(AccountId(header.account_id()));
  return listeners != listeners_.end() &&
         std::ranges::any_of(listeners->second, [&](const Listener& listener) {
           return (listener.channels & Bit(channel)) != 0;
         });
}

void PrivateFeed::Send(const wire::EventHeader& header, Channel channel, int64_t ts_us,
                       absl::FunctionRef<void(MessageWriter&)> write_objects) {
  for (Listener& listener : listeners_[AccountId(header.account_id())]) {
    if ((listener.channels & Bit(channel)) == 0) continue;
    const PrivateHead head{.channel = channel,
                           .sequence = header.account_sequence(),
                           .previous_sequence = listener.last_sequence,
                           .ts_us = ts_us};
    listener.last_sequence = head.sequence;
    message_.clear();
    MessageWriter out(listener.subscriber->encoding(), message_);
    BeginPrivateUpdate(out, head);
    write_objects(out);
    EndPrivateUpdate(out);
    listener.subscriber->Send(message_);
  }
}

const PrivateFeed::Listener* PrivateFeed::Find(uint64_t connection_id) const {
  const auto account = account_of_.find(connection_id);
  if (account == account_of_.end()) return nullptr;
  for (const Listener& listener : listeners_.find(account->second)->second) {
    if (listener.connection_id == connection_id) return &listener;
  }
  return nullptr;
}

PrivateFeed::Listener* PrivateFeed::Find(uint64_t connection_id) {
  return const_cast<Listener*>(std::as_const(*this).Find(connection_id));
}

}  // namespace warpbook::gateway
