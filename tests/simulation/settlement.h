// Settlement: tails the journal, keeps a ledger and an outbox of numbered decisions in a database
// of its own, and tells how far it has gone by a cursor, after each commit. Its process dies
// between any two of these steps; the database stays.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <vector>

#include "engine/core/engine.h"
#include "engine/service/engine_port.h"
#include "schema/journal/tail_reader.h"
#include "tests/simulation/client.h"
#include "tests/simulation/machine.h"
#include "tests/simulation/model.h"

namespace warpbook::simulation {

// What settlement commits at once.
struct SettlementDatabase {
  struct Lease {
    int64_t notional = 0, surcharge = 0, minutes = 0, gpus = 0;
    bool decided = false;
  };
  uint64_t sequence = 0;                           // the last one that is in it
  uint64_t account = 0;                            // settlement's own
  uint64_t decisions = 0;                          // numbered so far
  std::map<uint64_t, wire::CommandRecord> outbox;  // by number: not read back yet
  std::map<uint64_t, Lease> leases;
  std::map<uint8_t, int64_t> credits;  // by CreditBucket
};

class Settlement {
 public:
  Settlement(Machine& machine, const Model& model, const PublicKey& key, ClientBudget& budget)
      : machine_(machine), model_(model), key_(key), budget_(budget) {}

  // ---- Its process ----
  void Start();
  void Kill() { process_.reset(); }
  bool is_running() const { return process_ != nullptr; }
  void Run();

  // ---- Its connection to the engine ----
  void Connect(std::unique_ptr<engine::EnginePort> port);
  void Disconnect() { port_.reset(); }
  bool is_connected() const { return port_ != nullptr; }
  // Sends the next decision that is not sent yet, and drops what comes back: the journal tells.
  void Send();

  const SettlementDatabase& database() const { return database_; }

 private:
  void Main();
  void Commit(const journal::BatchView& batch);
  void Observe(wire::RecordView command, wire::RecordView event);
  void DecideRequest(const wire::RequestTaken& taken);
  void DecideLease(const wire::LeaseChanged& changed);
  void CheckLedger() const;
  void CheckCursor() const;

  Machine& machine_;
  const Model& model_;
  const PublicKey key_;
  ClientBudget& budget_;
  SettlementDatabase database_;
  std::unique_ptr<engine::EnginePort> port_;
  uint64_t told_sequence_ = 0;  // by a cursor that is on disk
  uint64_t sent_ = 0;           // the highest number on this connection by this process
  std::unique_ptr<Process> process_;
};

}  // namespace warpbook::simulation
