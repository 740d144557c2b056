// EngineProcess: one life of the engine's service, on the machine's event loop in place of threads:
// recovery, then the sequencer's turns, and the journal's writes and syncs beside them. Everything
// in it is the service's own but the loops around it. Destroyed, it is killed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/core/engine.h"
#include "engine/service/committer.h"
#include "engine/service/engine_service.h"
#include "engine/service/local_engine_port.h"
#include "engine/service/market_clock.h"
#include "engine/service/sequencer.h"
#include "tests/simulation/machine.h"
#include "tests/simulation/model.h"
#include "tests/simulation/sum_follower.h"

namespace warpbook::simulation {

class EngineProcess {
 public:
  EngineProcess(Machine& machine, Model& model, const engine::EngineService::Options& options,
                size_t port_count);

  // Its main function has something to do: recovery goes on, a file operation is done, a batch is
  // there or an idle marker is due, or it is to stop.
  bool CanRun() const;
  void Run() { process_.Run(); }
  // It is between two file operations for a batch.
  bool commits() const { return serves_ && !process_.sleeps(); }
  // Recovered; the ports have the first batch.
  bool serves() const { return serves_; }
  // One turn of the sequencer's thread.
  void TakeSequencerTurn();
  // It is to end in an orderly way.
  void RequestStop();
  // By itself: stopped, or because of a fault.
  bool ended() const { return process_.ended(); }
  // In an orderly way.
  bool stopped() const { return stopped_; }

  // That of the snapshot which it started at; 0: at none.
  uint64_t snapshot_sequence() const { return snapshot_sequence_; }
  // Its recovery cut off a torn write.
  bool cut_torn_write() const { return cut_torn_write_; }

  // For one user each.
  std::unique_ptr<engine::EnginePort> TakePort(size_t index);

 private:
  void Main();
  std::unique_ptr<journal::LogAppender> Recover();
  absl::Status Serve();
  absl::Status Drain();
  engine::DurableBatch TakeBatch();
  absl::Status Commit(engine::DurableBatch batch);
  bool IdleMarkerIsDue() const;
  // Whether it may go on; what it met was a fault of the disk otherwise.
  bool CheckFault(const absl::Status& status) const;

  Machine& machine_;
  Model& model_;
  const engine::EngineService::Options& options_;
  std::unique_ptr<engine::Engine> engine_;
  engine::KnownWindows windows_;
  std::unique_ptr<engine::MarketClock> market_clock_;
  std::vector<std::shared_ptr<engine::PortState>> ports_;
  std::optional<engine::Sequencer> sequencer_;
  std::optional<engine::Committer> committer_;

  SumFollower follower_;
  uint64_t snapshot_sequence_ = 0;
  bool cut_torn_write_ = false;
  bool serves_ = false;
  bool stop_requested_ = false;
  bool stopped_ = false;
  std::optional<engine::DurableBatch> batch_;  // that the sequencer handed over
  Machine::SteadyTime idle_since_;
  Process process_;  // last: killed first
};

}  // namespace warpbook::simulation
