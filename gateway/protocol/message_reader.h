// A message's tree -> a typed request, or why it is none: the same for both encodings.
#pragma once

#include "gateway/protocol/field_reader.h"
#include "gateway/protocol/field_tree.h"
#include "gateway/protocol/request.h"

namespace warpbook::gateway {

// Method and req_id alone, to be repeated in the answer even where the rest is at fault.
void ReadEnvelope(FieldTree& tree, Fault& fault, DecodedMessage& message);

// All of it. The texts of the message are the tree's.
DecodedMessage ReadMessage(FieldTree& tree);

}  // namespace warpbook::gateway
