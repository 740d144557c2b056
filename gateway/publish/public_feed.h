// PublicFeed: the public channels. Who listens to which (subscriptions.h), and what they are told:
// of one instrument (market_feed.h), or of the exchange as a whole (exchange_feed.h). The I/O
// thread owns it.
#pragma once

#include <cstddef>
#include <cstdint>

#include "gateway/publish/exchange_feed.h"
#include "gateway/publish/market_feed.h"
#include "gateway/publish/market_state.h"
#include "gateway/publish/subscriber.h"
#include "gateway/publish/subscriptions.h"
#include "gateway/publish/topic.h"
#include "schema/types/reject_reason.h"
#include "schema/wire/record.h"

namespace warpbook::gateway {

class PublicFeed {
 public:
  PublicFeed(const MarketState& state, GatewayTally& tally)
      : state_(state),
        subscriptions_(tally),
        market_(state, subscriptions_),
        exchange_(state, subscriptions_) {}

  bool IsSubscribed(uint64_t connection_id, const Topic& topic) const {
    return subscriptions_.Contains(connection_id, topic);
  }
  // Why the topic cannot be subscribed to: kNone or kSnapshotTooLarge.
  RejectReason CanSubscribe(const Topic& topic) const;
  // To a topic that it is not subscribed to, and whose instrument, if it has one, is not closed.
  void Subscribe(uint64_t connection_id, Subscriber& subscriber, const Topic& topic) {
    subscriptions_.Add(connection_id, subscriber, topic);
  }
  // kNotSubscribed or kNone.
  RejectReason Unsubscribe(uint64_t connection_id, const Topic& topic) {
    const bool removed = subscriptions_.Remove(connection_id, topic);
    return removed ? RejectReason::kNone : RejectReason::kNotSubscribed;
  }
  void RemoveConnection(uint64_t connection_id) { subscriptions_.RemoveConnection(connection_id); }
  size_t CountOf(uint64_t connection_id) const { return subscriptions_.CountOf(connection_id); }

  // What a subscription begins with; also in between, where a subscriber asks for it anew.
  void SendSnapshot(uint64_t connection_id, const Topic& topic, int64_t ts_us);
  // The connection's queue has room again: a snapshot for each topic that it was passed over in.
  void Resume(uint64_t connection_id, int64_t ts_us);

  // An event, after the state has taken it in. Flush sends what they come to; before anybody is
  // given a snapshot, so that it holds nothing that is sent again.
  void OnEvent(wire::RecordView event);
  void Flush(uint64_t last_sequence, int64_t ts_us);
  // What that sends waits to be delivered (subscriptions.h).
  bool Deliver(size_t connections) { return subscriptions_.Deliver(connections); }
  bool has_undelivered() const { return subscriptions_.has_undelivered(); }
  void Tick(int64_t now_us) { exchange_.Tick(now_us); }
  void AnnounceShutdown(int64_t reconnect_by_us) { exchange_.AnnounceShutdown(reconnect_by_us); }

  MarketFeed& market() { return market_; }
  const MarketFeed& market() const { return market_; }
  ExchangeFeed& exchange() { return exchange_; }
  const ExchangeFeed& exchange() const { return exchange_; }

 private:
  const MarketState& state_;
  Subscriptions subscriptions_;
  MarketFeed market_;
  ExchangeFeed exchange_;
};

}  // namespace warpbook::gateway
