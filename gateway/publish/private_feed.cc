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
  return listener != nullptr && (listener->channels & ChannelBit(channel)) != 0;
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
  listener->channels |= ChannelBit(channel);
}

void PrivateFeed::Join(uint64_t connection_id, Subscriber& subscriber, uint32_t channels,
                       AccountId account, uint64_t last_sequence) {
  WARPBOOK_CHECK(Find(connection_id) == nullptr && channels != 0);
  account_of_[connection_id] = account;
  listeners_[account].push_back({.connection_id = connection_id,
                                 .subscriber = &subscriber,
                                 .channels = channels,
                                 .last_sequence = last_sequence});
}

RejectReason PrivateFeed::Unsubscribe(uint64_t connection_id, Channel channel) {
  Listener* listener = Find(connection_id);
  if (listener == nullptr || (listener->channels & ChannelBit(channel)) == 0) {
    return RejectReason::kNotSubscribed;
  }
  listener->channels &= ~ChannelBit(channel);
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

size_t PrivateFeed::SnapshotRows(Channel channel, AccountId account) const {
  const AccountRow& row = *state_.FindAccount(account);
  switch (channel) {
    case Channel::kExecutions:
      return row.orders.size();
    case Channel::kLeases:
      return row.leases.size();
    default:
      return 2;  // of balances: credits and TOK
  }
}

void PrivateFeed::SendFirst(uint64_t connection_id, Channel channel, int64_t ts_us) {
  Listener* listener = Find(connection_id);
  WARPBOOK_CHECK(listener != nullptr);
  const AccountRow& account = *state_.FindAccount(account_of_[connection_id]);
  listener->last_sequence = account.last_sequence;
  Subscriber& subscriber = *listener->subscriber;
  WritePrivateSnapshots(subscriber.encoding(), channel, account, state_, ts_us,
                        [&](std::string_view message) {
                          tally_.OnSent(channel);
                          subscriber.Send(message);
                        });
}

void PrivateFeed::OnEvent(const PrivateEvent& event) {
  const auto listeners = listeners_.find(event.account());
  if (listeners == listeners_.end()) return;
  const uint32_t channels = ChannelsOf(event);
  for (const Channel channel : kPrivateChannels) {
    if ((channels & ChannelBit(channel)) == 0) continue;
    for (Listener& listener : listeners->second) {
      if ((listener.channels & ChannelBit(channel)) == 0) continue;
      message_.clear();
      MessageWriter out(listener.subscriber->encoding(), message_);
      WritePrivateUpdate(out, channel, event, listener.last_sequence, state_);
      listener.last_sequence = event.sequence();
      tally_.OnSent(channel);
      listener.subscriber->Send(message_);
    }
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
