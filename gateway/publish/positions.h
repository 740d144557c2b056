// Positions: what account.positions gives: for each window, what an account has bought and what it
// provides, as far as it is still to be delivered, and what it has in the book.
#pragma once

#include "gateway/protocol/message_writer.h"
#include "gateway/publish/market_state.h"

namespace warpbook::gateway {

// An array, by instrument id.
void WritePositions(MessageWriter& out, const AccountRow& account, const MarketState& state);

}  // namespace warpbook::gateway
