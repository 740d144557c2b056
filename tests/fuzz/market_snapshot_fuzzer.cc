// Whatever bytes stand for the fields of a market snapshot, with the hash made right: they are
// refused and nothing has happened, or they give a market that answers everybody and is written as
// the same bytes.
#define XXH_INLINE_ALL
#include <xxhash.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "gateway/publish/market_snapshot.h"
#include "gateway/publish/order_messages.h"
#include "gateway/publish/private_messages.h"
#include "gateway/publish/public_messages.h"
#include "schema/base/check.h"
#include "tests/gateway/support/test_catalogue.h"

namespace {

using namespace warpbook;
using namespace warpbook::gateway;
using Bytes = std::vector<std::byte>;

constexpr size_t kFieldsAt = 12;  // behind magic and format

const Catalogue& FuzzCatalogue() {
  static const Catalogue catalogue = *ParseCatalogue(kTestCatalogueText, "fuzz");
  return catalogue;
}

Bytes Written(const Publisher& publisher) {
  Bytes bytes;
  WriteMarket(publisher, [&bytes](std::span<const std::byte> piece) {
    bytes.insert(bytes.end(), piece.begin(), piece.end());
  });
  return bytes;
}

// Everything that a client could ask for.
void AnswerEverybody(const MarketState& state) {
  for (const InstrumentId id : state.open_instruments()) {
    std::string text;
    MessageWriter out(Encoding::kJson, text);
    const InstrumentRow& instrument = *state.FindInstrument(id);
    WriteInstrument(out, instrument, state.catalogue());
    BookSnapshot(Encoding::kJson, instrument, {});
    OrdersSnapshot(Encoding::kJson, instrument, state, {});
    TradesSnapshot(Encoding::kJson, instrument, {});
    TickerMessage(Encoding::kJson, instrument, MessageType::kSnapshot, {});
    for (const CandleInterval interval : kCandleIntervals) {
      CandlesMessage(Encoding::kJson, instrument, interval, MessageType::kSnapshot, {},
                     instrument.candles.Of(interval));
    }
    WARPBOOK_CHECK(state.FindInstrument(instrument.terms->symbol) != nullptr);
  }
  for (const auto& [id, account] : state.accounts()) {
    std::string text;
    MessageWriter out(Encoding::kJson, text);
    out.BeginArray();
    WriteNodes(out, account, state);
    out.EndArray();
    for (const Channel channel : {Channel::kExecutions, Channel::kBalances, Channel::kLeases}) {
      WritePrivateSnapshots(Encoding::kJson, channel, account, state, 0, [](std::string_view) {});
    }
  }
  state.finished_orders().ForEach([&](const FinishedOrder& order) {
    std::string text;
    MessageWriter out(Encoding::kJson, text);
    out.BeginObject();
    WriteOrderStatus(out, order, state);
    out.EndObject();
    WARPBOOK_CHECK(state.finished_orders().Find(order.id) == &order);
  });
  for (const auto& [session, mode] : state.guards().sessions()) {
    WARPBOOK_CHECK(state.FindAccount(session.account) != nullptr);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const ManualClock clock(1);
  static const Bytes nothing = Written(Publisher(FuzzCatalogue(), clock));
  Bytes bytes(nothing.begin(), nothing.begin() + kFieldsAt);
  const auto fields = std::as_bytes(std::span(data, size));
  bytes.insert(bytes.end(), fields.begin(), fields.end());
  const uint64_t hash = XXH3_64bits(bytes.data(), bytes.size());
  const auto hash_bytes = std::as_bytes(std::span(&hash, 1));
  bytes.insert(bytes.end(), hash_bytes.begin(), hash_bytes.end());

  Publisher publisher(FuzzCatalogue(), clock);
  if (!ReadMarket(bytes, publisher).ok()) {
    WARPBOOK_CHECK(Written(publisher) == nothing);
    return 0;
  }
  WARPBOOK_CHECK(Written(publisher) == bytes);
  AnswerEverybody(publisher.state());
  return 0;
}
