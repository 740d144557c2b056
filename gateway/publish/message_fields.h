// Fields that several messages have.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "gateway/protocol/message_writer.h"
#include "schema/catalogue/catalogue.h"
#include "schema/types/amounts.h"
#include "schema/types/client_order_id.h"
#include "schema/types/decimal.h"

namespace warpbook::gateway {

// "cl_ord_id", where the order has one.
inline void WriteClientOrderId(MessageWriter& out, const std::optional<ClientOrderId>& id) {
  if (id && !id->empty()) out.Field("cl_ord_id", id->view());
}

// "hardware_class" and "region"; empty where the catalogue does not list them any more.
inline void WriteClassAndRegion(MessageWriter& out, const Catalogue& catalogue, ClassId class_id,
                                RegionId region_id) {
  const HardwareClass* hardware_class = catalogue.FindClass(class_id);
  const Region* region = catalogue.FindRegion(region_id);
  out.Field("hardware_class", hardware_class == nullptr ? "" : hardware_class->name.c_str());
  out.Field("region", region == nullptr ? "" : region->name.c_str());
}

}  // namespace warpbook::gateway
