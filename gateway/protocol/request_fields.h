// The fields of each method, one function per method: the table of 4-gateway-api of the design.
#pragma once

#include "gateway/protocol/field_reader.h"
#include "gateway/protocol/request.h"

namespace warpbook::gateway {

// Reads the method's params. Where one is at fault, the fault is kept and the request is worth
// nothing. Fields that no function asks for are left to the caller.
Request ReadRequest(Method method, FieldReader& fields, FieldTree& tree, Fault& fault);

// Whether a command of that method is only to be checked; every one may say so.
bool ReadValidate(Method method, FieldReader& fields);

}  // namespace warpbook::gateway
