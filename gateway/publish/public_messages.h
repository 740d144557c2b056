// Market data: the messages of the channels book and trades, encoded once for all subscribers
// (4-gateway-api of the design).
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gateway/protocol/message_writer.h"
#include "gateway/publish/market_rows.h"
#include "schema/catalogue/catalogue.h"

namespace warpbook::gateway {

struct PublicHead {
  uint64_t sequence = 0;  // of the channel: +1 with each update
  int64_t ts_us = 0;
};

std::string BookSnapshot(Encoding encoding, const InstrumentRow& instrument, PublicHead head);
// The levels that changed, each with what it is now (0: gone). Sorted, none twice.
using ChangedLevel = std::pair<Side, Price>;
std::string BookUpdate(Encoding encoding, const InstrumentRow& instrument, PublicHead head,
                       std::span<const ChangedLevel> levels);

std::string TradesUpdate(Encoding encoding, const InstrumentRow& instrument, PublicHead head,
                         std::span<const TradeRow> trades);
// The last trades, the oldest first.
std::string TradesSnapshot(Encoding encoding, const InstrumentRow& instrument, PublicHead head);

// The last message of a channel ("book", "trades"): its instrument is closed.
std::string ChannelClosed(Encoding encoding, std::string_view channel,
                          const InstrumentRow& instrument, PublicHead head);

// One row of `instruments`.
void WriteInstrument(MessageWriter& out, const InstrumentRow& instrument,
                     const Catalogue& catalogue);

}  // namespace warpbook::gateway
