#include "tests/gateway/support/picture.h"

#include <algorithm>
#include <vector>

#include "gateway/publish/private_messages.h"
#include "gateway/publish/public_messages.h"
#include "tests/gateway/support/test_gateway.h"

namespace warpbook::gateway {

std::string PictureOf(const MarketState& state, AccountId account) {
  std::string text;
  JsonWriter json(text);
  const AccountRow& row = *state.FindAccount(account);
  json.BeginArray();
  json.BeginObject();
  json.Field("owner", row.owner.value()).Field("kind", Name(row.kind));
  for (const KeyRow& key : row.keys) json.Field(HexOf(key.key), key.scopes);
  WriteBalances(json, row);
  json.EndObject();
  WriteOrders(json, row, state);
  WriteLeases(json, row, state);
  WriteNodes(json, row, state);
  for (const NodeId node : row.nodes) json.String(HexOf(state.FindNode(node)->device_key));
  json.Number(row.last_sequence);
  json.EndArray();
  return text;
}

std::string PublicPictureOf(const MarketState& state) {
  std::string text;
  JsonWriter json(text);
  json.BeginArray();
  for (const InstrumentId id : state.open_instruments()) {
    const InstrumentRow& instrument = *state.FindInstrument(id);
    WriteInstrument(json, instrument, state.catalogue());
    json.Raw(BookSnapshot(instrument, {}));
    json.Raw(TradesSnapshot(instrument, {}));
  }
  json.EndArray();
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
