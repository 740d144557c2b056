// One row of the ledger: `amount` goes from the debit account to the credit account. An account's
// balance is what it was credited minus what it was debited, so every transfer is balanced by
// construction and per asset the sum over all accounts is zero.
#pragma once

#include <cstdint>

#include "schema/types/ids.h"
#include "settlement/ledger/accounts.h"

namespace warpbook::settlement {

struct Transfer {
  EventSequence event;   // of the event that is posted; 0: genesis
  int leg = 0;           // of several transfers of one event, from 0
  LedgerAccount debit;   // gives
  LedgerAccount credit;  // receives
  int64_t amount = 0;    // > 0, in micro-TOK or credits
  LeaseId lease;         // that it belongs to, or none
  friend bool operator==(const Transfer&, const Transfer&) = default;
};

}  // namespace warpbook::settlement
