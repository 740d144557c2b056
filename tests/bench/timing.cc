#include "tests/bench/timing.h"

#include <malloc.h>
#include <time.h>

#include <chrono>
#include <limits>

#include "schema/base/check.h"
#include "tests/bench/event_reader.h"

namespace warpbook::bench {
namespace {

using SteadyClock = std::chrono::steady_clock;

// CPU time of this thread.
double CpuSeconds() {
  timespec time;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

// From the first record to the last one read.
template <typename Produce>
double Time(size_t commands, const RingShape& shape, Produce&& produce) {
  BatchRing ring(shape);
  if (shape.one_thread) {
    const double cpu_start = CpuSeconds();
    produce(ring);
    return static_cast<double>(commands) / (CpuSeconds() - cpu_start);
  }
  EventReader reader(ring);
  const SteadyClock::time_point start = SteadyClock::now();
  produce(ring);
  ring.Finish();
  reader.Join();
  const std::chrono::duration<double> taken = SteadyClock::now() - start;
  return static_cast<double>(commands) / taken.count();
}

}  // namespace

void KeepMemory() {
  mallopt(M_MMAP_THRESHOLD, 32 << 20);  // the most that glibc takes
  mallopt(M_TRIM_THRESHOLD, std::numeric_limits<int>::max());
}

std::unique_ptr<engine::Engine> MakeEngine(const FlowCommands& commands) {
  auto engine = std::make_unique<engine::Engine>(commands.limits);
  wire::RecordWriter events;
  for (const wire::CommandRecord& command : commands.setup) {
    events.Clear();
    engine->Apply(command.view(), 0, events);
  }
  return engine;
}

double TimeCommands(engine::Engine& engine, std::span<const wire::CommandRecord> commands,
                    const RingShape& shape) {
  return Time(commands.size(), shape, [&](BatchRing& ring) {
    for (size_t i = 0; i < commands.size(); ++i) {
      // As the sequencer does with the commands that wait.
      if (i + 12 < commands.size()) {
        engine.Prefetch(commands[i + 12].view(), engine::FetchStep::kFirst);
        engine.Prefetch(commands[i + 8].view(), engine::FetchStep::kSecond);
        engine.Prefetch(commands[i + 4].view(), engine::FetchStep::kThird);
      }
      engine.Apply(commands[i].view(), 0, ring.records());
      ring.EndCommand();
    }
  });
}

double TimeFlow(const FlowResult& flow, const RingShape& shape) {
  const std::unique_ptr<engine::Engine> engine = MakeEngine(flow.commands);
  const double rate = TimeCommands(*engine, flow.commands.flow, shape);
  WARPBOOK_CHECK(engine->event_hash() == flow.event_hash);
  return rate;
}

KeptEvents KeepEvents(const FlowCommands& commands) {
  const std::unique_ptr<engine::Engine> engine = MakeEngine(commands);
  wire::RecordWriter events;
  KeptEvents kept;
  kept.ends.reserve(commands.flow.size());
  for (const wire::CommandRecord& command : commands.flow) {
    engine->Apply(command.view(), 0, events);
    kept.ends.push_back(events.size());
  }
  kept.bytes = events.Take();
  return kept;
}

double TimeHandOff(const KeptEvents& events, const RingShape& shape) {
  return Time(events.ends.size(), shape, [&](BatchRing& ring) {
    size_t begin = 0;
    for (const size_t end : events.ends) {
      ring.records().AppendBytes({events.bytes.data() + begin, end - begin});
      ring.EndCommand();
      begin = end;
    }
  });
}

OpenLoop TimeOpenLoop(const FlowResult& flow, int64_t commands_per_s, const RingShape& shape) {
  const std::unique_ptr<engine::Engine> engine = MakeEngine(flow.commands);
  std::vector<int64_t> service, response;
  service.reserve(flow.commands.flow.size());
  response.reserve(flow.commands.flow.size());
  BatchRing ring(shape);
  EventReader reader(ring);
  const SteadyClock::time_point start = SteadyClock::now();
  int64_t count = 0;
  for (const wire::CommandRecord& command : flow.commands.flow) {
    const SteadyClock::time_point due =
        start + std::chrono::nanoseconds(count++ * 1'000'000'000 / commands_per_s);
    SteadyClock::time_point begin = SteadyClock::now();
    while (begin < due) {
      __builtin_ia32_pause();
      begin = SteadyClock::now();
    }
    engine->Apply(command.view(), 0, ring.records());
    const SteadyClock::time_point end = SteadyClock::now();
    ring.EndCommand();
    service.push_back((end - begin).count());
    response.push_back((end - due).count());
  }
  ring.Finish();
  reader.Join();
  return {PercentilesOf(std::move(service)), PercentilesOf(std::move(response))};
}

int64_t ClockCost() {
  std::vector<int64_t> costs;
  for (int i = 0; i < 100'000; ++i) {
    const SteadyClock::time_point begin = SteadyClock::now();
    costs.push_back((SteadyClock::now() - begin).count());
  }
  return PercentilesOf(std::move(costs)).p50;
}

}  // namespace warpbook::bench
