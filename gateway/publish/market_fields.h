// What a market snapshot is made of, field by field, in the order of its bytes: the one description
// for writing it (market_snapshot.cc) and for reading it (market_reader.cc). `stream` is a
// StateWriter, then the row is const, or a StateReader. What follows from other fields is not
// there: an account's orders, leases and nodes, an instrument's symbol, the book that its channel's
// messages add up to. A change here is one of kMarketSnapshotFormat.
#pragma once

#include <cstdint>

#include "gateway/publish/market_rows.h"
#include "gateway/publish/public_feed.h"
#include "schema/types/state_stream.h"

namespace warpbook::gateway {

// ---- Lists: how many, then each ----

template <typename Rows, typename StreamRow>
void StreamList(StateWriter& out, const Rows& rows, StreamRow&& stream_row) {
  out(static_cast<uint32_t>(rows.size()));
  for (const auto& row : rows) stream_row(row);
}
template <typename Rows, typename StreamRow>
void StreamList(StateReader& in, Rows& rows, StreamRow&& stream_row) {
  uint32_t count = 0;
  in(count);
  for (uint32_t i = 0; i < count && in.ok(); ++i) stream_row(rows.emplace_back());
}

// One side of an L2 book, best first.
template <typename Levels>
void StreamLevels(StateWriter& out, const Levels& levels) {
  out(static_cast<uint32_t>(levels.size()));
  for (const auto& [price, gpus] : levels) out(price, gpus);
}
template <typename Levels>
void StreamLevels(StateReader& in, Levels& levels) {
  uint32_t count = 0;
  in(count);
  for (uint32_t i = 0; i < count && in.ok(); ++i) {
    Price price;
    Quantity gpus;
    in(price, gpus);
    in.Require(price > Price(0) && price <= kMaxPrice && gpus > Quantity(0),
               "a level of its book is none");
    in.Require(levels.empty() || levels.key_comp()(levels.rbegin()->first, price),
               "its book is out of order");
    if (in.ok()) levels.emplace_hint(levels.end(), price, gpus);
  }
}

// ---- Rows ----

template <typename Stream, typename AnyAccount>
void StreamAccount(Stream& stream, AnyAccount& account) {
  stream(account.id, account.owner, account.owner_verified, account.kind, account.free,
         account.locked, account.escrow, account.bonded_limit, account.tokens,
         account.last_sequence);
  StreamList(stream, account.keys, [&](auto& key) { stream(key.key, key.scopes); });
}

template <typename Stream, typename AnyNode>
void StreamNode(Stream& stream, AnyNode& node) {
  stream(node.id, node.account, node.class_id, node.region_id, node.device_key, node.registered,
         node.capacity, node.assurance, node.approved, node.probe, node.probe_tag,
         node.proved_until, node.probe_due);
}

// All but the symbol.
template <typename Stream, typename AnyTerms>
void StreamTerms(Stream& stream, AnyTerms& terms) {
  stream(terms.id, terms.class_id, terms.region_id, terms.window_start, terms.gate, terms.tick,
         terms.band_low, terms.band_high, terms.window_minutes, terms.notice_seconds);
}

// How many messages each channel of an instrument has had.
template <typename Stream, typename AnySequences>
void StreamSequences(Stream& stream, AnySequences&& sequences) {
  stream(sequences.book, sequences.orders, sequences.trades, sequences.ticker);
  for (auto& candles : sequences.candles) stream(candles);
}

template <typename Stream, typename AnySummary>
void StreamTraded(Stream& stream, AnySummary& traded) {
  stream(traded.open, traded.high, traded.low, traded.close, traded.gpus, traded.gpu_minutes,
         traded.trades);
}

// What an instrument that is not closed has besides its terms.
template <typename Stream, typename AnyInstrument>
void StreamMarketData(Stream& stream, AnyInstrument& instrument) {
  stream(instrument.state);
  StreamLevels(stream, instrument.book.bids);
  StreamLevels(stream, instrument.book.asks);
  StreamList(stream, instrument.last_trades, [&](auto& trade) {
    stream(trade.id, trade.time, trade.price, trade.gpus, trade.minutes, trade.taker_side);
  });
  StreamTraded(stream, instrument.traded);
  for (const CandleInterval interval : kCandleIntervals) {
    StreamList(stream, instrument.candles.Of(interval), [&](auto& candle) {
      stream(candle.start);
      StreamTraded(stream, candle.traded);
    });
  }
}

// All but the terms: `instrument` is their id.
template <typename Stream, typename AnyLease, typename AnyId>
void StreamLease(Stream& stream, AnyLease& lease, AnyId& instrument) {
  stream(lease.id, lease.buyer, lease.provider, lease.node, lease.resold_lease, instrument,
         lease.price, lease.provider_price, lease.gpus, lease.minutes, lease.delivery_start,
         lease.delivery_end, lease.state, lease.completed);
}

// All but the account, among whose orders it stands. Whether a client order id is among its bytes.
template <typename Stream, typename AnyOrder>
bool StreamOrder(Stream& stream, AnyOrder& order) {
  stream(order.id, order.instrument, order.node, order.lease, order.price, order.expires,
         order.gpus, order.remaining, order.min_fill, order.side, order.type, order.time_in_force,
         order.queue, order.min_assurance, order.post_only, order.priority, order.session);
  bool has_client_order_id = !order.client_order_id.empty();
  stream(has_client_order_id);
  if (has_client_order_id) stream(order.client_order_id);
  return has_client_order_id;
}

// Whether a client order id is among its bytes.
template <typename Stream, typename AnyOrder>
bool StreamFinishedOrder(Stream& stream, AnyOrder& order) {
  stream(order.id, order.account, order.instrument, order.price, order.time, order.gpus,
         order.remaining, order.side, order.cancelled, order.reason);
  bool has_client_order_id = !order.client_order_id.empty();
  stream(has_client_order_id);
  if (has_client_order_id) stream(order.client_order_id);
  return has_client_order_id;
}

}  // namespace warpbook::gateway
