// SnapshotMaker: the snapshotter beside the engine, as a process of its own, and what must hold of
// its files:
//
// - a snapshot stands for what is durable, is synced before it has its name, and with its name once
//   it is made; beside the engine it ends with a sealed segment;
// - as many as are to be kept are there, whatever crashes, once they were made;
// - a start begins at the newest one that is not damaged;
// - what is archived is neither behind the oldest snapshot, nor behind a cursor, nor younger than
//   the horizon of resumes.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <vector>

#include "engine/service/engine_service.h"
#include "engine/service/snapshotter.h"
#include "tests/simulation/machine.h"
#include "tests/simulation/model.h"

namespace warpbook::simulation {

class SnapshotMaker {
 public:
  SnapshotMaker(Machine& machine, const Model& model,
                const engine::EngineService::Options& options);

  // ---- Its process ----
  // Makes one if it is due; beside the engine, which serves.
  void Start();
  // Makes the last one, after an orderly stop.
  void StartLast();
  // Asks it to give up what it is making.
  void RequestStop() { stop_ = true; }
  void Kill() { process_.reset(); }
  bool is_running() const { return process_ != nullptr; }
  void Run();

  // ---- Its files ----
  // A bit of one of them flips. False where there is none.
  bool DamageOne();
  // Whoever looks after the exchange takes the damaged ones away.
  void RemoveDamaged();
  // After a loss of power, with its process killed.
  void CheckAfterPowerLoss();
  // An engine has started at the snapshot of this sequence; 0: at none.
  void CheckStart(uint64_t sequence) const;

  uint64_t made() const { return made_; }
  uint64_t archived() const { return archived_.size(); }
  std::vector<uint64_t> List() const;

 private:
  void Begin(bool last);
  void Main(bool last);
  void CheckMade(uint64_t sequence, bool last);
  // Those that were found damaged, and got another name.
  uint64_t CountSetAside() const;
  void CheckNames() const;
  void CheckArchive();

  Machine& machine_;
  const Model& model_;
  const engine::EngineService::Options& options_;
  std::atomic<bool> stop_ = false;
  uint64_t made_ = 0;
  std::set<uint64_t> damaged_;
  std::vector<uint64_t> archived_;  // segments
  std::unique_ptr<Process> process_;
};

}  // namespace warpbook::simulation
