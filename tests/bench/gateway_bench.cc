// gateway_bench: orders through the WebSocket gateway, engine and journal included, against echoes
// that do nothing; see --help. Client and servers are threads of this process and talk over
// loopback; everything is measured by turns with its baseline, and a ratio is the median of the
// rounds' ratios.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "schema/base/check.h"
#include "tests/bench/bench_directory.h"
#include "tests/bench/echo_server.h"
#include "tests/bench/fan_out.h"
#include "tests/bench/gateway_market.h"
#include "tests/bench/load_client.h"
#include "tests/bench/process.h"

namespace warpbook::bench {
namespace {

struct Options {
  std::vector<std::string> parts;
  std::string directory = "/dev/shm";
  std::string catalogue = "schema/catalogue/catalogue.conf";
  size_t connections = 50;
  size_t in_flight = 16;
  int64_t rate = 10'000;
  double seconds = 3;
  size_t subscribers = 1'000;
  size_t idle = 10'000;
  int repeat = 5;
};

std::string Text(const Spread& spread, double unit, int decimals) {
  char text[80];
  std::snprintf(text, sizeof text, "%.*f (%.*f..%.*f)", decimals, spread.median / unit, decimals,
                spread.min / unit, decimals, spread.max / unit);
  return text;
}

// A server under the load of the orders' own messages.
struct Target {
  const char* name;
  uint16_t port;
  std::unique_ptr<LoadClient> client = nullptr;
  std::unique_ptr<OrderMessages> messages = nullptr;
  std::vector<double> rates = {}, p50s = {}, p99s = {};
};

// Orders, and both echoes, each with connections of its own.
class Targets {
 public:
  explicit Targets(const Options& options)
      : directory_(options.directory),
        market_(directory_ / "market", options.catalogue, options.connections),
        pipeline_(market_.TakePort()) {
    targets_.push_back({.name = "orders", .port = market_.port()});
    targets_.push_back({.name = "echo through the engine", .port = pipeline_.port()});
    targets_.push_back({.name = "bare echo", .port = echo_.port()});
    for (Target& target : targets_) {
      target.client = std::make_unique<LoadClient>(target.port, options.connections);
      target.messages = std::make_unique<OrderMessages>(market_, options.connections);
    }
    market_.Logon(*orders().client);
  }

  Target& orders() { return targets_[0]; }
  Target& pipeline() { return targets_[1]; }
  Target& echo() { return targets_[2]; }
  std::vector<Target>& all() { return targets_; }

  void CheckNoneRefused() {
    if (orders().messages->refused() == 0) return;
    std::printf("%llu orders were refused: %s\n",
                static_cast<unsigned long long>(orders().messages->refused()),
                orders().messages->a_refusal().c_str());
    std::exit(1);
  }

