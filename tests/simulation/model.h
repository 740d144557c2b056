// Model: what must be true of the exchange, whatever fails. It is told each batch that the
// sequencer hands to the journal and holds against it what anybody is shown:
//
// - nothing is shown, and no watermark raised, before it is on disk;
// - what was durable is replayed after a crash, byte for byte; of what was not, all of the one
//   batch in flight or nothing;
// - sequences, event sequences and each account's are gapless, time never falls;
// - nothing happens twice: replies, client order ids, decisions of settlement, windows;
// - credits are conserved;
// - a recovered engine is the one that the journaled commands make, whether it began at a snapshot
//   or not, and so is a follower: the model has both of its own.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "engine/core/engine.h"
#include "engine/service/engine_port.h"
#include "schema/journal/tail_reader.h"
#include "schema/types/public_key.h"
#include "tests/simulation/machine.h"
#include "tests/simulation/market_view.h"
#include "tests/simulation/sum_follower.h"

namespace warpbook::simulation {

class Model {
 public:
  Model(Machine& machine, const engine::EngineLimits& limits)
      : machine_(machine), engine_(limits) {}

  // ---- The engine's process ----

  // From now on the batch may be on disk.
  void HandOver(const engine::DurableBatch& batch);
  // Recovery reads this batch.
  void CheckReplayed(const journal::BatchView& batch) const;
  // Recovery has ended, with this engine and this follower.
  void CheckRecovered(const engine::Engine& engine, const SumFollower& follower);

  // ---- Whoever looks on ----

  // The watermark, or the writer, says that this sequence is durable.
  void CheckDurable(uint64_t sequence);
  // Somebody is shown this batch.
  void CheckShown(uint64_t first_sequence, uint32_t command_count,
                  std::span<const std::byte> records) const;
  // The answer to an order with a client order id: if it was accepted before, it says so.
  void CheckOrderReply(uint64_t account, const PublicKey& client_order_id, uint64_t sequence,
                       wire::RecordView reply) const;

  uint64_t durable_sequence() const { return durable_sequence_; }
  // As of the last durable batch.
  const MarketView& market() const { return market_; }
  const engine::Engine& engine() const { return engine_; }
  // Credits as of the batch that ends with the sequence.
  const engine::CreditTotals& TotalsAt(uint64_t last_sequence) const;
  // When the last command of that batch came.
  int64_t TimeAt(uint64_t last_sequence) const;
  uint64_t settled_leases() const { return settled_leases_.size(); }
  uint64_t repeats() const { return repeats_; }  // of orders, that were answered as repeats

 private:
  struct AcceptedOrder {
    uint64_t sequence = 0, order = 0;
  };
  void Append(engine::DurableBatch batch);
  void ObserveCommand(const wire::CommandHeader& header);
  void ObserveEvent(wire::RecordView event);
  void CheckCredits() const;
  // It is in the last segment, and a loss of power now would touch none of them.
  void CheckOnDisk(const engine::DurableBatch& batch) const;

  Machine& machine_;
  engine::Engine engine_;
  SumFollower follower_;
  wire::RecordWriter records_;
  MarketView market_;

  uint64_t durable_sequence_ = 0;
  std::map<uint64_t, engine::DurableBatch> batches_;  // durable, by first sequence
  std::map<uint64_t, engine::CreditTotals> totals_;   // by last sequence
  std::map<uint64_t, int64_t> times_us_;              // too
  std::optional<engine::DurableBatch> in_flight_;     // may be on disk
  uint64_t last_sequence_ = 0, last_event_sequence_ = 0;
  int64_t last_time_us_ = 0;
  std::map<uint64_t, uint64_t> account_sequences_;
  std::set<uint64_t> answered_tags_;
  std::map<std::pair<uint64_t, PublicKey>, AcceptedOrder> client_orders_;
  std::set<uint64_t> decided_requests_;
  std::set<uint64_t> settled_leases_;
  int64_t issued_ = 0;
  uint64_t repeats_ = 0;
};

// The tag of the command that the event answers; 0: it answers none.
uint64_t ReplyTag(wire::RecordView event);

}  // namespace warpbook::simulation
