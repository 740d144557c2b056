// Publisher: durable batches in, messages out. It keeps MarketState and hands every event to those
// who answer and tell: replies first, then the account's own channels, then market data, which goes
// out once per batch. The I/O thread owns it.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "engine/service/engine_port.h"
#include "gateway/publish/market_state.h"
#include "gateway/publish/private_feed.h"
#include "gateway/publish/public_feed.h"
#include "gateway/publish/replier.h"
#include "schema/base/clock.h"
#include "schema/catalogue/catalogue.h"

namespace warpbook::gateway {

// What a publisher has come to by all batches so far; what snapshots hold.
struct PublishedMarket {
  MarketState state;
  std::vector<std::pair<InstrumentId, FeedSequences>> feeds =
      {};  // of instruments that are not closed
  uint64_t last_sequence = 0;
  int64_t last_time_us = 0;
};

class Publisher {
 public:
  // Catalogue and clock (real time) must outlive it.
  Publisher(const Catalogue& catalogue, const Clock& clock)
      : state_(catalogue), replier_(clock), private_(state_), public_(state_) {}

  // Takes in one batch; batches come without a gap. Also for those that recovery replayed: nobody
  // listens yet.
  void Publish(const engine::DurableBatch& batch);
  // Takes over what another one has come to, before anything else: the batches after it follow.
  void Restore(PublishedMarket market);

  void AddConnection(uint64_t connection_id, Subscriber& subscriber) {
    replier_.AddConnection(connection_id, subscriber);
  }
  void RemoveConnection(uint64_t connection_id) {
    replier_.RemoveConnection(connection_id);
    private_.RemoveConnection(connection_id);
    public_.RemoveConnection(connection_id);
  }

  const MarketState& state() const { return state_; }
  Replier& replier() { return replier_; }
  const Replier& replier() const { return replier_; }
  PrivateFeed& private_feed() { return private_; }
  PublicFeed& public_feed() { return public_; }
  const PublicFeed& public_feed() const { return public_; }

  // The last command that the state has taken in, and its time.
  uint64_t last_sequence() const { return last_sequence_; }
  int64_t last_time_us() const { return last_time_us_; }

 private:
  void OnEvent(wire::RecordView command, wire::RecordView event);

  MarketState state_;
  Replier replier_;
  PrivateFeed private_;
  PublicFeed public_;
  uint64_t last_sequence_ = 0;
  int64_t last_time_us_ = 0;
};

}  // namespace warpbook::gateway
