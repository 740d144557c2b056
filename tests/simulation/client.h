// Client: a member or an operator behind a port of the engine's process. It submits random
// commands, several at a time, and after a crash submits again, with the same client order id, what
// was not answered.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>

#include "engine/service/engine_port.h"
#include "schema/types/enums.h"
#include "tests/simulation/machine.h"
#include "tests/simulation/model.h"

namespace warpbook::simulation {

// What all clients of a run share.
struct ClientBudget {
  int commands_left = 0;
  uint64_t last_tag = 0;
};

class Client {
 public:
  Client(Machine& machine, const Model& model, AccountKind kind, const PublicKey& key,
         ClientBudget& budget)
      : machine_(machine), model_(model), kind_(kind), key_(key), budget_(budget) {}

  void Connect(std::unique_ptr<engine::EnginePort> port);
  // What was not answered may have happened or not.
  void Disconnect();
  // False once its port is lost, too.
  bool is_connected() const { return port_ != nullptr; }
  // Every command is answered that there is any hope for.
  bool is_done() const { return unanswered_.empty() && to_repeat_.empty(); }

  // Takes a batch or submits a command.
  void Step();

 private:
  bool Submit();
  wire::CommandRecord NextCommand(uint64_t tag);
  void Take(const engine::DurableBatch& batch);

  Machine& machine_;
  const Model& model_;
  const AccountKind kind_;
  const PublicKey key_;
  ClientBudget& budget_;
  std::unique_ptr<engine::EnginePort> port_;
  uint64_t next_sequence_ = 0;                          // that the port gives; 0: any
  std::map<uint64_t, wire::CommandRecord> unanswered_;  // by tag
  std::deque<wire::CommandRecord> to_repeat_;
};

}  // namespace warpbook::simulation
