// The way back from the fields of a market snapshot (market_fields.h). Each value is held to what
// an event could have made of it before it is used, so that whatever bytes come, they are refused
// or give a market that can be answered from.
#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "absl/status/status.h"
#include "gateway/publish/publisher.h"

namespace warpbook::gateway {

struct MarketReading {
  std::string fault;       // a sentence: what is wrong, and where; empty: nothing
  absl::Status catalogue;  // FailedPrecondition: it lacks what the fields speak of
};

// Into a fresh market. Where there is a fault, or something lacks, the market is of no use.
MarketReading ReadMarketFields(std::span<const std::byte> fields, PublishedMarket& market);

}  // namespace warpbook::gateway
