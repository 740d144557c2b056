#include "gateway/publish/public_feed.h"

#include <algorithm>
#include <array>

#include "schema/base/check.h"

namespace warpbook::gateway {
namespace {

// One message for all who are not waiting for a snapshot, encoded once for each encoding that
// somebody reads; those who cannot take it wait from now. `encode(Encoding)` gives its bytes.
template <typename Listeners, typename Encode>
void Broadcast(Listeners& listeners, Encode&& encode) {
  std::array<SharedMessage, kEncodingCount> messages;
  for (auto& listener : listeners) {
    if (listener.missed) continue;
    const Encoding encoding = listener.subscriber->encoding();
    SharedMessage& message = messages[static_cast<size_t>(encoding)];
    if (message == nullptr) message = Share(encoding, encode(encoding));
    listener.missed = !listener.subscriber->SendPublic(message);
  }
}

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

template <typename Listeners>
auto FindListener(Listeners& listeners, uint64_t connection_id) {
  return std::ranges::find_if(
      listeners, [&](const auto& listener) { return listener.connection_id == connection_id; });
}

}  // namespace

bool PublicFeed::IsSubscribed(uint64_t connection_id, Channel channel,
                              InstrumentId instrument) const {
  const auto subscriptions = by_connection_.find(connection_id);
  return subscriptions != by_connection_.end() &&
         std::ranges::find(subscriptions->second, Subscription(channel, instrument)) !=
             subscriptions->second.end();
}

void PublicFeed::Subscribe(uint64_t connection_id, Subscriber& subscriber, Channel channel,
                           InstrumentId instrument) {
  WARPBOOK_CHECK(!IsSubscribed(connection_id, channel, instrument));
  StreamOf(feeds_[instrument], channel)
      .listeners.push_back({.connection_id = connection_id, .subscriber = &subscriber});
  by_connection_[connection_id].emplace_back(channel, instrument);
}

RejectReason PublicFeed::Unsubscribe(uint64_t connection_id, Channel channel,
                                     InstrumentId instrument) {
  const auto subscriptions = by_connection_.find(connection_id);
  if (subscriptions == by_connection_.end() ||
      std::erase(subscriptions->second, Subscription(channel, instrument)) == 0) {
    return RejectReason::kNotSubscribed;
  }
  auto& listeners = StreamOf(feeds_[instrument], channel).listeners;
  listeners.erase(FindListener(listeners, connection_id));
  return RejectReason::kNone;
}

void PublicFeed::RemoveConnection(uint64_t connection_id) {
  const auto subscriptions = by_connection_.find(connection_id);
  if (subscriptions == by_connection_.end()) return;
  for (const auto& [channel, instrument] : subscriptions->second) {
    auto& listeners = StreamOf(feeds_[instrument], channel).listeners;
    listeners.erase(FindListener(listeners, connection_id));
  }
  by_connection_.erase(subscriptions);
}

size_t PublicFeed::CountOf(uint64_t connection_id) const {
  const auto subscriptions = by_connection_.find(connection_id);
  return subscriptions == by_connection_.end() ? 0 : subscriptions->second.size();
}

void PublicFeed::SendFirst(uint64_t connection_id, Channel channel, InstrumentId instrument,
                           int64_t ts_us) {
  Stream& stream = StreamOf(feeds_[instrument], channel);
  const auto listener = FindListener(stream.listeners, connection_id);
  WARPBOOK_CHECK(listener != stream.listeners.end());
  SendSnapshot(*listener, stream, channel, instrument, ts_us);
}

void PublicFeed::Resume(uint64_t connection_id, int64_t ts_us) {
  const auto subscriptions = by_connection_.find(connection_id);
  if (subscriptions == by_connection_.end()) return;
  for (const auto& [channel, instrument] : subscriptions->second) {
    Stream& stream = StreamOf(feeds_[instrument], channel);
    const auto listener = FindListener(stream.listeners, connection_id);
    if (listener->missed) SendSnapshot(*listener, stream, channel, instrument, ts_us);
  }
}

void PublicFeed::SendSnapshot(Listener& listener, const Stream& stream, Channel channel,
                              InstrumentId instrument, int64_t ts_us) {
  const InstrumentRow& row = *state_.FindInstrument(instrument);
  const PublicHead head{.sequence = stream.sequence, .ts_us = ts_us};
  const Encoding encoding = listener.subscriber->encoding();
  listener.missed = !listener.subscriber->SendPublic(
      Share(encoding, channel == Channel::kBook ? BookSnapshot(encoding, row, head)
                                                : TradesSnapshot(encoding, row, head)));
}

PublicFeed::Feed& PublicFeed::Touch(InstrumentId instrument) {
  Feed& feed = feeds_[instrument];
  if (!feed.touched) touched_.push_back(instrument);
  feed.touched = true;
  return feed;
}

void PublicFeed::On(const wire::BookLevelChanged& event) {
  Touch(InstrumentId(event.instrument_id()))
      .changed_levels.emplace_back(static_cast<Side>(event.side()), Price(event.price()));
}

void PublicFeed::On(const wire::TradeExecuted& event) {
  const InstrumentId id(event.instrument_id());
  Touch(id).new_trades.push_back(state_.FindInstrument(id)->last_trades.back());
}

void PublicFeed::On(const wire::InstrumentStateChanged& event) {
  Touch(InstrumentId(event.instrument_id()));
}

void PublicFeed::Flush(int64_t ts_us) {
  for (const InstrumentId instrument : touched_) {
    Feed& feed = feeds_[instrument];
    feed.touched = false;
    const InstrumentRow* row = state_.FindInstrument(instrument);
    // Without a row: closed, and so many after it that it is forgotten already.
    if (row != nullptr) FlushFeed(instrument, feed, ts_us);
    if (row == nullptr || row->state == InstrumentState::kClosed) {
      CloseFeed(instrument, feed, ts_us);
    }
  }
  touched_.clear();
}

FeedSequences PublicFeed::SequencesOf(InstrumentId instrument) const {
  const auto feed = feeds_.find(instrument);
  if (feed == feeds_.end()) return {};
  return {.book = feed->second.book.sequence, .trades = feed->second.trades.sequence};
}

void PublicFeed::Restore(InstrumentId instrument, FeedSequences sequences) {
  Feed& feed = feeds_[instrument];
  feed.book.sequence = sequences.book;
  feed.trades.sequence = sequences.trades;
  feed.published = state_.FindInstrument(instrument)->book;
}

void PublicFeed::FlushFeed(InstrumentId instrument, Feed& feed, int64_t ts_us) {
  const InstrumentRow& row = *state_.FindInstrument(instrument);
  if (!feed.new_trades.empty()) {
    const PublicHead head{.sequence = ++feed.trades.sequence, .ts_us = ts_us};
    Broadcast(feed.trades.listeners, [&](Encoding encoding) {
      return TradesUpdate(encoding, row, head, feed.new_trades);
    });
    feed.new_trades.clear();
  }
  KeepRealChanges(feed.changed_levels, row.book, feed.published);
  if (!feed.changed_levels.empty()) {
    const PublicHead head{.sequence = ++feed.book.sequence, .ts_us = ts_us};
    Broadcast(feed.book.listeners, [&](Encoding encoding) {
      return BookUpdate(encoding, row, head, feed.changed_levels);
    });
    feed.changed_levels.clear();
  }
}

void PublicFeed::CloseFeed(InstrumentId instrument, Feed& feed, int64_t ts_us) {
  const InstrumentRow* row = state_.FindInstrument(instrument);
  for (const Channel channel : {Channel::kBook, Channel::kTrades}) {
    Stream& stream = StreamOf(feed, channel);
    if (stream.listeners.empty()) continue;
    const PublicHead head{.sequence = ++stream.sequence, .ts_us = ts_us};
    for (const Listener& listener : stream.listeners) {
      // Nothing comes after it: not passed over, whatever was missed before.
      if (row != nullptr) {
        listener.subscriber->Send(
            ChannelClosed(listener.subscriber->encoding(), ChannelName(channel), *row, head));
      }
      std::erase(by_connection_[listener.connection_id], Subscription(channel, instrument));
    }
  }
  feeds_.erase(instrument);
}

}  // namespace warpbook::gateway
