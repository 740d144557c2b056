#include "gateway/publish/public_messages.h"

#include "gateway/protocol/book_checksum.h"
#include "gateway/publish/message_fields.h"
#include "schema/types/decimal.h"

namespace warpbook::gateway {
namespace {

template <typename Levels>
void WriteLevels(MessageWriter& out, std::string_view name, const Levels& levels) {
  out.Key(name).BeginArray();
  for (const auto& [price, gpus] : levels) out.Level(price, gpus);
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

constexpr std::string_view kSnapshot = "snapshot";
constexpr std::string_view kUpdate = "update";
constexpr std::string_view kClosed = "closed";

void BeginMessage(MessageWriter& out, std::string_view channel, std::string_view type,
                  const InstrumentRow& instrument, PublicHead head) {
  out.BeginObject().Field("channel", channel).Field("type", type);
  out.Field("symbol", instrument.terms->symbol).Field("seq", head.sequence);
  if (type != kSnapshot) out.Field("prev_seq", head.sequence - 1);
  out.Field("ts", head.ts_us);
}

void EndBook(MessageWriter& out, const InstrumentRow& instrument) {
  const L2Book& book = instrument.book;
  out.Field("checksum", BookChecksum(book.asks, book.bids, instrument.terms->tick));
  out.EndObject().Finish();
}

template <typename Trades>
std::string WriteTrades(Encoding encoding, const InstrumentRow& instrument, PublicHead head,
                        std::string_view type, const Trades& trades) {
  std::string bytes;
  MessageWriter out(encoding, bytes);
  BeginMessage(out, "trades", type, instrument, head);
  out.Key("data").BeginArray();
  for (const TradeRow& trade : trades) {
    out.BeginObject().FieldId("trade_id", trade.id.value());
    out.Field("ts", trade.time.micros());
    out.Field("price", trade.price).Field("gpus", trade.gpus.value());
    out.Field("minutes", trade.minutes.value()).Field("taker_side", Name(trade.taker_side));
    out.EndObject();
  }
  out.EndArray().EndObject().Finish();
  return bytes;
}

}  // namespace

std::string BookSnapshot(Encoding encoding, const InstrumentRow& instrument, PublicHead head) {
  std::string bytes;
  MessageWriter out(encoding, bytes);
  BeginMessage(out, "book", kSnapshot, instrument, head);
  out.Key("data").BeginObject();
  WriteLevels(out, "bids", instrument.book.bids);
  WriteLevels(out, "asks", instrument.book.asks);
  out.EndObject();
  EndBook(out, instrument);
  return bytes;
}

std::string BookUpdate(Encoding encoding, const InstrumentRow& instrument, PublicHead head,
                       std::span<const ChangedLevel> levels) {
  std::string bytes;
  MessageWriter out(encoding, bytes);
  BeginMessage(out, "book", kUpdate, instrument, head);
  out.Key("data").BeginObject();
  WriteChangedLevels(out, "bids", Side::kBuy, instrument.book, levels);
  WriteChangedLevels(out, "asks", Side::kSell, instrument.book, levels);
  out.EndObject();
  EndBook(out, instrument);
  return bytes;
}

std::string TradesUpdate(Encoding encoding, const InstrumentRow& instrument, PublicHead head,
                         std::span<const TradeRow> trades) {
  return WriteTrades(encoding, instrument, head, kUpdate, trades);
}

std::string TradesSnapshot(Encoding encoding, const InstrumentRow& instrument, PublicHead head) {
  return WriteTrades(encoding, instrument, head, kSnapshot, instrument.last_trades);
}

std::string ChannelClosed(Encoding encoding, std::string_view channel,
                          const InstrumentRow& instrument, PublicHead head) {
  std::string bytes;
  MessageWriter out(encoding, bytes);
  BeginMessage(out, channel, kClosed, instrument, head);
  out.EndObject().Finish();
  return bytes;
}

void WriteInstrument(MessageWriter& out, const InstrumentRow& instrument,
                     const Catalogue& catalogue) {
  const InstrumentTerms& terms = *instrument.terms;
  out.BeginObject().Field("symbol", terms.symbol).Field("state", Name(instrument.state));
  WriteClassAndRegion(out, catalogue, terms.class_id, terms.region_id);
  out.Field("window_start", terms.window_start.micros());
  out.Field("window_minutes", terms.window_minutes.value()).Field("gate", terms.gate.micros());
  out.Field("tick", terms.tick).Field("band_low", terms.band_low);
  out.Field("band_high", terms.band_high);
  out.Field("notice_seconds", terms.notice_seconds).EndObject();
}

}  // namespace warpbook::gateway
