#include "engine/core/accounts.h"

namespace warpbook::engine {

const Account* Accounts::FindByKey(const PublicKey& key) const {
  const auto it = keys_.find(key);
  return it == keys_.end() ? nullptr : &accounts_[it->second.value() - 1];
}

Account& Accounts::Open(AccountKind kind, const PublicKey& key, uint32_t scopes) {
  Account& account = accounts_.AddLast();
  account.id = AccountId(accounts_.size());
  account.kind = kind;
  if (kind == AccountKind::kMember) {
    owners_.AddLast().account = account.id;
    account.owner = OwnerId(owners_.size());
  }
  AddKey(account, key, scopes);
  return account;
}

void Accounts::AddKey(Account& account, const PublicKey& key, uint32_t scopes) {
  const bool added = keys_.try_emplace(key, account.id).second;
  WARPBOOK_CHECK(added);
  account.keys.push_back({key, scopes});
}

Node& Accounts::AddNode(Account& account, const PublicKey& device_key) {
  const bool added = device_keys_.insert(device_key).second;
  WARPBOOK_CHECK(added);
  Node& node = nodes_.AddLast();
  node.id = NodeId(nodes_.size());
  node.account = &account;
  node.device_key = device_key;
  account.nodes.push_back(node.id);
  return node;
}

}  // namespace warpbook::engine