 private:
  const BenchDirectory directory_;
  GatewayMarket market_;
  EchoServer pipeline_;
  EchoServer echo_;
  std::vector<Target> targets_;
};

void MeasureThroughput(const Options& options) {
  Targets targets(options);
  for (int round = -1; round < options.repeat; ++round) {
    for (Target* target : {&targets.orders(), &targets.echo()}) {
      const double rate = target->client->TimeClosedLoop(
          options.in_flight, std::chrono::nanoseconds(static_cast<int64_t>(options.seconds * 1e9)),
          [&](size_t connection) { return target->messages->Next(connection); },
          [&](size_t, std::string_view text) {
            if (target == &targets.orders()) target->messages->OnAnswer(text);
          });
      if (round >= 0) target->rates.push_back(rate);
    }
  }
  targets.CheckNoneRefused();
  std::printf(
      "throughput, %zu connections with %zu in flight, thousand messages/s: orders %s  bare echo "
      "%s  "
      "orders/echo %s\n",
      options.connections, options.in_flight,
      Text(SpreadOf(targets.orders().rates), 1e3, 1).c_str(),
      Text(SpreadOf(targets.echo().rates), 1e3, 1).c_str(),
      Text(SpreadOfRatios(targets.orders().rates, targets.echo().rates), 1, 2).c_str());
}

void MeasureLatency(const Options& options) {
  Targets targets(options);
  const auto count = static_cast<size_t>(options.seconds * static_cast<double>(options.rate));
  for (int round = -1; round < options.repeat; ++round) {
    for (Target& target : targets.all()) {
      const Percentiles latency = target.client->TimeOpenLoop(
          count, options.rate, [&](size_t connection) { return target.messages->Next(connection); },
          [&](size_t, std::string_view text) {
            if (&target == &targets.orders()) target.messages->OnAnswer(text);
          });
      if (round < 0) continue;
      target.p50s.push_back(static_cast<double>(latency.p50));
      target.p99s.push_back(static_cast<double>(latency.p99));
    }
  }
  targets.CheckNoneRefused();
  std::printf("latency at %lld messages/s over %zu connections, us:\n",
              static_cast<long long>(options.rate), options.connections);
  for (const Target& target : targets.all()) {
    std::printf("  %-24s p50 %s  p99 %s\n", target.name,
                Text(SpreadOf(target.p50s), 1e3, 1).c_str(),
                Text(SpreadOf(target.p99s), 1e3, 1).c_str());
  }
  for (const Target* echo : {&targets.pipeline(), &targets.echo()}) {
    std::printf("  orders/%-17s p50 %s  p99 %s\n", echo->name,
                Text(SpreadOfRatios(targets.orders().p50s, echo->p50s), 1, 2).c_str(),
                Text(SpreadOfRatios(targets.orders().p99s, echo->p99s), 1, 2).c_str());
  }
}

void MeasureFanOut(const Options& options) {
  const BenchDirectory directory(options.directory);
  GatewayMarket market(directory / "market", options.catalogue, 1);
  FanOut fan_out(market, options.subscribers);
  std::vector<double> rates, ready_rates, quiet_p50s, busy_p50s, quiet_p99s, busy_p99s;
  size_t message_bytes = 0;
  for (int round = -1; round < options.repeat; ++round) {
    const FanOutRound measured = fan_out.Measure(options.seconds, options.rate);
    message_bytes = measured.message_bytes;
    const double ready_rate =
        TimeReadyBuffer(options.subscribers, measured.message_bytes, options.seconds);
    if (round < 0) continue;
    rates.push_back(measured.bytes_per_second);
    ready_rates.push_back(ready_rate);
    quiet_p50s.push_back(static_cast<double>(measured.quiet.p50));
    quiet_p99s.push_back(static_cast<double>(measured.quiet.p99));
    busy_p50s.push_back(static_cast<double>(measured.busy.p50));
    busy_p99s.push_back(static_cast<double>(measured.busy.p99));
  }
  std::printf(
      "fan-out of one book to %zu subscribers, about %zu bytes a message, MiB/s: gateway %s  ready "
      "buffer %s  gateway/ready %s\n"
      "  orders meanwhile, us: p50 %s  p99 %s; with nobody subscribed: p50 %s  p99 %s; ratio p50 "
      "%s  "
      "p99 %s\n",
      options.subscribers, message_bytes, Text(SpreadOf(rates), 1 << 20, 1).c_str(),
      Text(SpreadOf(ready_rates), 1 << 20, 1).c_str(),
      Text(SpreadOfRatios(rates, ready_rates), 1, 2).c_str(),
      Text(SpreadOf(busy_p50s), 1e3, 0).c_str(), Text(SpreadOf(busy_p99s), 1e3, 0).c_str(),
      Text(SpreadOf(quiet_p50s), 1e3, 0).c_str(), Text(SpreadOf(quiet_p99s), 1e3, 0).c_str(),
      Text(SpreadOfRatios(busy_p50s, quiet_p50s), 1, 2).c_str(),
      Text(SpreadOfRatios(busy_p99s, quiet_p99s), 1, 2).c_str());
}

void MeasureIdle(const Options& options) {
  const BenchDirectory directory(options.directory);
  GatewayMarket market(directory / "market", options.catalogue, 1);
  const size_t before = ResidentBytes();
  const LoadClient client(market.port(), options.idle);
  const size_t grown = ResidentBytes() - before;
  std::printf(
      "%zu idle connections: %.1f MiB more resident, client's side included; %.1f KiB each\n",
      options.idle, static_cast<double>(grown) / (1 << 20),
      static_cast<double>(grown) / 1024 / static_cast<double>(options.idle));
}

int Main(int argc, char** argv) {
  Options options;
  CLI::App app("Orders through the WebSocket gateway, against echoes of the same messages.");
  app.add_option(
         "parts", options.parts,
         "throughput: messages/s with some in flight; latency: from the planned moment to the "
         "answer; fan-out: a book's subscribers; idle: memory (default: all)")
      ->check(CLI::IsMember({"throughput", "latency", "fan-out", "idle"}));
  app.add_option("--directory", options.directory, "where the journal is, in memory")
      ->capture_default_str();
  app.add_option("--catalogue", options.catalogue)->capture_default_str();
  app.add_option("--connections", options.connections)->capture_default_str();
  app.add_option("--in-flight", options.in_flight, "messages of a connection without an answer")
      ->capture_default_str();
  app.add_option("--rate", options.rate, "messages/s of the open loop")->capture_default_str();
  app.add_option("--seconds", options.seconds, "of each measurement")->capture_default_str();
  app.add_option("--subscribers", options.subscribers)->capture_default_str();
  app.add_option("--idle", options.idle, "idle connections")->capture_default_str();
  app.add_option("--repeat", options.repeat, "rounds")->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  RaiseDescriptorLimit();
  const auto wanted = [&](const char* part) {
    return options.parts.empty() ||
           std::find(options.parts.begin(), options.parts.end(), part) != options.parts.end();
  };
  if (wanted("throughput")) MeasureThroughput(options);
  if (wanted("latency")) MeasureLatency(options);
  if (wanted("fan-out")) MeasureFanOut(options);
  if (wanted("idle")) MeasureIdle(options);
  return 0;
}

}  // namespace
}  // namespace warpbook::bench

int main(int argc, char** argv) { return warpbook::bench::Main(argc, argv); }
