// publish_bench: what a durable batch costs the gateway: a publisher takes in the events of a mix
// of commands in a market with many resting orders (resting_market.h), with nobody listening.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <memory>
#include <vector>

#include "engine/service/engine_port.h"
#include "gateway/publish/publisher.h"
#include "schema/base/check.h"
#include "schema/base/clock.h"
#include "schema/catalogue/catalogue.h"
#include "tests/bench/resting_market.h"
#include "tests/bench/timing.h"

namespace warpbook::bench {
namespace {

using SteadyClock = std::chrono::steady_clock;
using Batches = std::vector<engine::DurableBatch>;

struct Options {
  std::string catalogue = "schema/catalogue/catalogue.conf";
  uint32_t orders = 1'000'000;
  uint32_t books = 100;
  size_t commands = 400'000;
  uint32_t batch = 16;
  int repeat = 5;
};

Batches Apply(engine::Engine& engine, const std::vector<wire::CommandRecord>& commands,
              uint32_t size) {
  Batches batches;
  wire::RecordWriter records;
  for (size_t i = 0; i < commands.size(); i += size) {
    const auto count = static_cast<uint32_t>(std::min<size_t>(size, commands.size() - i));
    const uint64_t first = engine.last_sequence().value() + 1;
    for (uint32_t k = 0; k < count; ++k) {
      records.Append(commands[i + k].view(), k);
      engine.Apply(commands[i + k].view(), k, records);
    }
    batches.push_back({.first_sequence = first, .command_count = count, .records = records.Take()});
  }
  return batches;
}

double NanosecondsOf(gateway::Publisher& publisher, const Batches& batches, size_t commands) {
  const SteadyClock::time_point start = SteadyClock::now();
  for (const engine::DurableBatch& batch : batches) publisher.Publish(batch);
  return std::chrono::duration<double, std::nano>(SteadyClock::now() - start).count() /
         static_cast<double>(commands);
}

void Run(const Options& options) {
  const auto catalogue = LoadCatalogue(options.catalogue);
  WARPBOOK_CHECK(catalogue.ok());
  MarketSize size = kFullMarket;
  size.instruments = options.books;
  const FlowCommands commands = RestingMarket(size, options.orders, 1).Make(options.commands);
  engine::Engine engine(commands.limits);
  const Batches setup = Apply(engine, commands.setup, options.batch);
  const Batches flow = Apply(engine, commands.flow, options.batch);
  const SystemClock clock;
  std::vector<double> rounds;
  for (int round = 0; round < options.repeat; ++round) {
    gateway::Publisher publisher(*catalogue, clock);
    const double of_setup = NanosecondsOf(publisher, setup, commands.setup.size());
    rounds.push_back(NanosecondsOf(publisher, flow, commands.flow.size()));
    std::printf("placed: %.0f ns a command; mix: %.0f ns a command\n", of_setup, rounds.back());
  }
  std::ranges::sort(rounds);
  std::printf("%u resting orders, batches of %u: %.0f ns a command (the best %.0f)\n",
              options.orders, options.batch, rounds[rounds.size() / 2], rounds[0]);
}

}  // namespace
}  // namespace warpbook::bench

int main(int argc, char** argv) {
  warpbook::bench::KeepMemory();
  warpbook::bench::Options options;
  CLI::App app("What a durable batch costs the gateway");
  app.add_option("--catalogue", options.catalogue, "the catalogue's file");
  app.add_option("--orders", options.orders, "resting orders");
  app.add_option("--books", options.books, "instruments");
  app.add_option("--commands", options.commands, "commands of the mix");
  app.add_option("--batch", options.batch, "commands of a batch")->check(CLI::Range(1, 4'096));
  app.add_option("--repeat", options.repeat, "rounds")->check(CLI::Range(1, 1'000));
  CLI11_PARSE(app, argc, argv);
  warpbook::bench::Run(options);
  return 0;
}
