#include "gateway/cli/serve.h"

#include <algorithm>
#include <chrono>
#include <functional>
#include <iostream>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "gateway/cli/key_files.h"
#include "gateway/cli/print.h"
#include "gateway/cli/stop_signals.h"
#include "gateway/client/server_address.h"
#include "gateway/net/address.h"
#include "gateway/net/descriptors.h"
#include "gateway/publish/market_follower.h"
#include "schema/base/log.h"
#include "schema/base/version.h"
#include "schema/metrics/process_metrics.h"

namespace warpbook::gateway {
namespace {

// How soon Serve sees that the engine was lost.
constexpr std::chrono::milliseconds kLookInterval(200);

// As many connections as there are descriptors for.
absl::Status LimitConnections(size_t io_threads, GatewayLimits& limits) {
  const absl::StatusOr<uint64_t> descriptors = RaiseDescriptorLimit();
  if (!descriptors.ok()) return descriptors.status();
  const size_t wanted = limits.client_connections.total_max;
  const uint64_t of_threads = io_threads * kDescriptorsPerIoThread;
  const absl::Status fitted =
      FitConnections(*descriptors - std::min(*descriptors, of_threads), limits);
  if (!fitted.ok()) return fitted;
  const size_t given = limits.client_connections.total_max;
  if (given < wanted) {
    Log(LogLevel::kWarning, "connections_limited",
        JsonObject()
            .Integer("clients", static_cast<int64_t>(given))
            .Integer("wanted", static_cast<int64_t>(wanted))
            .Integer("open_files_max", static_cast<int64_t>(*descriptors)));
  }
  return absl::OkStatus();
}

std::optional<TlsContext::Files> TlsFilesOf(const TlsContext::Files& files) {
  if (files == TlsContext::Files()) return std::nullopt;
  return files;
}

// Whether the listener's files are there and can be used; none at all are good too.
absl::Status CheckTls(const TlsContext::Files& files, const char* prefix) {
  if (files == TlsContext::Files()) return absl::OkStatus();
  if (files.certificate_chain.empty() || files.private_key.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat(prefix, "-certificate and ", prefix, "-key belong together"));
  }
  return TlsContext::Load(files).status();
}

ProbePolicy PolicyOf(const ServeOptions& options) {
  ProbePolicy policy;
  policy.small_profile = options.probe_profile == "small";
  policy.valid_micros = options.probe_valid_minutes * kMicrosPerMinute;
  policy.surprise_mean_micros = options.probe_surprise_minutes * kMicrosPerMinute;
  // Proofs take their time however fast the market's clock runs.
  policy.answer_micros = options.probe_answer_seconds * options.clock_factor * kMicrosPerSecond;
  policy.call_lead_micros = std::max(policy.valid_micros / 12, policy.answer_micros);
  policy.muster_lead_micros = policy.answer_micros * 2 / 5;
  policy.muster_wait_micros = policy.answer_micros / 10;
  policy.grace_micros = policy.answer_micros * 2;
  // Nodes on one CPU can only take turns.
  if (policy.small_profile) policy.late_max_micros = policy.gather_after_micros;
  return policy;
}

absl::StatusOr<std::unique_ptr<GatewayServer>> CreateServer(const ServeConfiguration& configuration,
                                                            Metrics& metrics,
                                                            std::function<void()> on_engine_lost,
                                                            std::function<void(int64_t)> on_drain) {
  GatewayServer::Options options;
  options.metrics = &metrics;
  options.on_engine_lost = std::move(on_engine_lost);
  options.on_drain = std::move(on_drain);
  options.listen = configuration.options.listen;
  options.admin_listen = configuration.options.admin_listen;
  options.server_name = configuration.options.server_name;
  options.settlement = configuration.options.settlement;
  options.probes = PolicyOf(configuration.options);
  options.io_threads = static_cast<size_t>(configuration.options.io_threads);
  options.allow_plaintext_beyond_loopback = configuration.options.allow_plaintext_beyond_loopback;
  options.allow_deflate = configuration.options.allow_deflate;
  options.tls = TlsFilesOf(configuration.options.tls);
  options.admin_tls = TlsFilesOf(configuration.options.admin_tls);
  options.allowed_origins = configuration.options.allowed_origins;
  const absl::Status limited = LimitConnections(options.io_threads, options.limits);
  if (!limited.ok()) return limited;
  return GatewayServer::Create(std::move(options), configuration.catalogue);
}

absl::StatusOr<std::unique_ptr<engine::EngineService>> RecoverEngine(
    const ServeConfiguration& configuration, GatewayServer& server, Metrics& metrics,
    const std::function<bool()>& stop_requested) {
  engine::EngineService::Options options;
  options.metrics = &metrics;
  options.journal_directory = configuration.options.journal;
  options.catalogue = configuration.catalogue;
  options.operator_key = configuration.operator_key;
  options.settlement_key = configuration.settlement_key;
  options.clock_factor = configuration.options.clock_factor;
  options.service_limits = configuration.service_limits;
  engine::SnapshotOptions& snapshots = options.snapshots.emplace();
  snapshots.bytes_between = configuration.snapshot_bytes_between;
  snapshots.make_follower = [catalogue =
                                 std::make_shared<const Catalogue>(configuration.catalogue)] {
    return std::make_unique<MarketFollower>(*catalogue);
  };
  const absl::Status stopped = absl::CancelledError("stopped while the journal was replayed");
  auto service = engine::EngineService::Recover(
      std::move(options),
      [&](const engine::DurableBatch& batch) {
        return stop_requested() ? stopped : server.ApplyReplayed(batch);
      },
      [&](std::span<const std::byte> market) { return server.RestoreMarket(market); });
  // There may have been nothing to replay.
  if (service.ok() && stop_requested()) return stopped;
  return service;
}

void PrintStart(const ServeOptions& options, const Exchange& exchange) {
  const engine::EngineService::RecoverySummary& recovery = exchange.service().recovery();
  if (!recovery.repair_note.empty()) std::cout << recovery.repair_note << "\n";
  if (!recovery.snapshot_note.empty()) std::cout << recovery.snapshot_note << "\n";
  const uint64_t replayed = recovery.last_sequence.value() - recovery.snapshot_sequence.value();
  std::cout << "journal " << options.journal << ": " << GroupDigits(static_cast<int64_t>(replayed))
            << " commands replayed";
  if (recovery.snapshot_sequence) {
    std::cout << " behind the snapshot of sequence "
              << GroupDigits(static_cast<int64_t>(recovery.snapshot_sequence.value()));
  }
  std::cout << "; the market's time is "
            << FormatTime(exchange.service().market_clock().NowMicros()) << " UTC";
  if (options.clock_factor > 1) {
    std::cout << ", running " << options.clock_factor << " times as fast as the clock";
  }
  if (options.probe_profile == "small") {
    std::cout
        << "\nmachines prove themselves by the small profile: a CPU can, and nothing is proved "
           "of a hardware class";
  }
  std::cout << "\nserving clients on port " << exchange.server().port()
            << ", operators and settlement on port " << exchange.server().admin_port() << " ("
            << options.listen << ", " << options.admin_listen << ")" << std::endl;
}

}  // namespace

