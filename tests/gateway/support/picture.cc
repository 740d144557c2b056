#include "tests/gateway/support/picture.h"

#include <algorithm>
#include <vector>

#include "gateway/publish/order_messages.h"
#include "gateway/publish/private_messages.h"
#include "gateway/publish/public_messages.h"
#include "tests/gateway/support/test_gateway.h"

namespace warpbook::gateway {

std::string PictureOf(const MarketState& state, AccountId account) {
  std::string text;
  MessageWriter out(Encoding::kJson, text);
  const AccountRow& row = *state.FindAccount(account);
  out.BeginArray();
  out.BeginObject();
  out.Field("owner", row.owner.value()).Field("kind", Name(row.kind));
  for (const KeyRow& key : row.keys) out.Field(HexOf(key.key), key.scopes);
  WriteBalances(out, row);
  out.EndObject();
  WriteOrders(out, row, state);
  WriteLeases(out, row, state);
  WriteNodes(out, row, state);
  out.BeginArray();
  for (const NodeId node : row.nodes) out.Text(HexOf(state.FindNode(node)->device_key));
  out.EndArray();
  out.EndArray();
  text += std::to_string(row.last_sequence);
  return text;
}

std::string PublicPictureOf(const MarketState& state) {
  std::string text;
  MessageWriter out(Encoding::kJson, text);
  out.BeginArray();
  for (const InstrumentId id : state.open_instruments()) {
    const InstrumentRow& instrument = *state.FindInstrument(id);
    WriteInstrument(out, instrument, state.catalogue());
    text += BookSnapshot(Encoding::kJson, instrument, {});
    text += OrdersSnapshot(Encoding::kJson, instrument, state, {});
    text += TradesSnapshot(Encoding::kJson, instrument, {});
    text += TickerMessage(Encoding::kJson, instrument, MessageType::kSnapshot, {});
    for (const CandleInterval interval : kCandleIntervals) {
      text += CandlesMessage(Encoding::kJson, instrument, interval, MessageType::kSnapshot, {},
                             instrument.candles.Of(interval));
    }
  }
  out.EndArray();
  return text;
}

std::string WholePictureOf(const MarketState& state) {
  std::vector<AccountId> accounts;
  for (const auto& [id, account] : state.accounts()) accounts.push_back(id);
  std::ranges::sort(accounts);
  std::string text = PublicPictureOf(state);
  for (const AccountId account : accounts) text += PictureOf(state, account);
  return text;
}

}  // namespace warpbook::gateway
