// Whether the catalogue still names everything that the journal speaks of: ids of hardware classes
// and regions are for ever, as every symbol is made of their names.
#pragma once

#include "absl/status/status.h"
#include "engine/service/engine_port.h"
#include "schema/catalogue/catalogue.h"

namespace warpbook::gateway {

// FailedPrecondition, naming the id, where an instrument or a node of the batch is of a hardware
// class or a region that the catalogue lacks.
absl::Status CheckCatalogue(const Catalogue& catalogue, const engine::DurableBatch& batch);

}  // namespace warpbook::gateway
