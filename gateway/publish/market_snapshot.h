// A market snapshot: in bytes, what a gateway has come to by all batches so far, so that it can go
// on from there as if it had seen them all. It holds what Publisher does: MarketState, and how far
// each channel of market data has counted. Connections and their requests are no part of it.
//
// Little-endian: magic, 8 bytes; u32 format; the fields (market_fields.h); u64 XXH3-64 of all
// before it. The same market gives the same bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "absl/status/status.h"
#include "gateway/publish/publisher.h"
#include "schema/types/state_stream.h"

namespace warpbook::gateway {

// Goes up with each change of what the bytes mean.
inline constexpr uint32_t kMarketSnapshotFormat = 3;

void WriteMarket(const Publisher& publisher, StateSink sink);

// Into a publisher that has published nothing, and stays so where the bytes are refused: DataLoss,
// in one sentence, where they are not what WriteMarket gave; FailedPrecondition where they are of
// another format, or the catalogue lacks what they speak of.
absl::Status ReadMarket(std::span<const std::byte> bytes, Publisher& publisher);

}  // namespace warpbook::gateway
