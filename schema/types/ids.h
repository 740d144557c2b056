// Identifiers. All are given by the engine, start at 1 and are never used twice; 0 means none.
#pragma once

#include <cstdint>

#include "schema/types/strong_int.h"

namespace warpbook {

using Sequence = StrongId<struct SequenceTag, uint64_t>;            // of a command in the journal
using EventSequence = StrongId<struct EventSequenceTag, uint64_t>;  // of an event, gapless
using AccountId = StrongId<struct AccountIdTag, uint64_t>;
using OwnerId = StrongId<struct OwnerIdTag, uint64_t>;
using NodeId = StrongId<struct NodeIdTag, uint64_t>;
using OrderId = StrongId<struct OrderIdTag, uint64_t>;
using LeaseId = StrongId<struct LeaseIdTag, uint64_t>;  // also the id of the trade that made it
using InstrumentId = StrongId<struct InstrumentIdTag, uint32_t>;
using ClassId = StrongId<struct ClassIdTag, uint16_t>;    // from the catalogue
using RegionId = StrongId<struct RegionIdTag, uint16_t>;  // from the catalogue

}  // namespace warpbook
