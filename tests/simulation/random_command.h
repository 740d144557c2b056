// RandomCommand: what a member or an operator might ask next, of a small busy market: prices close
// together, few windows, mostly things that exist.
#pragma once

#include <cstdint>

#include "schema/wire/record.h"
#include "tests/simulation/market_view.h"
#include "tests/simulation/random.h"

namespace warpbook::simulation {

// The tag is the submitter's own, and never given twice: keys and client order ids follow from it.
wire::CommandRecord RandomMemberCommand(const MarketView& market, uint64_t account, int64_t now_us,
                                        uint64_t tag, Random& random);
wire::CommandRecord RandomOperatorCommand(const MarketView& market, uint64_t account, uint64_t tag,
                                          Random& random);

// Whether the command may be submitted again where its outcome is not known: it then has no second
// effect.
bool IsRepeatable(wire::RecordView command);

// One that says which order it is: printable, unique by its number.
PublicKey ClientOrderId(uint64_t number);

}  // namespace warpbook::simulation
