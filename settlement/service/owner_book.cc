#include "settlement/service/owner_book.h"

#include <algorithm>
#include <iterator>

#include "settlement/tokens/owner_size.h"

namespace warpbook::settlement {

void OwnerBook::Open(const OwnerRow& owner) {
  owners_[owner.account] = {owner, Tokens(0)};
  by_tokens_.insert({Tokens(0), owner.account});
  if (owner.large) large_.insert(owner.account);
}

const OwnerRow* OwnerBook::Find(AccountId account) const {
  const auto found = owners_.find(account);
  return found == owners_.end() ? nullptr : &found->second.row;
}

void OwnerBook::SetTokens(AccountId account, Tokens held) {
  const auto found = owners_.find(account);
  if (found == owners_.end() || found->second.held == held) return;
  by_tokens_.erase({found->second.held, account});
  by_tokens_.insert({held, account});
  found->second.held = held;
}

void OwnerBook::SetLarge(AccountId account, bool large) {
  owners_.at(account).row.large = large;
  if (large) {
    large_.insert(account);
  } else {
    large_.erase(account);
  }
}

void OwnerBook::SetVerified(AccountId account, bool verified) {
  owners_.at(account).row.verified = verified;
}

std::vector<AccountId> OwnerBook::ToMark(const absl::btree_set<AccountId>& above_notional,
                                         Tokens circulating) const {
  // Of those who hold so much there are few.
  absl::btree_set<AccountId> large_now = above_notional;
  for (auto it = by_tokens_.rbegin(); it != by_tokens_.rend(); ++it) {
    if (!IsLarge(Credits(0), it->first, circulating)) break;
    large_now.insert(it->second);
  }
  std::vector<AccountId> accounts;
  std::ranges::set_symmetric_difference(large_now, large_, std::back_inserter(accounts));
  return accounts;
}

}  // namespace warpbook::settlement
