// MarketFeed: the market data of each instrument: book, orders, trades, ticker and candles. What
// changed since the last Flush goes out as one message per channel. Each channel counts its
// messages, also those that nobody listens to. A channel ends with its instrument, and says so. The
// I/O thread owns it.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "gateway/publish/market_state.h"
#include "gateway/publish/order_messages.h"
#include "gateway/publish/public_messages.h"
#include "gateway/publish/subscriptions.h"
#include "gateway/publish/topic.h"
#include "schema/wire/record.h"

namespace warpbook::gateway {

// How many messages each channel of an instrument has had.
struct FeedSequences {
  uint64_t book = 0, orders = 0, trades = 0, ticker = 0;
  std::array<uint64_t, kCandleIntervals.size()> candles = {};

  uint64_t& Of(const Topic& topic);
};

class MarketFeed {
 public:
  MarketFeed(const MarketState& state, Subscriptions& subscriptions)
      : state_(state), subscriptions_(subscriptions) {}

  // What a subscription begins with, and goes on with after it was passed over.
  void SendSnapshot(uint64_t connection_id, const Topic& topic, int64_t ts_us);

  // Events, after the state has taken them in; Flush sends what they come to, at the market's time.
  void On(const wire::BookLevelChanged& event);
  void On(const wire::TradeExecuted& event);
  void On(const wire::InstrumentStateChanged& event);
  void On(const wire::OrderAccepted& event);
  void On(const wire::OrderFilled& event);
  void On(const wire::OrderAmended& event);
  void On(const wire::OrderCancelled& event);
  void Flush(int64_t ts_us);

  // After a Flush. Of an instrument that is not closed.
  FeedSequences SequencesOf(InstrumentId instrument) const;
  // So many messages, which add up to what is in the state. RestoreTime comes once.
  void Restore(InstrumentId instrument, FeedSequences sequences);
  void RestoreTime(int64_t last_flush_us) { last_flush_us_ = last_flush_us; }

 private:
  struct Feed {
    FeedSequences sequences;
    L2Book published;  // what the book channel's messages add up to
    BookTop top;       // that the ticker told last
    // Since the last Flush.
    bool touched = false;
    std::vector<ChangedLevel> changed_levels;
    std::vector<TradeRow> new_trades;
    OrderChanges changed_orders;
  };

  Feed& Touch(InstrumentId instrument);
  void TouchEndedCandles(int64_t ts_us);
  void FlushFeed(const InstrumentRow& row, Feed& feed, int64_t ts_us);
  void FlushOrders(const InstrumentRow& row, Feed& feed, int64_t ts_us);
  void FlushBook(const InstrumentRow& row, Feed& feed, int64_t ts_us);
  void FlushTicker(const InstrumentRow& row, Feed& feed, int64_t ts_us);
  void FlushCandles(const InstrumentRow& row, Feed& feed, int64_t ts_us);
  void CloseFeed(InstrumentId instrument, Feed& feed, int64_t ts_us);
  static PublicHead Next(Feed& feed, const Topic& topic, int64_t ts_us) {
    return {.sequence = ++feed.sequences.Of(topic), .ts_us = ts_us};
  }

  const MarketState& state_;
  Subscriptions& subscriptions_;
  absl::flat_hash_map<InstrumentId, Feed> feeds_;
  std::vector<InstrumentId> touched_;
  OrderId last_order_, last_told_order_;  // accepted so far; and at the last Flush
  int64_t last_flush_us_ = 0;
};

}  // namespace warpbook::gateway
