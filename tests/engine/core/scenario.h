// Scenarios as text: commands, each followed by the events expected of it. Every command also goes
// through the naive reference, and at the end both must hold the same.
//
//   setup                                  the standard market, see below
//   at T+90s                               the clock of the commands that follow
//   buy b1 8@10 tier=premium               b1 bids for 8 GPUs at 10,000 micro-USD, instrument 1
//     accepted #1 gpus=8                   its events, indented, in order, with some of their
//     fields
//   sell p2 4@9 min_fill=2                 p2 asks with its node; `market` for a market order
//     ! insufficient_capacity              it is refused
//   amend b1 #1 gpus=6                     by order id, other fields as in schema/wire
//   cancel b1 #1
//   SetCapacity from=op node_id=1 gpus=4   any command by its struct's name
//   queue 1 bids 3 1 2                     order ids in matching order; none: -
//   balance b1 free=1 locked=2 escrow=3 owed=0 exposure=5
//   show CreditsMoved BookLevelChanged     event types left out otherwise (also TradeExecuted)
//
// A command without expected events must not be refused; its events are not looked at.
// Short names of events: accepted filled amended cancelled trade moved lease level; #3 means
// order_id=3. Names stand for accounts in from=, to= and account fields: op st b1 b2 b3 p1 p2 p3.
//
// The standard market: at T+0s operator op (account 1), settlement st (2), members b1 b2 b3 p1 p2
// p3 (3..8), each with 10^12 credits; nodes 1, 2, 3 of p1, p2, p3 with 16 GPUs of class 1 in region
// 1, attested, verified, listed; bonded limits of 10^12; instrument 1 of that class, from T+60m for
// 60 minutes, notice 120 s, gate 3 minutes, tick 1,000, band 1,000 to 100,000.
#pragma once

#include <string_view>

#include "engine/core/engine.h"

namespace warpbook::engine {

// Fails the running test where the scenario does not hold, with its line.
void RunScenario(std::string_view text, const EngineLimits& limits = {});

}  // namespace warpbook::engine
