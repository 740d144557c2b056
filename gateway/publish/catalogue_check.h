// Whether the catalogue still names everything that the journal speaks of: ids of hardware classes
// and regions are for ever, as every symbol is made of their names.
#pragma once

#include "absl/status/status.h"
#include "engine/service/engine_port.h"
#include "schema/catalogue/catalogue.h"

namespace warpbook::gateway {

// FailedPrecondition, naming the id, where the catalogue lacks the hardware class or the region of
// an instrument or a node; or of any in the batch.
absl::Status CheckCatalogue(const Catalogue& catalogue, ClassId class_id, RegionId region_id);
absl::Status CheckCatalogue(const Catalogue& catalogue, const engine::DurableBatch& batch);

}  // namespace warpbook::gateway
