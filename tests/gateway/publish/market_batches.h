// Markets for tests, as the durable batches that a real engine made of their commands; and the
// bytes that a gateway keeps of them. Of the classes and regions of TestCatalogue.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "engine/service/engine_port.h"
#include "gateway/publish/publisher.h"
#include "schema/catalogue/catalogue.h"

namespace warpbook::gateway {

using Batches = std::vector<engine::DurableBatch>;
using Bytes = std::vector<std::byte>;

// Seeded random commands (tests/engine/core/random_market.h), in batches of one to six.
Batches RandomBatches(uint64_t seed, size_t commands);

// A bit of everything, always the same: accounts, nodes, orders, leases, one of them resold, and
// windows that are open, halted and closed. One batch for each command, and none is refused.
Batches SmallMarketBatches();

// Without the classes of these markets.
Catalogue LackingCatalogue();

Bytes WriteMarket(const Publisher& publisher);
// Makes the hash behind the bytes right again after they were changed.
void MakeHashRight(Bytes& bytes);

}  // namespace warpbook::gateway
