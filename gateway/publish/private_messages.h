// What an account is told of itself: the objects in the `data` of the private channels, written
// from events, and the snapshots that channels begin with (4-gateway-api of the design).
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string_view>

#include "absl/functional/function_ref.h"
#include "gateway/protocol/message_writer.h"
#include "gateway/protocol/methods.h"
#include "gateway/publish/market_state.h"
#include "gateway/publish/private_event.h"

namespace warpbook::gateway {

// An update of a channel that is told of the event (ChannelsOf). Of the state only the instruments
// are looked at, for their symbols: what else the message says, the event and its cause say.
// `previous_sequence` is that of the message before it on the same connection.
void WritePrivateUpdate(MessageWriter& out, Channel channel, const PrivateEvent& event,
                        uint64_t previous_sequence, const MarketState& state);

// The fields of the object that the balances channel's update has.
void WriteBalanceFields(MessageWriter& out, const PrivateEvent& event);

// The first messages of a subscription: what the channel's updates will change. Rows that are too
// many for one message come in several, all but the last of which say `"more":true`.
inline constexpr size_t kSnapshotRowsMax = 1'000;
void WritePrivateSnapshots(Encoding encoding, Channel channel, const AccountRow& account,
                           const MarketState& state, int64_t ts_us,
                           absl::FunctionRef<void(std::string_view)> send);

// ---- What the account.* methods give: the fields of the balances, and arrays of the others ----

void WriteBalances(MessageWriter& out, const AccountRow& account);

// Which rows of a list: those with ids behind `after`, so many at most.
struct ListPage {
  uint64_t after = 0;
  size_t limit = std::numeric_limits<size_t>::max();
};
// Each says the id of the last row that it wrote where more follow, else 0.
uint64_t WriteOrders(MessageWriter& out, const AccountRow& account, const MarketState& state,
                     const ListPage& page = {});
// A lease that the account has from itself is two rows, which are not parted.
uint64_t WriteLeases(MessageWriter& out, const AccountRow& account, const MarketState& state,
                     const ListPage& page = {});
uint64_t WriteNodes(MessageWriter& out, const AccountRow& account, const MarketState& state,
                    const ListPage& page = {});
// What order.status gives: "status" and the order.
void WriteOrderStatus(MessageWriter& out, const OrderRow& order, const MarketState& state);
void WriteOrderStatus(MessageWriter& out, const FinishedOrder& order, const MarketState& state);

}  // namespace warpbook::gateway
