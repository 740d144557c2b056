#include "gateway/publish/catalogue_check.h"

#include "absl/strings/str_cat.h"
#include "schema/wire/record.h"

namespace warpbook::gateway {

absl::Status CheckCatalogue(const Catalogue& catalogue, ClassId class_id, RegionId region_id) {
  const bool has_class = catalogue.FindClass(class_id) != nullptr;
  if (has_class && catalogue.FindRegion(region_id) != nullptr) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat("the catalogue lacks ", has_class ? "region " : "hardware class ",
                   has_class ? region_id.value() : class_id.value(),
                   ", of which the journal has instruments or nodes: what was traded once stays in "
                   "the catalogue (tradable = no ends a class)"));
}

absl::Status CheckCatalogue(const Catalogue& catalogue, const engine::DurableBatch& batch) {
  for (const wire::RecordView record : wire::Records(batch.records)) {
    absl::Status known;
    if (record.type() == wire::RecordType::kInstrumentOpened) {
      const auto& opened = record.as<wire::InstrumentOpened>();
      known = CheckCatalogue(catalogue, ClassId(opened.class_id()), RegionId(opened.region_id()));
    } else if (record.type() == wire::RecordType::kNodeRegistered) {
      const auto& registered = record.as<wire::NodeRegistered>();
      known = CheckCatalogue(catalogue, ClassId(registered.class_id()),
                             RegionId(registered.region_id()));
    }
    if (!known.ok()) return known;
  }
  return absl::OkStatus();
}

}  // namespace warpbook::gateway
