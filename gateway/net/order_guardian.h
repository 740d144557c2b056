// OrderGuardian: cancels the orders of those who have asked for it and are not heard of any more:
// of sessions that ended (cancel_on_disconnect), and of accounts whose timer ran out
// (cancel_after). It works off what it has to do by commands of the exchange, as the engine's port
// has room for them, and each of them only once what the session had under way is known: nothing is
// lost, and nothing that comes late stays behind. An entry ends when the market says that its guard
// is off.
//
// What waits is bounded: sessions by their connections and by GatewayLimits::session_guards_max,
// timers by accounts. The I/O thread owns it; of several threads each does it for its own
// connections, and only the first one for timers and for what a process before has left.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/container/inlined_vector.h"
#include "engine/service/engine_port.h"
#include "gateway/publish/order_guards.h"
#include "gateway/publish/publisher.h"
#include "schema/types/ids.h"
#include "schema/types/timestamp.h"

namespace warpbook::gateway {

class OrderGuardian {
 public:
  using Session = OrderGuards::Session;

  // At most so many commands at a time, so that clients get their turns.
  static constexpr int kCommandsPerTurn = 256;

  // Both must outlive it.
  OrderGuardian(const Publisher& publisher, engine::EnginePort& port)
      : publisher_(publisher), port_(port) {}

  // At the start, once: the guards that are there are of sessions of a process that did not end
  // well.
  void TakeOverSessions();
  // The session asks for a guard, or to be without: its end is to be told.
  void Watch(const Session& session);
  void OnSessionEnd(uint32_t mark);
  // From now on the sessions' ends are ours: their guards are taken off, and nothing is cancelled.
  // What ended before still is. Timers stay.
  void BeginDrain();
  // Looks for timers that have run out (real time).
  void LookAtTimers(Timestamp now);
  // Goes on with what waits. To be called after batches, and now and then.
  void GoOn();

  // Nothing waits, and the market shows that all is done.
  bool idle() const { return entries_.empty(); }

 private:
  enum class Step : uint8_t { kBegin, kCancelled, kGuardOff };
  struct Entry {
    Session session;          // mark 0: the account's timer
    Timestamp deadline = {};  // of a timer
    bool cancels = true;
    Step step = Step::kBegin;
    OrderId last_withdrawn = {};  // orders up to here are asked for
  };

  // Does what can be done now; true: the entry has come to its end.
  bool Advance(Entry& entry);
  bool CancelOrders(Entry& entry, CancelReason reason, bool all);
  void AddEntries(uint32_t mark, const absl::InlinedVector<AccountId, 1>& accounts, bool cancels);
  bool Submit(const wire::CommandRecord& command);
  bool IsOff(const Entry& entry) const;

  const Publisher& publisher_;
  engine::EnginePort& port_;
  // Live ones, by mark: a session has one account, unless its key was revoked and it went on with
  // another.
  absl::flat_hash_map<uint32_t, absl::InlinedVector<AccountId, 1>> watched_;
  absl::flat_hash_set<AccountId> timers_run_out_;  // that have an entry
  std::deque<Entry> entries_;
  int commands_left_ = 0;  // in this turn
};

}  // namespace warpbook::gateway