absl::StatusOr<ServeConfiguration> LoadServeConfiguration(const ServeOptions& options) {
  ServeConfiguration configuration;
  configuration.options = options;
  configuration.snapshot_bytes_between = static_cast<uint64_t>(options.snapshot_mebibytes) << 20;
  configuration.service_limits.disk_reserve_bytes =
      static_cast<uint64_t>(options.disk_reserve_mebibytes) << 20;
  if (options.journal.empty()) return absl::InvalidArgumentError("--journal is missing");
  if (options.catalogue.empty()) return absl::InvalidArgumentError("--catalogue is missing");
  if (options.server_name.empty()) return absl::InvalidArgumentError("--server-name is empty");
  struct ListenerOptions {
    const std::string& address;
    const TlsContext::Files& tls;
    const char* tls_prefix;
  };
  for (const ListenerOptions& listener :
       {ListenerOptions{options.listen, options.tls, "--tls"},
        ListenerOptions{options.admin_listen, options.admin_tls, "--admin-tls"}}) {
    const absl::Status tls = CheckTls(listener.tls, listener.tls_prefix);
    if (!tls.ok()) return tls;
    const bool has_tls = listener.tls != TlsContext::Files();
    const auto endpoint =
        ParseListenAddress(listener.address, has_tls || options.allow_plaintext_beyond_loopback);
    if (!endpoint.ok()) return endpoint.status();
  }
  for (const std::string& origin : configuration.options.allowed_origins) {
    const absl::Status is_one = CheckOrigin(origin);
    if (!is_one.ok()) return is_one;
  }
  if (!options.settlement.empty()) {
    const auto settlement = ParseServerAddress(options.settlement);
    if (!settlement.ok()) return settlement.status();
  }
  absl::StatusOr<Catalogue> catalogue = LoadCatalogue(options.catalogue);
  if (!catalogue.ok()) return catalogue.status();
  configuration.catalogue = *std::move(catalogue);
  if (!options.operator_key_file.empty()) {
    const absl::StatusOr<PublicKey> key = LoadPublicKeyFile(options.operator_key_file);
    if (!key.ok()) return key.status();
    configuration.operator_key = *key;
  }
  if (!options.settlement_key_file.empty()) {
    const absl::StatusOr<PublicKey> key = LoadPublicKeyFile(options.settlement_key_file);
    if (!key.ok()) return key.status();
    configuration.settlement_key = *key;
  }
  if (configuration.operator_key && configuration.operator_key == configuration.settlement_key) {
    return absl::InvalidArgumentError(
        absl::StrCat(options.operator_key_file, " and ", options.settlement_key_file,
                     " hold the same key: operator and settlement are two accounts"));
  }
  return configuration;
}

