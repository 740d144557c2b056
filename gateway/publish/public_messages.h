// Market data: the messages of the public channels, encoded once for all subscribers (4-gateway-api
// of the design). Each channel counts its messages: `seq` is +1 with each update, and an update
// names the one before it, `prev_seq`.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gateway/protocol/message_writer.h"
#include "gateway/publish/market_rows.h"
#include "gateway/publish/market_state.h"
#include "gateway/publish/topic.h"
#include "schema/catalogue/catalogue.h"

namespace warpbook::gateway {

enum class MessageType : uint8_t { kSnapshot, kUpdate, kClosed };
std::string_view TypeName(MessageType type);

struct PublicHead {
  uint64_t sequence = 0;  // of the channel: +1 with each update
  int64_t ts_us = 0;
};

// A message up to where its own fields begin. `symbol` is "" where the channel has none; an
// interval is that of candles.
void BeginPublicMessage(MessageWriter& out, Channel channel, MessageType type,
                        std::string_view symbol, std::optional<CandleInterval> interval,
                        PublicHead head);

// ---- book ----

// "bids" and "asks", the best `depth` levels of each.
inline constexpr size_t kWholeDepth = SIZE_MAX;
void WriteBook(MessageWriter& out, const L2Book& book, size_t depth = kWholeDepth);
std::string BookSnapshot(Encoding encoding, const InstrumentRow& instrument, PublicHead head);
// The levels that changed, each with what it is now (0: gone). Sorted, none twice.
using ChangedLevel = std::pair<Side, Price>;
std::string BookUpdate(Encoding encoding, const InstrumentRow& instrument, PublicHead head,
                       std::span<const ChangedLevel> levels);

// ---- trades ----

void WriteTrade(MessageWriter& out, const TradeRow& trade);
std::string TradesUpdate(Encoding encoding, const InstrumentRow& instrument, PublicHead head,
                         std::span<const TradeRow> trades);
// The last trades, the oldest first.
std::string TradesSnapshot(Encoding encoding, const InstrumentRow& instrument, PublicHead head);

// ---- ticker ----

// The best level of each side. 0: there is none.
struct BookTop {
  Price bid, ask;
  Quantity bid_gpus, ask_gpus;
  friend bool operator==(const BookTop&, const BookTop&) = default;
};
BookTop TopOf(const L2Book& book);
std::string TickerMessage(Encoding encoding, const InstrumentRow& instrument, MessageType type,
                          PublicHead head);

// ---- candles ----

// `now_us`: the market's time; candles that end by then are closed.
void WriteCandle(MessageWriter& out, const Candle& candle, CandleInterval interval, int64_t now_us);
std::string CandlesMessage(Encoding encoding, const InstrumentRow& instrument,
                           CandleInterval interval, MessageType type, PublicHead head,
                           std::span<const Candle> candles);

// ---- All of an instrument's ----

// The last message of a channel: its instrument is closed.
std::string ChannelClosed(Encoding encoding, const Topic& topic, const InstrumentRow& instrument,
                          PublicHead head);

// One row of `instruments`.
void WriteInstrument(MessageWriter& out, const InstrumentRow& instrument,
                     const Catalogue& catalogue);
// Its fields alone.
void WriteInstrumentFields(MessageWriter& out, const InstrumentRow& instrument,
                           const Catalogue& catalogue);

}  // namespace warpbook::gateway
