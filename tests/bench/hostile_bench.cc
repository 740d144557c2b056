// hostile_bench: what each attack does to everyone else: the latency of members who trade in an
// open loop, and the memory of the process, without and with the attack, by turns. See --help.
#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <string>
#include <thread>
#include <vector>

#include "schema/base/check.h"
#include "tests/bench/attacks.h"
#include "tests/bench/bench_directory.h"
#include "tests/bench/gateway_market.h"
#include "tests/bench/load_client.h"
#include "tests/bench/process.h"

namespace warpbook::bench {
namespace {

struct Options {
  std::vector<std::string> attacks;
  std::string directory = "/dev/shm";
  std::string catalogue = "schema/catalogue/catalogue.conf";
  size_t members = 10;
  int64_t rate = 1'000;
  double seconds = 4;
  int repeat = 3;
};

// As it is in service, but for the room: those who attack are many.
gateway::GatewayLimits ServiceLimits() {
  gateway::GatewayLimits limits;
  limits.client_connections.total_max = 10'000;
  return limits;
}

void Measure(const AttackKind& kind, const Options& options) {
  const BenchDirectory directory(options.directory);
  GatewayMarket market(directory / "market", options.catalogue, options.members + 1,
                       ServiceLimits());
  market.TakePort();  // nobody would take the batches that wait in it
  LoadClient client(market.port(), options.members);
  market.Logon(client);
  OrderMessages orders(market, options.members);
  const auto count = static_cast<size_t>(options.seconds * static_cast<double>(options.rate));
  const auto trade = [&] {
    return client.TimeOpenLoop(
        count, options.rate, [&](size_t connection) { return orders.Next(connection); },
        [&](size_t, std::string_view text) { orders.OnAnswer(text); });
  };
  std::vector<double> quiet_p50s, quiet_p99s, p50s, p99s, grown;
  std::string report;
  for (int round = -1; round < options.repeat; ++round) {
    const Percentiles quiet = trade();
    const size_t before = ResidentBytes();
    const std::unique_ptr<Attack> attack = kind.start(market);
    const Percentiles attacked = trade();
    const size_t after = ResidentBytes();
    attack->Stop();
    report = attack->Report();
    if (round < 0) continue;
    quiet_p50s.push_back(static_cast<double>(quiet.p50));
    quiet_p99s.push_back(static_cast<double>(quiet.p99));
    p50s.push_back(static_cast<double>(attacked.p50));
    p99s.push_back(static_cast<double>(attacked.p99));
    grown.push_back(static_cast<double>(after) - static_cast<double>(before));
  }
  std::printf(
      "%-18s p50 %5.0f -> %5.0f us (%.2f)  p99 %5.0f -> %5.0f us (%.2f)  memory %+.1f MiB  refused "
      "%llu\n"
      "%-18s %s\n",
      kind.name, SpreadOf(quiet_p50s).median / 1e3, SpreadOf(p50s).median / 1e3,
      SpreadOfRatios(p50s, quiet_p50s).median, SpreadOf(quiet_p99s).median / 1e3,
      SpreadOf(p99s).median / 1e3, SpreadOfRatios(p99s, quiet_p99s).median,
      SpreadOf(grown).median / (1 << 20), static_cast<unsigned long long>(orders.refused()), "",
      report.c_str());
  std::fflush(stdout);
}

int Main(int argc, char** argv) {
  Options options;
  std::vector<std::string> names;
  std::string list = "which (default: all):";
  for (const AttackKind& kind : AllAttacks()) {
    names.emplace_back(kind.name);
    list += std::string("\n") + kind.name + ": " + kind.description;
  }
  CLI::App app("What attacks on the gateway do to everyone else.");
  app.add_option("attacks", options.attacks, list)->check(CLI::IsMember(names));
  app.add_option("--directory", options.directory, "where the journal is, in memory")
      ->capture_default_str();
  app.add_option("--catalogue", options.catalogue)->capture_default_str();
  app.add_option("--members", options.members, "who trade")->capture_default_str();
  app.add_option("--rate", options.rate, "orders/s of all members")->capture_default_str();
  app.add_option("--seconds", options.seconds, "of each measurement")->capture_default_str();
  app.add_option("--repeat", options.repeat, "rounds")->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  RaiseDescriptorLimit();
  for (const AttackKind& kind : AllAttacks()) {
    if (options.attacks.empty() || std::find(options.attacks.begin(), options.attacks.end(),
                                             kind.name) != options.attacks.end()) {
      Measure(kind, options);
    }
  }
  return 0;
}

}  // namespace
}  // namespace warpbook::bench

int main(int argc, char** argv) { return warpbook::bench::Main(argc, argv); }
