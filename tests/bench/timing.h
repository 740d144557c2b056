// How fast an engine is with given commands: one core applies them and writes the events into a
// ring, a second core reads every event. And how fast the ring is without an engine.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "engine/core/engine.h"
#include "tests/bench/batch_ring.h"
#include "tests/bench/flow_market.h"
#include "tests/bench/statistics.h"

namespace warpbook::bench {

// To be called first in main: memory that one round frees stays with the process, so that the next
// one's time is not the kernel's, as in an engine that has run for a while.
void KeepMemory();

// A fresh engine to which the setup has been applied.
std::unique_ptr<engine::Engine> MakeEngine(const FlowCommands& commands);

// Commands per second; per second of this thread's CPU time where the ring is of one thread.
double TimeCommands(engine::Engine& engine, std::span<const wire::CommandRecord> commands,
                    const RingShape& shape);
// Of the whole flow in a fresh engine. CHECKs that its events are those that were played.
double TimeFlow(const FlowResult& flow, const RingShape& shape);

// The events of the whole flow, and where each command's end.
struct KeptEvents {
  std::vector<std::byte> bytes;
  std::vector<size_t> ends;
};
KeptEvents KeepEvents(const FlowCommands& commands);
// Commands per second of handing these events over, copied into the ring command by command.
double TimeHandOff(const KeptEvents& events, const RingShape& shape);

// Nanoseconds.
struct OpenLoop {
  Percentiles service;   // of Apply alone, and of reading the clock once
  Percentiles response;  // from the time at which the command was due
};
// Applies the flow's commands at a stated rate, whether or not the engine keeps up.
OpenLoop TimeOpenLoop(const FlowResult& flow, int64_t commands_per_s, const RingShape& shape);
// Reading the clock once: the least that a latency can be. Nanoseconds.
int64_t ClockCost();

}  // namespace warpbook::bench
