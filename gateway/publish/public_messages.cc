#include "gateway/publish/public_messages.h"

#include "gateway/protocol/book_checksum.h"
#include "gateway/publish/json_fields.h"
#include "schema/types/decimal.h"

namespace warpbook::gateway {
namespace {

void WriteLevel(JsonWriter& json, Price price, Quantity gpus) {
  json.BeginArray().String(FormatPrice(price)).Number(gpus.value()).EndArray();
}

template <typename Levels>
void WriteLevels(JsonWriter& json, std::string_view name, const Levels& levels) {
  json.Key(name).BeginArray();
  for (const auto& [price, gpus] : levels) WriteLevel(json, price, gpus);
  json.EndArray();
}

void WriteChangedLevels(JsonWriter& json, std::string_view name, Side side, const L2Book& book,
                        std::span<const ChangedLevel> changed) {
  json.Key(name).BeginArray();
  for (const auto& [changed_side, price] : changed) {
    if (changed_side == side) WriteLevel(json, price, book.At(side, price));
  }
  json.EndArray();
}

constexpr std::string_view kSnapshot = "snapshot";
constexpr std::string_view kUpdate = "update";
constexpr std::string_view kClosed = "closed";

void BeginMessage(JsonWriter& json, std::string_view channel, std::string_view type,
                  const InstrumentRow& instrument, PublicHead head) {
  json.BeginObject().Field("channel", channel).Field("type", type);
  json.Field("symbol", instrument.terms->symbol).Field("seq", head.sequence);
  if (type != kSnapshot) json.Field("prev_seq", head.sequence - 1);
  json.Field("ts", head.ts_us);
}

void EndBook(JsonWriter& json, const InstrumentRow& instrument) {
  const L2Book& book = instrument.book;
  json.Field("checksum", BookChecksum(book.asks, book.bids, instrument.terms->tick)).EndObject();
}

template <typename Trades>
std::string WriteTrades(const InstrumentRow& instrument, PublicHead head, std::string_view type,
                        const Trades& trades) {
  std::string text;
  JsonWriter json(text);
  BeginMessage(json, "trades", type, instrument, head);
  json.Key("data").BeginArray();
  for (const TradeRow& trade : trades) {
    json.BeginObject().FieldText("trade_id", trade.id.value());
    json.Field("ts", trade.time.micros());
    json.Field("price", FormatPrice(trade.price)).Field("gpus", trade.gpus.value());
    json.Field("minutes", trade.minutes.value()).Field("taker_side", Name(trade.taker_side));
    json.EndObject();
  }
  json.EndArray().EndObject();
  return text;
}

}  // namespace

std::string BookSnapshot(const InstrumentRow& instrument, PublicHead head) {
  std::string text;
  JsonWriter json(text);
  BeginMessage(json, "book", kSnapshot, instrument, head);
  json.Key("data").BeginObject();
  WriteLevels(json, "bids", instrument.book.bids);
  WriteLevels(json, "asks", instrument.book.asks);
  json.EndObject();
  EndBook(json, instrument);
  return text;
}

std::string BookUpdate(const InstrumentRow& instrument, PublicHead head,
                       std::span<const ChangedLevel> levels) {
  std::string text;
  JsonWriter json(text);
  BeginMessage(json, "book", kUpdate, instrument, head);
  json.Key("data").BeginObject();
  WriteChangedLevels(json, "bids", Side::kBuy, instrument.book, levels);
  WriteChangedLevels(json, "asks", Side::kSell, instrument.book, levels);
  json.EndObject();
  EndBook(json, instrument);
  return text;
}

std::string TradesUpdate(const InstrumentRow& instrument, PublicHead head,
                         std::span<const TradeRow> trades) {
  return WriteTrades(instrument, head, kUpdate, trades);
}

std::string TradesSnapshot(const InstrumentRow& instrument, PublicHead head) {
  return WriteTrades(instrument, head, kSnapshot, instrument.last_trades);
}

std::string ChannelClosed(std::string_view channel, const InstrumentRow& instrument,
                          PublicHead head) {
  std::string text;
  JsonWriter json(text);
  BeginMessage(json, channel, kClosed, instrument, head);
  json.EndObject();
  return text;
}

void WriteInstrument(JsonWriter& json, const InstrumentRow& instrument,
                     const Catalogue& catalogue) {
  const InstrumentTerms& terms = *instrument.terms;
  json.BeginObject().Field("symbol", terms.symbol).Field("state", Name(instrument.state));
  WriteClassAndRegion(json, catalogue, terms.class_id, terms.region_id);
  json.Field("window_start", terms.window_start.micros());
  json.Field("window_minutes", terms.window_minutes.value()).Field("gate", terms.gate.micros());
  json.Field("tick", FormatPrice(terms.tick)).Field("band_low", FormatPrice(terms.band_low));
  json.Field("band_high", FormatPrice(terms.band_high));
  json.Field("notice_seconds", terms.notice_seconds).EndObject();
}

}  // namespace warpbook::gateway
