// PrivateFeed: who listens to which account's executions, balances and leases, and what they are
// told. Nothing is ever passed over here: a listener that cannot keep up is cut off, knowing its
// last sequence. The I/O thread owns it.
//
// `seq` is the account's own sequence of the event; `prev_seq` that of the message before on the
// same connection, over all private channels that it is subscribed to.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "gateway/protocol/methods.h"
#include "gateway/publish/gateway_tally.h"
#include "gateway/publish/market_state.h"
#include "gateway/publish/private_event.h"
#include "gateway/publish/subscriber.h"
#include "schema/types/reject_reason.h"

namespace warpbook::gateway {

class PrivateFeed {
 public:
  PrivateFeed(const MarketState& state, GatewayTally& tally) : state_(state), tally_(tally) {}

  bool IsSubscribed(uint64_t connection_id, Channel channel) const;
  // To a private channel of an account that it is not subscribed to; a connection listens to one
  // account.
  void Subscribe(uint64_t connection_id, Subscriber& subscriber, Channel channel,
                 AccountId account);
  // To these channels, as if it had been subscribed to them and been sent its last message with
  // that sequence: what it has missed until now was replayed (resumer.h). It listens to none yet.
  void Join(uint64_t connection_id, Subscriber& subscriber, uint32_t channels, AccountId account,
            uint64_t last_sequence);
  // kNotSubscribed or kNone.
  RejectReason Unsubscribe(uint64_t connection_id, Channel channel);
  void RemoveConnection(uint64_t connection_id);
  size_t CountOf(uint64_t connection_id) const;

  // How many rows the snapshot has that a channel begins with.
  size_t SnapshotRows(Channel channel, AccountId account) const;
  // That snapshot, in several messages where it is long.
  void SendFirst(uint64_t connection_id, Channel channel, int64_t ts_us);

  // After the state has taken it in.
  void OnEvent(const PrivateEvent& event);

 private:
  struct Listener {
    uint64_t connection_id = 0;
    Subscriber* subscriber = nullptr;
    uint32_t channels = 0;       // ChannelBit of each
    uint64_t last_sequence = 0;  // sent last
  };
  const Listener* Find(uint64_t connection_id) const;
  Listener* Find(uint64_t connection_id);

  const MarketState& state_;
  GatewayTally& tally_;
  absl::flat_hash_map<AccountId, std::vector<Listener>> listeners_;
  absl::flat_hash_map<uint64_t, AccountId> account_of_;  // by connection
  std::string message_;                                  // being written; kept for its memory
};

}  // namespace warpbook::gateway
