#include "gateway/publish/market_feed.h"

#include <algorithm>
#include <span>

#include "schema/base/check.h"

namespace warpbook::gateway {
namespace {

// Sorts the levels, and leaves out those that are what they were when they were last published: a
// batch may open a level and take it away again.
void KeepRealChanges(std::vector<ChangedLevel>& levels, const L2Book& book, L2Book& published) {
  std::ranges::sort(levels);
  // Not std::ranges::unique: clang 14, of the fuzzers, cannot read the library's subrange.
  levels.erase(std::unique(levels.begin(), levels.end()), levels.end());
  std::erase_if(levels, [&](const ChangedLevel& level) {
    const auto [side, price] = level;
    const Quantity gpus = book.At(side, price);
    if (gpus == published.At(side, price)) return true;
    published.Set(side, price, gpus);
    return false;
  });
}

// The candles that had not ended by that time: the last ones.
std::span<const Candle> EndingAfter(const std::vector<Candle>& candles, CandleInterval interval,
                                    int64_t time_us) {
  auto first = candles.end();
  while (first != candles.begin() &&
         std::prev(first)->start.micros() + MicrosOf(interval) > time_us) {
    --first;
  }
  return {first, candles.end()};
}

template <typename Visit>
void ForEachTopic(InstrumentId instrument, Visit&& visit) {
  for (const Channel channel :
       {Channel::kBook, Channel::kOrders, Channel::kTrades, Channel::kTicker}) {
    visit(Topic{.channel = channel, .instrument = instrument});
  }
  for (const CandleInterval interval : kCandleIntervals) {
    visit(Topic{.channel = Channel::kCandles, .instrument = instrument, .interval = interval});
  }
}

}  // namespace

uint64_t& FeedSequences::Of(const Topic& topic) {
  switch (topic.channel) {
    case Channel::kBook:
      return book;
    case Channel::kOrders:
      return orders;
    case Channel::kTrades:
      return trades;
    case Channel::kTicker:
      return ticker;
    default:
      WARPBOOK_CHECK(topic.channel == Channel::kCandles);
      return candles[static_cast<size_t>(topic.interval)];
  }
}

void MarketFeed::SendSnapshot(uint64_t connection_id, const Topic& topic, int64_t ts_us) {
  const InstrumentRow& row = *state_.FindInstrument(topic.instrument);
  const PublicHead head{.sequence = feeds_[topic.instrument].sequences.Of(topic), .ts_us = ts_us};
  if (topic.channel == Channel::kOrders && row.orders.size() > kOrdersSnapshotMax) {
    subscriptions_.SendLastTo(connection_id, topic, [&](Encoding encoding) {
      return OrdersTooMany(encoding, row, {.sequence = head.sequence + 1, .ts_us = ts_us});
    });
    subscriptions_.Remove(connection_id, topic);
    return;
  }
  subscriptions_.SendSnapshot(connection_id, topic, [&](Encoding encoding) {
    switch (topic.channel) {
      case Channel::kBook:
        return BookSnapshot(encoding, row, head);
      case Channel::kOrders:
        return OrdersSnapshot(encoding, row, state_, head);
      case Channel::kTrades:
        return TradesSnapshot(encoding, row, head);
      case Channel::kTicker:
        return TickerMessage(encoding, row, MessageType::kSnapshot, head);
      default:
        return CandlesMessage(encoding, row, topic.interval, MessageType::kSnapshot, head,
                              row.candles.Of(topic.interval));
    }
  });
}

// ---- Events ----

MarketFeed::Feed& MarketFeed::Touch(InstrumentId instrument) {
  Feed& feed = feeds_[instrument];
  if (!feed.touched) touched_.push_back(instrument);
  feed.touched = true;
  return feed;
}

void MarketFeed::On(const wire::BookLevelChanged& event) {
  Touch(InstrumentId(event.instrument_id()))
      .changed_levels.emplace_back(static_cast<Side>(event.side()), Price(event.price()));
}

void MarketFeed::On(const wire::TradeExecuted& event) {
  const InstrumentId id(event.instrument_id());
  Touch(id).new_trades.push_back(state_.FindInstrument(id)->last_trades.back());
}

void MarketFeed::On(const wire::InstrumentStateChanged& event) {
  Touch(InstrumentId(event.instrument_id()));
}

void MarketFeed::On(const wire::OrderAccepted& event) {
  last_order_ = OrderId(event.order_id());
  Touch(InstrumentId(event.instrument_id()))
      .changed_orders.Note(last_order_, static_cast<Side>(event.side()), true);
}

void MarketFeed::On(const wire::OrderFilled& event) {
  Touch(InstrumentId(event.instrument_id()))
      .changed_orders.Note(OrderId(event.order_id()), static_cast<Side>(event.side()), true);
}

void MarketFeed::On(const wire::OrderAmended& event) {
  const OrderId id(event.order_id());
  Touch(InstrumentId(event.instrument_id()))
      .changed_orders.Note(id, state_.FindOrder(id)->side, event.kept_priority() != 0);
}

void MarketFeed::On(const wire::OrderCancelled& event) {
  Touch(InstrumentId(event.instrument_id()))
      .changed_orders.Note(OrderId(event.order_id()), static_cast<Side>(event.side()), true);
}

// ---- Messages ----

void MarketFeed::Flush(int64_t ts_us) {
  TouchEndedCandles(ts_us);
  for (const InstrumentId instrument : touched_) {
    Feed& feed = feeds_[instrument];
    feed.touched = false;
    const InstrumentRow* row = state_.FindInstrument(instrument);
    // Without a row: closed, and so many after it that it is forgotten already.
    if (row != nullptr) FlushFeed(*row, feed, ts_us);
    if (row == nullptr || row->state == InstrumentState::kClosed) {
      CloseFeed(instrument, feed, ts_us);
    }
  }
  touched_.clear();
  last_told_order_ = last_order_;
  last_flush_us_ = ts_us;
}

// Candles end with time, also where nothing happens. All of them end with a minute.
void MarketFeed::TouchEndedCandles(int64_t ts_us) {
  if (ts_us / kMicrosPerMinute == last_flush_us_ / kMicrosPerMinute) return;
  for (const InstrumentId instrument : state_.open_instruments()) {
    const Candles& candles = state_.FindInstrument(instrument)->candles;
    // The longest one ends last.
    if (!EndingAfter(candles.Of(kCandleIntervals.back()), kCandleIntervals.back(), last_flush_us_)
             .empty()) {
      Touch(instrument);
    }
  }
}

void MarketFeed::FlushFeed(const InstrumentRow& row, Feed& feed, int64_t ts_us) {
  if (!feed.new_trades.empty()) {
    const Topic topic{.channel = Channel::kTrades, .instrument = row.terms->id};
    const PublicHead head = Next(feed, topic, ts_us);
    subscriptions_.Broadcast(topic, [&](Encoding encoding) {
      return TradesUpdate(encoding, row, head, feed.new_trades);
    });
  }
  FlushOrders(row, feed, ts_us);
  FlushBook(row, feed, ts_us);
  // Of a closed one nothing is left that they could tell.
  if (row.state != InstrumentState::kClosed) {
    FlushTicker(row, feed, ts_us);
    FlushCandles(row, feed, ts_us);
  }
  feed.new_trades.clear();
}

void MarketFeed::FlushOrders(const InstrumentRow& row, Feed& feed, int64_t ts_us) {
  if (feed.changed_orders.empty()) return;
  const auto changes = feed.changed_orders.Take(state_, last_told_order_);
  if (changes.empty()) return;
  const Topic topic{.channel = Channel::kOrders, .instrument = row.terms->id};
  const PublicHead head = Next(feed, topic, ts_us);
  subscriptions_.Broadcast(
      topic, [&](Encoding encoding) { return OrdersUpdate(encoding, row, head, changes); });
}

void MarketFeed::FlushBook(const InstrumentRow& row, Feed& feed, int64_t ts_us) {
  KeepRealChanges(feed.changed_levels, row.book, feed.published);
  if (feed.changed_levels.empty()) return;
  const Topic topic{.channel = Channel::kBook, .instrument = row.terms->id};
  const PublicHead head = Next(feed, topic, ts_us);
  subscriptions_.Broadcast(topic, [&](Encoding encoding) {
    return BookUpdate(encoding, row, head, feed.changed_levels);
  });
  feed.changed_levels.clear();
}

void MarketFeed::FlushTicker(const InstrumentRow& row, Feed& feed, int64_t ts_us) {
  const BookTop top = TopOf(row.book);
  if (top == feed.top && feed.new_trades.empty()) return;
  feed.top = top;
  const Topic topic{.channel = Channel::kTicker, .instrument = row.terms->id};
  const PublicHead head = Next(feed, topic, ts_us);
  subscriptions_.Broadcast(topic, [&](Encoding encoding) {
    return TickerMessage(encoding, row, MessageType::kUpdate, head);
  });
}

// Those that ended since the last Flush, and those with trades since then. A trade falls into the
// last candle, and whichever came before that one has ended by now.
void MarketFeed::FlushCandles(const InstrumentRow& row, Feed& feed, int64_t ts_us) {
  for (const CandleInterval interval : kCandleIntervals) {
    auto candles = EndingAfter(row.candles.Of(interval), interval, last_flush_us_);
    if (candles.empty()) continue;
    const bool is_running = candles.back().start.micros() + MicrosOf(interval) > ts_us;
    if (is_running && feed.new_trades.empty()) candles = candles.first(candles.size() - 1);
    if (candles.empty()) continue;
    const Topic topic{
        .channel = Channel::kCandles, .instrument = row.terms->id, .interval = interval};
    const PublicHead head = Next(feed, topic, ts_us);
    subscriptions_.Broadcast(topic, [&](Encoding encoding) {
      return CandlesMessage(encoding, row, interval, MessageType::kUpdate, head, candles);
    });
  }
}

void MarketFeed::CloseFeed(InstrumentId instrument, Feed& feed, int64_t ts_us) {
  const InstrumentRow* row = state_.FindInstrument(instrument);
  ForEachTopic(instrument, [&](const Topic& topic) {
    const PublicHead head = Next(feed, topic, ts_us);
    if (row != nullptr) {
      subscriptions_.SendLast(
          topic, [&](Encoding encoding) { return ChannelClosed(encoding, topic, *row, head); });
    }
    subscriptions_.Drop(topic);
  });
  feeds_.erase(instrument);
}

// ---- Snapshots of the market ----

FeedSequences MarketFeed::SequencesOf(InstrumentId instrument) const {
  const auto feed = feeds_.find(instrument);
  return feed == feeds_.end() ? FeedSequences() : feed->second.sequences;
}

void MarketFeed::Restore(InstrumentId instrument, FeedSequences sequences) {
  const InstrumentRow& row = *state_.FindInstrument(instrument);
  Feed& feed = feeds_[instrument];
  feed.sequences = sequences;
  feed.published = row.book;
  feed.top = TopOf(row.book);
  for (const OrderId order : row.orders) last_order_ = std::max(last_order_, order);
  last_told_order_ = last_order_;
}

}  // namespace warpbook::gateway
