#include "gateway/publish/public_messages.h"

#include <tuple>

#include "gateway/protocol/book_checksum.h"
#include "gateway/publish/message_fields.h"
#include "schema/types/decimal.h"

namespace warpbook::gateway {
namespace {

template <typename Levels>
void WriteLevels(MessageWriter& out, std::string_view name, const Levels& levels, size_t depth) {
  out.Key(name).BeginArray();
  for (const auto& [price, gpus] : levels) {
    if (depth-- == 0) break;
    out.Level(price, gpus);
  }
  out.EndArray();
}

void WriteChangedLevels(MessageWriter& out, std::string_view name, Side side, const L2Book& book,
                        std::span<const ChangedLevel> changed) {
  out.Key(name).BeginArray();
  for (const auto& [changed_side, price] : changed) {
    if (changed_side == side) out.Level(price, book.At(side, price));
  }
  out.EndArray();
}

// A message of an instrument's channel; `write_rest(out)` writes what is its own.
template <typename WriteRest>
std::string InstrumentMessage(Encoding encoding, const InstrumentRow& instrument, Channel channel,
                              MessageType type, PublicHead head, WriteRest&& write_rest) {
  return WriteMessage(encoding, [&](MessageWriter& out) {
    BeginPublicMessage(out, channel, type, instrument.terms->symbol, std::nullopt, head);
    write_rest(out);
  });
}

void WriteChecksum(MessageWriter& out, const InstrumentRow& instrument) {
  const L2Book& book = instrument.book;
  out.Field("checksum", BookChecksum(book.asks, book.bids, instrument.terms->tick));
}

template <typename Trades>
std::string TradesMessage(Encoding encoding, const InstrumentRow& instrument, MessageType type,
                          PublicHead head, const Trades& trades) {
  return InstrumentMessage(encoding, instrument, Channel::kTrades, type, head,
                           [&](MessageWriter& out) {
                             out.Key("data").BeginArray();
                             for (const TradeRow& trade : trades) WriteTrade(out, trade);
                             out.EndArray();
                           });
}

}  // namespace

std::string_view TypeName(MessageType type) {
  switch (type) {
    case MessageType::kSnapshot:
      return "snapshot";
    case MessageType::kUpdate:
      return "update";
    case MessageType::kClosed:
      return "closed";
  }
  return "";
}

void BeginPublicMessage(MessageWriter& out, Channel channel, MessageType type,
                        std::string_view symbol, std::optional<CandleInterval> interval,
                        PublicHead head) {
  out.Field("channel", ChannelName(channel)).Field("type", TypeName(type));
  if (!symbol.empty()) out.Field("symbol", symbol);
  if (interval) out.Field("interval", Name(*interval));
  out.Field("seq", head.sequence);
  if (type != MessageType::kSnapshot) out.Field("prev_seq", head.sequence - 1);
  out.Field("ts", head.ts_us);
}

// ---- book ----

void WriteBook(MessageWriter& out, const L2Book& book, size_t depth) {
  WriteLevels(out, "bids", book.bids, depth);
  WriteLevels(out, "asks", book.asks, depth);
}

std::string BookSnapshot(Encoding encoding, const InstrumentRow& instrument, PublicHead head) {
  return InstrumentMessage(encoding, instrument, Channel::kBook, MessageType::kSnapshot, head,
                           [&](MessageWriter& out) {
                             out.Key("data").BeginObject();
                             WriteBook(out, instrument.book);
                             out.EndObject();
                             WriteChecksum(out, instrument);
                           });
}

std::string BookUpdate(Encoding encoding, const InstrumentRow& instrument, PublicHead head,
                       std::span<const ChangedLevel> levels) {
  return InstrumentMessage(encoding, instrument, Channel::kBook, MessageType::kUpdate, head,
                           [&](MessageWriter& out) {
                             out.Key("data").BeginObject();
                             WriteChangedLevels(out, "bids", Side::kBuy, instrument.book, levels);
                             WriteChangedLevels(out, "asks", Side::kSell, instrument.book, levels);
                             out.EndObject();
                             WriteChecksum(out, instrument);
                           });
}

// ---- trades ----

void WriteTrade(MessageWriter& out, const TradeRow& trade) {
  out.BeginObject().FieldId("trade_id", trade.id.value());
  out.Field("ts", trade.time.micros());
  out.Field("price", trade.price).Field("gpus", trade.gpus.value());
  out.Field("minutes", trade.minutes.value()).Field("taker_side", Name(trade.taker_side));
  out.EndObject();
}

std::string TradesUpdate(Encoding encoding, const InstrumentRow& instrument, PublicHead head,
                         std::span<const TradeRow> trades) {
  return TradesMessage(encoding, instrument, MessageType::kUpdate, head, trades);
}

std::string TradesSnapshot(Encoding encoding, const InstrumentRow& instrument, PublicHead head) {
  return TradesMessage(encoding, instrument, MessageType::kSnapshot, head, instrument.last_trades);
}

// ---- ticker ----

BookTop TopOf(const L2Book& book) {
  BookTop top;
  if (!book.bids.empty()) std::tie(top.bid, top.bid_gpus) = *book.bids.begin();
  if (!book.asks.empty()) std::tie(top.ask, top.ask_gpus) = *book.asks.begin();
  return top;
}

std::string TickerMessage(Encoding encoding, const InstrumentRow& instrument, MessageType type,
                          PublicHead head) {
  return InstrumentMessage(
      encoding, instrument, Channel::kTicker, type, head, [&](MessageWriter& out) {
        const BookTop top = TopOf(instrument.book);
        const TradeSummary& traded = instrument.traded;
        out.Key("data").BeginObject();
        if (top.bid != Price()) out.Field("bid", top.bid).Field("bid_gpus", top.bid_gpus);
        if (top.ask != Price()) out.Field("ask", top.ask).Field("ask_gpus", top.ask_gpus);
        if (!instrument.last_trades.empty()) {
          const TradeRow& last = instrument.last_trades.back();
          out.Field("last", last.price).Field("last_gpus", last.gpus);
          out.Field("last_ts", last.time.micros());
          out.Field("open", traded.open).Field("high", traded.high).Field("low", traded.low);
        }
        out.Field("volume_gpus", traded.gpus).Field("volume_gpu_minutes", traded.gpu_minutes);
        out.Field("trades", traded.trades).EndObject();
      });
}

// ---- candles ----

void WriteCandle(MessageWriter& out, const Candle& candle, CandleInterval interval,
                 int64_t now_us) {
  const TradeSummary& traded = candle.traded;
  out.BeginObject().Field("start", candle.start.micros());
  out.Field("open", traded.open).Field("high", traded.high).Field("low", traded.low);
  out.Field("close", traded.close).Field("volume_gpus", traded.gpus);
  out.Field("volume_gpu_minutes", traded.gpu_minutes).Field("trades", traded.trades);
  out.Field("closed", candle.start.micros() + MicrosOf(interval) <= now_us).EndObject();
}

std::string CandlesMessage(Encoding encoding, const InstrumentRow& instrument,
                           CandleInterval interval, MessageType type, PublicHead head,
                           std::span<const Candle> candles) {
  return WriteMessage(encoding, [&](MessageWriter& out) {
    BeginPublicMessage(out, Channel::kCandles, type, instrument.terms->symbol, interval, head);
    out.Key("data").BeginArray();
    for (const Candle& candle : candles) WriteCandle(out, candle, interval, head.ts_us);
    out.EndArray();
  });
}

// ---- All of an instrument's ----

std::string ChannelClosed(Encoding encoding, const Topic& topic, const InstrumentRow& instrument,
                          PublicHead head) {
  return WriteMessage(encoding, [&](MessageWriter& out) {
    const bool has_interval = topic.channel == Channel::kCandles;
    BeginPublicMessage(out, topic.channel, MessageType::kClosed, instrument.terms->symbol,
                       has_interval ? std::optional(topic.interval) : std::nullopt, head);
  });
}

void WriteInstrument(MessageWriter& out, const InstrumentRow& instrument,
                     const Catalogue& catalogue) {
  out.BeginObject();
  WriteInstrumentFields(out, instrument, catalogue);
  out.EndObject();
}

void WriteInstrumentFields(MessageWriter& out, const InstrumentRow& instrument,
                           const Catalogue& catalogue) {
  const InstrumentTerms& terms = *instrument.terms;
  out.Field("symbol", terms.symbol).Field("state", Name(instrument.state));
  WriteClassAndRegion(out, catalogue, terms.class_id, terms.region_id);
  out.Field("window_start", terms.window_start.micros());
  out.Field("window_minutes", terms.window_minutes.value()).Field("gate", terms.gate.micros());
  out.Field("tick", terms.tick).Field("band_low", terms.band_low);
  out.Field("band_high", terms.band_high);
  out.Field("notice_seconds", terms.notice_seconds);
}

}  // namespace warpbook::gateway
