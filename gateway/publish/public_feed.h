// PublicFeed: who listens to which book and which trades, and what they are told. The changes of a
// durable batch go out as one message per channel, encoded once. Each channel counts its messages:
// seq and prev_seq.
//
// A listener whose queue is too long is passed over until it has caught up, and then given a fresh
// snapshot. A channel ends with its instrument, and says so to all of them. The I/O thread owns it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "gateway/protocol/methods.h"
#include "gateway/publish/market_state.h"
#include "gateway/publish/public_messages.h"
#include "gateway/publish/subscriber.h"
#include "schema/types/reject_reason.h"
#include "schema/wire/record.h"

namespace warpbook::gateway {

// How many messages each channel of an instrument has had.
struct FeedSequences {
  uint64_t book = 0;
  uint64_t trades = 0;
};

class PublicFeed {
 public:
  explicit PublicFeed(const MarketState& state) : state_(state) {}

  bool IsSubscribed(uint64_t connection_id, Channel channel, InstrumentId instrument) const;
  // To kBook or kTrades of an instrument that is not closed, and that it is not subscribed to.
  void Subscribe(uint64_t connection_id, Subscriber& subscriber, Channel channel,
                 InstrumentId instrument);
  // kNotSubscribed or kNone.
  RejectReason Unsubscribe(uint64_t connection_id, Channel channel, InstrumentId instrument);
  void RemoveConnection(uint64_t connection_id);
  size_t CountOf(uint64_t connection_id) const;

  // What a channel begins with: the book as it is; the last trades.
  void SendFirst(uint64_t connection_id, Channel channel, InstrumentId instrument, int64_t ts_us);
  // The connection's queue has room again: a snapshot for each channel that it was passed over in.
  void Resume(uint64_t connection_id, int64_t ts_us);

  // Events, after the state has taken them in. Flush sends what they come to; before anybody is
  // given a snapshot, so that it holds nothing that is sent again.
  void On(const wire::BookLevelChanged& event);
  void On(const wire::TradeExecuted& event);
  void On(const wire::InstrumentStateChanged& event);
  void Flush(int64_t ts_us);

  // Between batches. Of an instrument that is not closed.
  FeedSequences SequencesOf(InstrumentId instrument) const;
  // So many messages, which add up to the book that is in the state.
  void Restore(InstrumentId instrument, FeedSequences sequences);

 private:
  struct Listener {
    uint64_t connection_id = 0;
    Subscriber* subscriber = nullptr;
    bool missed = false;  // passed over: needs a snapshot
  };
  struct Stream {
    uint64_t sequence = 0;
    std::vector<Listener> listeners;
  };
  struct Feed {
    Stream book, trades;
    L2Book published;  // what the book channel's messages add up to
    // Since the last Flush.
    bool touched = false;
    std::vector<ChangedLevel> changed_levels;
    std::vector<TradeRow> new_trades;
  };
  using Subscription = std::pair<Channel, InstrumentId>;

  static Stream& StreamOf(Feed& feed, Channel channel) {
    return channel == Channel::kBook ? feed.book : feed.trades;
  }
  Feed& Touch(InstrumentId instrument);
  void FlushFeed(InstrumentId instrument, Feed& feed, int64_t ts_us);
  void CloseFeed(InstrumentId instrument, Feed& feed, int64_t ts_us);
  void SendSnapshot(Listener& listener, const Stream& stream, Channel channel,
                    InstrumentId instrument, int64_t ts_us);

  const MarketState& state_;
  absl::flat_hash_map<InstrumentId, Feed> feeds_;
  std::vector<InstrumentId> touched_;
  absl::flat_hash_map<uint64_t, std::vector<Subscription>> by_connection_;
};

}  // namespace warpbook::gateway
