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
#include "absl/functional/function_ref.h"
#include "gateway/protocol/message_writer.h"
#include "gateway/protocol/methods.h"
#include "gateway/publish/market_state.h"
#include "gateway/publish/subscriber.h"
#include "schema/types/reject_reason.h"
#include "schema/wire/record.h"

namespace warpbook::gateway {

class PrivateFeed {
 public:
  explicit PrivateFeed(const MarketState& state) : state_(state) {}

  bool IsSubscribed(uint64_t connection_id, Channel channel) const;
  // To a private channel of an account that it is not subscribed to; a connection listens to one
  // account.
  void Subscribe(uint64_t connection_id, Subscriber& subscriber, Channel channel,
                 AccountId account);
  // kNotSubscribed or kNone.
  RejectReason Unsubscribe(uint64_t connection_id, Channel channel);
  void RemoveConnection(uint64_t connection_id);
  size_t CountOf(uint64_t connection_id) const;

  // The snapshot that a channel begins with.
  void SendFirst(uint64_t connection_id, Channel channel, int64_t ts_us);

  // An event, after the state has taken it in; ts_us is its command's time.
  void OnEvent(wire::RecordView event, int64_t ts_us);

 private:
  struct Listener {
    uint64_t connection_id = 0;
    Subscriber* subscriber = nullptr;
    uint32_t channels = 0;       // bits, 1 << Channel
    uint64_t last_sequence = 0;  // sent last
  };
  static constexpr uint32_t Bit(Channel channel) { return 1u << static_cast<unsigned>(channel); }

  void On(const wire::OrderFilled& event, int64_t ts_us);
  void On(const wire::RequestDecided& event, int64_t ts_us);
  void On(const wire::LeaseChanged& event, int64_t ts_us);
  void On(const wire::LeaseResold& event, int64_t ts_us);
  bool Listens(const wire::EventHeader& header, Channel channel) const;
  void Send(const wire::EventHeader& header, Channel channel, int64_t ts_us,
            absl::FunctionRef<void(MessageWriter&)> write_objects);
  const Listener* Find(uint64_t connection_id) const;
  Listener* Find(uint64_t connection_id);

  const MarketState& state_;
  absl::flat_hash_map<AccountId, std::vector<Listener>> listeners_;
  absl::flat_hash_map<uint64_t, AccountId> account_of_;  // by connection
  // The reward of the lease being settled: it is told with the provider's LeaseChanged, as it has
  // no sequence of its own.
  LeaseId rewarded_lease_;
  Tokens reward_;
  std::string message_;  // being written; kept for its memory
};

}  // namespace warpbook::gateway
