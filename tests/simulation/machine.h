// Machine: the simulated computer. A disk that takes its time, fails and loses power; clocks that
// only the simulation moves; and processes, whose file operations are where the event loop may go
// on with something else, and where they die.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>

#include "schema/base/clock.h"
#include "tests/simulation/fiber.h"
#include "tests/simulation/random.h"
#include "tests/support/faulty_file_system.h"
#include "tests/support/memory_file_system.h"

namespace warpbook::simulation {

inline constexpr char kJournalDirectory[] = "journal";

class Machine {
 public:
  using SteadyTime = std::chrono::steady_clock::time_point;

  explicit Machine(Random& random);

  Random& random() { return random_; }
  test::MemoryFileSystem& disk() { return *disk_; }
  // The real-time clock: a restart may set it back.
  const Clock& clock() const { return clock_; }
  // Never falls.
  SteadyTime steady_now() const { return steady_now_; }

  // A little, or now and then some minutes.
  void PassTime();
  // As a correction over the network may: less than the market's clock bears in all.
  void SetClockBack();
  // The disk keeps a part of what was not synced. All processes must have ended.
  void LosePower();
  // From now on the disk does not fail.
  void StopFaults() { fault_one_in_ = 0; }
  // Whether the next operation fails.
  bool TakeFault();
  uint64_t faults() const { return faults_; }

 private:
  Random& random_;
  std::unique_ptr<test::MemoryFileSystem> disk_;
  ManualClock clock_;
  int64_t latest_micros_;
  SteadyTime steady_now_;
  uint64_t fault_one_in_;  // of how many operations one fails; 0: none
  uint64_t faults_ = 0;
};

// One process: its main function on a fiber, with files that yield before each operation. Destroyed
// before its main function has returned, it is killed there.
class Process {
 public:
  Process(Machine& machine, std::function<void()> main);

  FileSystem& files() { return files_; }
  void Run() { fiber_.Resume(); }
  bool ended() const { return fiber_.done(); }
  // An operation has failed: what it does not recover from is then no bug.
  bool met_fault() const { return met_fault_; }

  // In the main function: sleeps until there is something to do, which the simulation knows.
  void Sleep();
  bool sleeps() const { return sleeps_; }

 private:
  test::FileFault Judge(const test::FileOperation& operation);

  Machine& machine_;
  test::FaultyFileSystem files_;
  bool met_fault_ = false;
  bool sleeps_ = false;
  Fiber fiber_;
};

}  // namespace warpbook::simulation
