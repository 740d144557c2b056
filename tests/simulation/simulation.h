// Simulation: the exchange's way from command to ledger on one event loop: clients, sequencer,
// journal, settlement and a slow reader, with a clock, a disk and crashes that follow from one
// number. After each step everything is held against the model (model.h).
#pragma once

#include <cstdint>
#include <string>

namespace warpbook::simulation {

// What happened in the runs that were added up: a simulation is worth what it reaches.
struct RunCounts {
  uint64_t steps = 0;
  uint64_t commands = 0;  // in the journals at the end
  uint64_t trades = 0;
  uint64_t settled_leases = 0;
  uint64_t power_losses = 0, kills = 0, stops = 0, settlement_kills = 0;
  uint64_t snapshot_kills = 0, faults = 0;
  uint64_t recoveries = 0;
  uint64_t torn_writes = 0;      // that a recovery cut off
  uint64_t snapshots = 0;        // made
  uint64_t snapshot_starts = 0;  // that began at one
  uint64_t damaged_snapshots = 0;
  uint64_t archived_segments = 0;
  uint64_t repeats = 0;          // orders that were answered as repeats
  uint64_t last_state_hash = 0;  // of the last run's engine
  friend bool operator==(const RunCounts&, const RunCounts&) = default;
};

// One run, with at least one crash. Empty where everything held, else what did not and at which
// step. A CHECK that fails in it names the seed before the process ends.
std::string RunSeed(uint64_t seed, RunCounts& counts);

}  // namespace warpbook::simulation
