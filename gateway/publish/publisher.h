// Publisher: durable batches in, messages out. It keeps MarketState and hands every event to those
// who answer and tell: replies first, then the account's own channels, and market data when its
// owner says so. The I/O thread owns it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

#include "engine/service/engine_port.h"
#include "gateway/publish/gateway_tally.h"
#include "gateway/publish/logons.h"
#include "gateway/publish/market_state.h"
#include "gateway/publish/private_feed.h"
#include "gateway/publish/public_feed.h"
#include "gateway/publish/recent_events.h"
#include "gateway/publish/replier.h"
#include "schema/base/clock.h"
#include "schema/catalogue/catalogue.h"

namespace warpbook::gateway {

// What a publisher has come to by all batches so far; what snapshots hold.
struct PublishedMarket {
  MarketState state;
  std::vector<std::pair<InstrumentId, FeedSequences>> feeds =
      {};                             // of instruments that are not closed
  uint64_t instruments_sequence = 0;  // messages of the channel instruments
  uint64_t last_sequence = 0;
  int64_t last_time_us = 0;
};

class Publisher {
 public:
  // Catalogue and clock (real time) must outlive it.
  Publisher(const Catalogue& catalogue, const Clock& clock, const RecentEventsLimits& recent = {})
      : state_(catalogue),
        replier_(clock, tally_),
        recent_(recent),
        private_(state_, tally_),
        public_(state_, tally_) {}

  // Takes in one batch; batches come without a gap. Whoever has asked for something is answered,
  // and accounts are told what is theirs.
  void Take(const engine::DurableBatch& batch);
  // What has changed in the market since the last time is to be told to everybody: once after each
  // batch, or after several, which is less to tell.
  void PublishMarketData();
  // Tells so many connections what is to be told. False: there was nobody left
  // (Subscriptions::Deliver).
  bool Deliver(size_t connections) { return public_.Deliver(connections); }
  bool has_undelivered() const { return public_.has_undelivered(); }
  void DeliverAll() {
    while (has_undelivered()) Deliver(std::numeric_limits<size_t>::max());
  }
  // All of it. Also for batches that recovery replayed: nobody listens yet.
  void Publish(const engine::DurableBatch& batch) {
    Take(batch);
    PublishMarketData();
    DeliverAll();
  }
  // Takes over what another one has come to, before anything else: the batches after it follow.
  void Restore(PublishedMarket market);

  void AddConnection(uint64_t connection_id, Subscriber& subscriber) {
    replier_.AddConnection(connection_id, subscriber);
  }
  void RemoveConnection(uint64_t connection_id) {
    replier_.RemoveConnection(connection_id);
    private_.RemoveConnection(connection_id);
    logons_.Remove(connection_id);
    public_.RemoveConnection(connection_id);
  }

  // Time passes, also without batches; to be called several times a second with a monotonic clock's
  // time.
  void Tick(int64_t now_us) { public_.Tick(now_us); }
  // Tells every connection that the server goes, and by when to connect again (real time).
  void AnnounceShutdown(int64_t reconnect_by_us);

  // What happened since somebody last took it.
  GatewayTally& tally() { return tally_; }

  const MarketState& state() const { return state_; }
  Replier& replier() { return replier_; }
  // The last private events of each account, those that recovery replayed included.
  const RecentEvents& recent_events() const { return recent_; }
  const Replier& replier() const { return replier_; }
  PrivateFeed& private_feed() { return private_; }
  Logons& logons() { return logons_; }
  PublicFeed& public_feed() { return public_; }
  const PublicFeed& public_feed() const { return public_; }

  // The last command that the state has taken in, and its time.
  uint64_t last_sequence() const { return last_sequence_; }
  int64_t last_time_us() const { return last_time_us_; }

 private:
  void OnEvent(wire::RecordView command, wire::RecordView event, wire::RecordView cause);
  void On(const wire::KeyRevoked& event);

  GatewayTally tally_;
  MarketState state_;
  Replier replier_;
  RecentEvents recent_;
  PrivateFeed private_;
  Logons logons_;
  PublicFeed public_;
  wire::CauseTracker causes_;
  uint64_t last_sequence_ = 0;
  int64_t last_time_us_ = 0;
};

}  // namespace warpbook::gateway
