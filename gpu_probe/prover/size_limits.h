// What a GPU takes on for a stranger: sizes of a proof that no class asks for would keep it, its
// memory and the machine's busy for as long as the stranger likes.
#pragma once

#include "absl/status/status.h"
#include "gpu_probe/verifier/class_table.h"

namespace warpbook::probe {

// InvalidArgument, with both numbers, where a challenge asks a GPU for more in any respect than the
// class of the table that asks for most of it: operations, operands, product, tiles (whose digests,
// 64 bytes each, the machine keeps for every GPU), arena, bytes read, states or openings.
absl::Status CheckForClasses(const Challenge& challenge, const ClassTable& table);

}  // namespace warpbook::probe
