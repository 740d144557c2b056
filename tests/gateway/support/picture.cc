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
  return text;
}

// Finished orders and guards, of everybody.
std::string MemoryPictureOf(const MarketState& state) {
  std::string text;
  MessageWriter out(Encoding::kJson, text);
  out.BeginArray();
  state.finished_orders().ForEach([&](const FinishedOrder& order) {
    out.BeginObject().FieldId("account", order.account.value());
    WriteOrderStatus(out, order, state);
    out.FieldId("named", state.FindOrder(order.account, order.client_order_id).value());
    out.EndObject();
  });
  for (const auto& [session, mode] : state.guards().sessions()) {
    out.BeginObject().FieldId("account", session.account.value());
    out.Field("mark", session.mark).Field("mode", Name(mode)).EndObject();
  }
  for (const auto& [deadline, account] : state.guards().timers()) {
    out.BeginObject().FieldId("account", account.value());
    out.Field("deadline", deadline.micros()).EndObject();
  }
  out.EndArray();
  return text;
}

std::string WholePictureOf(const MarketState& state) {
  std::vector<AccountId> accounts;
  for (const auto& [id, account] : state.accounts()) accounts.push_back(id);
  std::ranges::sort(accounts);
  std::string text = PublicPictureOf(state) + MemoryPictureOf(state);
  for (const AccountId account : accounts) text += PictureOf(state, account);
  return text;
}

}  // namespace warpbook::gateway
