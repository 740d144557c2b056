// ExchangeFeed: what concerns everybody: which instruments there are (instruments), how the
// exchange is (status), and that it lives (heartbeat). The I/O thread owns it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/publish/market_state.h"
#include "gateway/publish/public_messages.h"
#include "gateway/publish/subscriptions.h"
#include "gateway/publish/topic.h"
#include "schema/wire/record.h"

namespace warpbook::gateway {

// The shutdown as those are told who are not subscribed to `status`.
std::string ShutdownNotice(Encoding encoding, int64_t reconnect_by_us);

class ExchangeFeed {
 public:
  ExchangeFeed(const MarketState& state, Subscriptions& subscriptions)
      : state_(state), subscriptions_(subscriptions) {}

  // What a subscription begins with, and goes on with after it was passed over.
  void SendSnapshot(uint64_t connection_id, const Topic& topic);

  // Events, after the state has taken them in; Flush sends what they come to.
  void On(const wire::InstrumentOpened& event);
  void On(const wire::InstrumentStateChanged& event);
  // Whether the engine takes new orders (kStorageLow) is known from its answers alone.
  void On(const wire::CommandRejected& event);
  void On(const wire::OrderAccepted&) { SetStorageLow(false); }
  void Flush(uint64_t last_sequence, int64_t ts_us);

  // Time passes; sends the heartbeat that is due. `now_us` is a monotonic clock's.
  void Tick(int64_t now_us);
  // status: server_shutdown. Once.
  void AnnounceShutdown(int64_t reconnect_by_us);

  // How many messages `instruments` has had. Those of status count this process's own.
  uint64_t instruments_sequence() const { return instruments_sequence_; }
  void Restore(uint64_t instruments_sequence, uint64_t last_sequence, int64_t ts_us) {
    instruments_sequence_ = instruments_sequence;
    last_sequence_ = last_sequence;
    ts_us_ = ts_us;
  }

 private:
  struct Change {
    InstrumentId instrument;
    std::string_view event;
    InstrumentState state = InstrumentState::kOpen;
  };

  void SetStorageLow(bool low) {
    status_changed_ |= low != storage_low_;
    storage_low_ = low;
  }
  void FlushInstruments();
  void FlushStatus(std::string_view event);
  std::string InstrumentsSnapshot(Encoding encoding) const;
  std::string InstrumentsUpdate(Encoding encoding, PublicHead head) const;
  std::string StatusMessage(Encoding encoding, MessageType type, std::string_view event) const;
  std::string Heartbeat(Encoding encoding, MessageType type) const;

  const MarketState& state_;
  Subscriptions& subscriptions_;
  uint64_t last_sequence_ = 0;  // at the last Flush, and its time
  int64_t ts_us_ = 0;
  uint64_t instruments_sequence_ = 0;
  std::vector<Change> changes_;  // since the last Flush
  uint64_t status_sequence_ = 0;
  bool storage_low_ = false;
  bool status_changed_ = false;  // since the last Flush
  int64_t reconnect_by_us_ = 0;  // 0: it is not shutting down
  int64_t heartbeat_due_us_ = 0;
};

}  // namespace warpbook::gateway
