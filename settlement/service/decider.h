// What settlement decides, and when: requests in the order in which they were taken; leases of
// which nothing was delivered; what leases are owed, oldest first, and only then leases that were
// delivered, in the order in which they are due by the journal's time; once a day its close, and
// the bonuses of the day before. Pure: the decisions follow from the books and from those already
// on their way, whose effects count as done.
#pragma once

#include <vector>

#include "settlement/service/books.h"
#include "settlement/service/outbox.h"

namespace warpbook::settlement {

// Decisions on their way to the engine. While there are as many, none is made: requests and leases
// wait for the next turn.
inline constexpr size_t kPendingDecisionsMax = 4'096;
// Of these, the ones on requests. Anybody may ask for something at any rate; the rest is for
// leases, so that what is delivered is paid for however many ask.
inline constexpr size_t kPendingRequestDecisionsMax = kPendingDecisionsMax / 2;

// Makes the decisions that can be made now, adds them to the outbox and returns them.
std::vector<Decision> Decide(const Books& books, Outbox& outbox);

}  // namespace warpbook::settlement
