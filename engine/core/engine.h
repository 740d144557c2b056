// The engine: a pure function of its command sequence. No clock, no randomness, no I/O, no floats,
// no order that depends on hashing or addresses. One thread owns it (the sequencer's). Rules:
// 1-market of the design, in this project's own words in engine/core/README.md.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/core/snapshot.h"
#include "schema/types/amounts.h"
#include "schema/types/ids.h"
#include "schema/types/timestamp.h"
#include "schema/wire/record.h"

namespace warpbook::engine {

// Every limit of the engine has a name here; beyond one, a command is refused with that limit's
// reason.
struct EngineLimits {
  uint32_t accounts_max = 1'000'000;                 // kTooManyAccounts; members'
  uint32_t keys_per_account_max = 16;                // kTooManyKeys; those not revoked
  uint32_t keys_ever_per_account_max = 1'000;        // kTooManyKeys; revoked ones, too
  uint32_t nodes_per_account_max = 1'000;            // kTooManyNodes
  uint32_t nodes_max = 4'000'000;                    // kEngineFull
  uint32_t orders_per_account_max = 10'000;          // kTooManyOrders
  uint32_t orders_per_account_and_book_max = 1'000;  // kTooManyOrdersInBook
  uint32_t resting_orders_max = 4'000'000;           // kEngineFull
  uint32_t leases_max = 16'000'000;                  // kEngineFull
  uint32_t resales_per_lease_max = 4;                // kResaleChainTooLong; at other prices
  uint32_t instruments_max = 65'536;                 // kEngineFull; those not closed yet
  // Remembered, of all accounts, live and finished: kEngineFull for a new one, until one is
  // forgotten. At 75 bytes each (client_order_ids.h) 600 MB of finished ones; at most 2^23 - 1.
  uint32_t client_order_ids_max = 8'000'000;
  uint32_t pending_requests_max = 65'536;         // kSettlementBacklog
  uint32_t pending_top_ups_per_account_max = 16;  // kTooManyRequests
  uint32_t remembered_client_order_ids = 1'024;   // per account, after they finish; or ...
  int64_t remembered_client_order_micros =
      10 * kMicrosPerMinute;  // ... this long, whichever is more
  uint64_t commands_per_checkpoint = 4'096;
};

// Credits by bucket over all accounts. issued = free + locked + escrow + owed + consumed + burned.
struct CreditTotals {
  Credits issued, free, locked, escrow, owed, consumed, burned;
  Credits clearing;  // on its way between two accounts or leases: 0 between commands
};

// Each follows what the one before it has fetched.
enum class FetchStep { kFirst, kSecond, kThird };

class Engine {
 public:
  // `index_secret` keys the index of the client order ids, so that clients cannot choose ones that
  // crowd one place of it. Nothing that the engine says or holds depends on it; a service takes a
  // random number.
  explicit Engine(const EngineLimits& limits = {}, uint64_t index_secret = 0);
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  // Applies one command: appends its events, with `command_index`, to `events`. The command must be
  // stamped: its sequence is last_sequence() + 1 and its time at least last_time() (CHECKed: the
  // sequencer's duty). Whatever else the command holds is refused by a CommandRejected, never a
  // CHECK.
  void Apply(wire::RecordView command, uint32_t command_index, wire::RecordWriter& events);

  // Begins to fetch what a command will need that is applied a few commands later: hints, which
  // change nothing; the command may never come. The steps are best given some twelve, eight and
  // four commands ahead.
  void Prefetch(wire::RecordView command, FetchStep step) const;

  Sequence last_sequence() const;
  Timestamp last_time() const;
  EventSequence last_event_sequence() const;
  // Running hash over all events so far.
  uint64_t event_hash() const;
  // Hash over the whole state, in an order that depends on nothing but the command sequence. Slow.
  uint64_t StateHash() const;
  CreditTotals Totals() const;
  // The highest decision number accepted from settlement.
  uint64_t settlement_number() const;
  // Walks the whole state and CHECKs every invariant. Slow: for tests and debug builds.
  void CheckInvariants() const;

  // ---- Snapshots (snapshot.h) ----

  // Hands the bytes of the whole state to `sink`, in order, in pieces of at most 64 KiB. Returns
  // the page that goes in front of them. `rules_version`: of the journal that the engine follows.
  SnapshotHeader WriteSnapshot(uint32_t rules_version, SnapshotSink sink) const;
  // The same in one piece.
  std::vector<std::byte> WriteSnapshot(uint32_t rules_version) const;
  // An engine that answers every further command as the one that wrote the snapshot would. Refuses
  // (DataLoss) bytes that are damaged or that no engine could have written, and
  // (FailedPrecondition) those of another format, of other rules or of other limits: what stands in
  // the journal behind a snapshot was answered within its limits, so they are part of the state.
  static absl::StatusOr<std::unique_ptr<Engine>> FromSnapshot(std::span<const std::byte> bytes,
                                                              const EngineLimits& limits,
                                                              uint32_t rules_version,
                                                              uint64_t index_secret = 0);

 private:
  class Impl;
  friend class Inspector;  // inspect.h
  std::unique_ptr<Impl> impl_;
};

}  // namespace warpbook::engine
