// Owners by their size (2-tokens, Owners): who is marked as large, and whose mark is not as it
// should be now. That goes by the tokens each holds as a share of all that circulate, so that it
// changes with everybody's burns; it is told from what there is, not from what happened, and is the
// same after a restart. A part of the books: pure, settlement's worker thread owns it.
#pragma once

#include <utility>
#include <vector>

#include "absl/container/btree_set.h"
#include "absl/container/flat_hash_map.h"
#include "settlement/store/rows.h"

namespace warpbook::settlement {

class OwnerBook {
 public:
  // A new owner, or one as stored; each has one account.
  void Open(const OwnerRow& owner);
  // Null where there is none behind that account.
  const OwnerRow* Find(AccountId account) const;

  // Of an account that may have no owner.
  void SetTokens(AccountId account, Tokens held);
  // The engine's word on an owner that is there.
  void SetLarge(AccountId account, bool large);
  void SetVerified(AccountId account, bool verified);

  // The accounts of owners that are large and not marked so, or the reverse; ascending.
  // `above_notional`: those whose recent work is above the threshold.
  std::vector<AccountId> ToMark(const absl::btree_set<AccountId>& above_notional,
                                Tokens circulating) const;

 private:
  struct Entry {
    OwnerRow row;
    Tokens held;
  };
  absl::flat_hash_map<AccountId, Entry> owners_;
  absl::btree_set<std::pair<Tokens, AccountId>> by_tokens_;
  absl::btree_set<AccountId> large_;  // as marked
};

}  // namespace warpbook::settlement
