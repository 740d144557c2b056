// order_flow_bench: how many messages per second the engine takes of the public order flow, on one
// core, with a second one that reads every event; and what handing over the same events costs
// without any matching. Rounds alternate between the two; medians are reported.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "engine/core/engine.h"
#include "schema/base/check.h"
#include "schema/base/crypto.h"
#include "tests/bench/batch_ring.h"
#include "tests/bench/flow_market.h"
#include "tests/bench/order_flow.h"

namespace warpbook::bench {
namespace {

using SteadyClock = std::chrono::steady_clock;

struct Options {
  std::string scenario = "all";
  uint32_t seed = 23;
  uint32_t count = 1'000'000;
  int repeat = 5;
  bool full = false;
  bool json = false;
  int64_t rate = 0;
  std::string write_reports;
};

// What the second core does with events: it reads each one, and its place in their sequence.
class EventReader {
 public:
  explicit EventReader(BatchRing& ring)
      : thread_([this, &ring] {
          ring.Drain([this](std::span<const std::byte> bytes) { Read(bytes); });
        }) {}
  // Waits for the last event. CHECKs that none is missing.
  void Join() {
    thread_.join();
    WARPBOOK_CHECK(gapless_);
    __asm__ volatile("" : : "r"(sum_));  // it was wanted: the reading may not be left out
  }

