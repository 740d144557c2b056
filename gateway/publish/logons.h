// Logons: which connections are logged on, and with which key, so that those of a key that is
// revoked end at once. The I/O thread owns it.
#pragma once

#include <cstdint>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "gateway/publish/subscriber.h"
#include "schema/types/ids.h"
#include "schema/types/public_key.h"

namespace warpbook::gateway {

class Logons {
 public:
  // The connection must not be logged on.
  void Add(uint64_t connection_id, AccountId account, const PublicKey& key, Subscriber& subscriber);
  void Remove(uint64_t connection_id) { logons_.erase(connection_id); }

  // Ends the logons with that key of the account and tells those connections. Returns them.
  std::vector<uint64_t> End(AccountId account, const PublicKey& key);

 private:
  struct Logon {
    AccountId account;
    PublicKey key{};
    Subscriber* subscriber = nullptr;
  };
  absl::flat_hash_map<uint64_t, Logon> logons_;  // by connection
};

}  // namespace warpbook::gateway
