// settlement.submit: the fields of settlement's numbered decisions.
#pragma once

#include "gateway/protocol/field_reader.h"
#include "gateway/protocol/request.h"

namespace warpbook::gateway {

// What is at fault is the reader's to say.
SettlementSubmitRequest ReadSettlementSubmit(FieldReader& fields);

}  // namespace warpbook::gateway