Exchange::Exchange(std::chrono::seconds drain)
    : drain_micros_(std::chrono::microseconds(drain).count()) {
  AddProcessMetrics(metrics_, {.service = "warpbook",
                               .version = std::string(kVersion),
                               .rules_version = absl::StrCat(engine::kRulesVersion)});
}

Exchange::~Exchange() {
  if (server_) server_->Stop();
}

absl::StatusOr<std::unique_ptr<Exchange>> Exchange::Start(
    const ServeConfiguration& configuration, const std::function<bool()>& stop_requested) {
  std::unique_ptr<Exchange> exchange(
      new Exchange(std::chrono::seconds(configuration.options.drain_seconds)));
  // The ports first: a busy one is told before a long replay.
  absl::StatusOr<std::unique_ptr<GatewayServer>> server = CreateServer(
      configuration, exchange->metrics_, [lost = &exchange->engine_lost_] { lost->store(true); },
      [exchange = exchange.get()](int64_t timeout_micros) {
        exchange->drain_micros_.store(timeout_micros);
        exchange->drain_asked_.store(true);
      });
  if (!server.ok()) return server.status();
  exchange->server_ = *std::move(server);
  absl::StatusOr<std::unique_ptr<engine::EngineService>> service =
      RecoverEngine(configuration, *exchange->server_, exchange->metrics_, stop_requested);
  if (!service.ok()) return service.status();
  exchange->service_ = *std::move(service);

  std::vector<std::unique_ptr<engine::EnginePort>> ports;
  for (int64_t i = 0; i < configuration.options.io_threads; ++i) {
    ports.push_back(exchange->service_->CreatePort());
  }
  absl::Status status = exchange->service_->Start();
  if (!status.ok()) return status;
  status = exchange->server_->Start(std::move(ports), exchange->service_->market_clock());
  if (!status.ok()) return status;
  return exchange;
}

absl::Status Exchange::Stop() {
  server_->Drain(std::chrono::duration_cast<std::chrono::milliseconds>(
      std::chrono::microseconds(drain_micros_.load())));
  server_->Stop();
  return service_->Stop();
}

absl::Status Exchange::Run() {
  while (!engine_lost_.load() && !drain_asked_.load() && !WaitForStopSignal(kLookInterval))
    continue;
  if (!engine_lost_.load()) std::cout << "stopping" << std::endl;
  const absl::Status stopped = Stop();
  if (!stopped.ok()) return stopped;
  if (engine_lost_.load()) {
    return absl::UnavailableError(
        "the gateway fell too far behind the engine and lost its events; everything taken is in "
        "the journal: start again");
  }
  std::cout << "stopped; everything taken is in the journal" << std::endl;
  return absl::OkStatus();
}

absl::Status Serve(const ServeConfiguration& configuration) {
  absl::StatusOr<std::unique_ptr<Exchange>> exchange =
      Exchange::Start(configuration, StopSignalCame);
  if (absl::IsCancelled(exchange.status())) {
    std::cout << exchange.status().message() << std::endl;
    return absl::OkStatus();
  }
  if (!exchange.ok()) return exchange.status();
  PrintStart(configuration.options, **exchange);
  return (*exchange)->Run();
}

}  // namespace warpbook::gateway