 private:
  void Read(std::span<const std::byte> bytes) {
    for (const wire::RecordView record : wire::Records(bytes)) {
      const uint64_t sequence = record.event_header().event_sequence();
      gapless_ = gapless_ && (last_sequence_ == 0 || sequence == last_sequence_ + 1);
      last_sequence_ = sequence;
      const auto* words = reinterpret_cast<const uint64_t*>(record.body());
      for (size_t i = 0; i < record.header().size / sizeof(uint64_t); ++i) sum_ += words[i];
    }
  }
  uint64_t last_sequence_ = 0;
  uint64_t sum_ = 0;
  bool gapless_ = true;
  std::thread thread_;
};

double Median(std::vector<double> values) {
  std::ranges::sort(values);
  const size_t middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

// The events of the whole flow, and where each command's begin.
struct KeptEvents {
  std::vector<std::byte> bytes;
  std::vector<size_t> ends;  // of each command
};

void SetUp(engine::Engine& engine, const FlowCommands& commands) {
  wire::RecordWriter events;
  for (const wire::CommandRecord& command : commands.setup) {
    events.Clear();
    engine.Apply(command.view(), 0, events);
  }
}

KeptEvents KeepEvents(const FlowCommands& commands) {
  engine::Engine engine(FlowLimits());
  SetUp(engine, commands);
  wire::RecordWriter events;
  KeptEvents kept;
  for (const wire::CommandRecord& command : commands.flow) {
    events.Clear();
    engine.Apply(command.view(), 0, events);
    const auto bytes = events.bytes();
    kept.bytes.insert(kept.bytes.end(), bytes.begin(), bytes.end());
    kept.ends.push_back(kept.bytes.size());
  }
  return kept;
}

// Messages per second.
template <typename Produce>
double Time(size_t messages, Produce&& produce) {
  BatchRing ring;
  EventReader reader(ring);
  const SteadyClock::time_point start = SteadyClock::now();
  produce(ring);
  ring.Finish();
  reader.Join();
  const std::chrono::duration<double> taken = SteadyClock::now() - start;
  return static_cast<double>(messages) / taken.count();
}

double TimeEngine(const FlowResult& flow) {
  engine::Engine engine(FlowLimits());
  SetUp(engine, flow.commands);
  const double rate = Time(flow.commands.flow.size(), [&](BatchRing& ring) {
    for (const wire::CommandRecord& command : flow.commands.flow) {
      engine.Apply(command.view(), 0, ring.records());
      ring.EndCommand();
    }
  });
  // The same work as the one whose reports were hashed.
  WARPBOOK_CHECK(engine.event_hash() == flow.event_hash);
  return rate;
}

double TimeHandOff(const KeptEvents& events) {
  return Time(events.ends.size(), [&](BatchRing& ring) {
    size_t begin = 0;
    for (const size_t end : events.ends) {
      ring.records().AppendBytes({events.bytes.data() + begin, end - begin});
      ring.EndCommand();
      begin = end;
    }
  });
}

// ---- Latency ----

struct Latencies {
  int64_t p50_ns = 0, p99_ns = 0, p999_ns = 0;
};

Latencies Percentiles(std::vector<int64_t> nanoseconds) {
  std::ranges::sort(nanoseconds);
  const auto at = [&](double share) {
    return nanoseconds[static_cast<size_t>(static_cast<double>(nanoseconds.size() - 1) * share)];
  };
  return {at(0.5), at(0.99), at(0.999)};
}

struct OpenLoop {
  Latencies service;   // of Apply alone
  Latencies response;  // from the time at which the command was due
};

// Commands at a stated rate, whether or not the engine keeps up.
OpenLoop TimeOpenLoop(const FlowResult& flow, int64_t rate) {
  engine::Engine engine(FlowLimits());
  SetUp(engine, flow.commands);
  std::vector<int64_t> service, response;
  service.reserve(flow.commands.flow.size());
  response.reserve(flow.commands.flow.size());
  BatchRing ring;
  EventReader reader(ring);
  const SteadyClock::time_point start = SteadyClock::now();
  int64_t count = 0;
  for (const wire::CommandRecord& command : flow.commands.flow) {
    const SteadyClock::time_point due =
        start + std::chrono::nanoseconds(count++ * 1'000'000'000 / rate);
    SteadyClock::time_point begin = SteadyClock::now();
    while (begin < due) {
      Pause();
      begin = SteadyClock::now();
    }
    engine.Apply(command.view(), 0, ring.records());
    const SteadyClock::time_point end = SteadyClock::now();
    ring.EndCommand();
    service.push_back((end - begin).count());
    response.push_back((end - due).count());
  }
  ring.Finish();
  reader.Join();
  return {Percentiles(std::move(service)), Percentiles(std::move(response))};
}

// ---- The report ----

std::string Hex(const Sha256Digest& digest) {
  std::string text;
  for (const uint8_t byte : digest) absl::StrAppend(&text, absl::Hex(byte, absl::kZeroPad2));
  return text;
}

void RunScenario(const OrderFlowScenario& scenario, const Options& options) {
  const std::vector<FlowMessage> messages = MakeOrderFlow(scenario, options.seed, options.count);
  FlowMembers members;
  if (options.full) members = {.buyers = 5'000, .providers = 5'000, .tiers = true};
  const FlowResult flow = PlayOrderFlow(messages, members);
  const std::string name(scenario.name);
  const std::string digest = Hex(Sha256(std::as_bytes(std::span(flow.reports))));
  if (!options.write_reports.empty()) {
    std::ofstream(options.write_reports + "." + name) << flow.reports;
  }
  if (options.rate > 0) {
    const OpenLoop loop = TimeOpenLoop(flow, options.rate);
    std::printf(
        "%-12s %9ld commands/s  service ns p50 %4ld p99 %5ld p99.9 %6ld  response ns p50 %4ld "
        "p99 %6ld p99.9 %8ld\n",
        name.c_str(), options.rate, loop.service.p50_ns, loop.service.p99_ns, loop.service.p999_ns,
        loop.response.p50_ns, loop.response.p99_ns, loop.response.p999_ns);
    return;
  }
  const KeptEvents events = KeepEvents(flow.commands);
  std::vector<double> engine_rates, handoff_rates;
  for (int round = 0; round < options.repeat; ++round) {
    handoff_rates.push_back(TimeHandOff(events));
    engine_rates.push_back(TimeEngine(flow));
  }
  const double engine_rate = Median(engine_rates) / 1e6;
  const double handoff_rate = Median(handoff_rates) / 1e6;
  const double bytes = static_cast<double>(events.bytes.size()) /
                       static_cast<double>(std::max<size_t>(events.ends.size(), 1));
  if (options.json) {
    std::printf(
        "{\"scenario\":\"%s\",\"seed\":%u,\"count\":%u,\"members\":\"%s\",\"messages\":%zu,"
        "\"trades\":%lu,\"sha256\":\"%s\",\"messages_per_s\":%.0f,\"handoff_only_per_s\":%.0f,"
        "\"ratio\":%.3f,\"event_bytes_per_message\":%.1f}\n",
        name.c_str(), options.seed, options.count, options.full ? "full" : "bare", messages.size(),
        flow.trades, digest.c_str(), engine_rate * 1e6, handoff_rate * 1e6,
        engine_rate / handoff_rate, bytes);
  } else {
    std::printf("%-12s %s  %6.2f M/s  handoff_only %6.2f M/s  ratio %.3f  %.0f bytes/message\n",
                name.c_str(), digest.c_str(), engine_rate, handoff_rate, engine_rate / handoff_rate,
                bytes);
  }
  std::fflush(stdout);
}

int Run(int argc, char** argv) {
  Options options;
  CLI::App app("The engine on the public order flow of arXiv 2606.01183");
  app.add_option("--scenario", options.scenario,
                 "static, normal, swing-25, swing-40, flash-crash or all")
      ->capture_default_str();
  app.add_option("--seed", options.seed, "Of the flow")->capture_default_str();
  app.add_option("--count", options.count, "New orders")
      ->check(CLI::Range(1, 1'000'000))
      ->capture_default_str();
  app.add_option("--repeat", options.repeat, "Rounds; the median is reported")
      ->check(CLI::Range(1, 1'000))
      ->capture_default_str();
  app.add_flag("--full", options.full,
               "10,000 accounts, three tiers and assurances (the hash is then no published one)");
  app.add_option("--rate", options.rate,
                 "Instead: latency at so many commands per second, in an open loop")
      ->check(CLI::Range(1, 1'000'000'000));
  app.add_option("--write-reports", options.write_reports,
                 "Write each scenario's canonical reports to FILE.scenario");
  app.add_flag("--json", options.json, "A line of JSON for each scenario");
  CLI11_PARSE(app, argc, argv);
  if (options.scenario != "all" && FindOrderFlowScenario(options.scenario) == nullptr) {
    std::fprintf(stderr, "order_flow_bench: no scenario is called %s\n", options.scenario.c_str());
    return EXIT_FAILURE;
  }
  for (const OrderFlowScenario& scenario : OrderFlowScenarios()) {
    if (options.scenario == "all" || options.scenario == scenario.name) {
      RunScenario(scenario, options);
    }
  }
  return EXIT_SUCCESS;
}

}  // namespace
}  // namespace warpbook::bench

int main(int argc, char** argv) { return warpbook::bench::Run(argc, argv); }
