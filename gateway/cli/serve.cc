#include "gateway/cli/serve.h"

#include <chrono>
#include <iostream>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/service/engine_service.h"
#include "gateway/cli/key_files.h"
#include "gateway/cli/print.h"
#include "gateway/cli/stop_signals.h"
#include "gateway/net/server.h"

namespace warpbook::gateway {
namespace {

absl::StatusOr<std::unique_ptr<GatewayServer>> CreateServer(
    const ServeConfiguration& configuration) {
  GatewayServer::Options options;
  options.listen = configuration.options.listen;
  options.admin_listen = configuration.options.admin_listen;
  options.server_name = configuration.options.server_name;
  return GatewayServer::Create(std::move(options), configuration.catalogue);
}

absl::StatusOr<std::unique_ptr<engine::EngineService>> RecoverEngine(
    const ServeConfiguration& configuration, GatewayServer& server) {
  engine::EngineService::Options options;
  options.journal_directory = configuration.options.journal;
  options.catalogue = configuration.catalogue;
  options.operator_key = configuration.operator_key;
  options.settlement_key = configuration.settlement_key;
  options.clock_factor = configuration.options.clock_factor;
  return engine::EngineService::Recover(
      std::move(options),
      [&server](const engine::DurableBatch& batch) { server.ApplyReplayed(batch); });
}

void PrintStart(const ServeConfiguration& configuration, const engine::EngineService& service,
                const GatewayServer& server) {
  const engine::EngineService::RecoverySummary& recovery = service.recovery();
  if (!recovery.repair_note.empty()) std::cout << recovery.repair_note << "\n";
  std::cout << "journal " << configuration.options.journal << ": "
            << GroupDigits(static_cast<int64_t>(recovery.last_sequence.value()))
            << " commands replayed; the market's time is "
            << FormatTime(service.market_clock().NowMicros()) << " UTC";
  if (configuration.options.clock_factor > 1) {
    std::cout << ", running " << configuration.options.clock_factor
              << " times as fast as the clock";
  }
  std::cout << "\nserving clients on port " << server.port()
            << ", operators and settlement on port " << server.admin_port() << " ("
            << configuration.options.listen << ", " << configuration.options.admin_listen << ")"
            << std::endl;
}

}  // namespace

absl::StatusOr<ServeConfiguration> LoadServeConfiguration(const ServeOptions& options) {
  ServeConfiguration configuration;
  configuration.options = options;
  if (options.journal.empty()) return absl::InvalidArgumentError("--journal is missing");
  if (options.catalogue.empty()) return absl::InvalidArgumentError("--catalogue is missing");
  if (options.server_name.empty()) return absl::InvalidArgumentError("--server-name is empty");
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
  return configuration;
}

absl::Status Serve(const ServeConfiguration& configuration) {
  // The ports first: a busy one is told before a long replay.
  absl::StatusOr<std::unique_ptr<GatewayServer>> server = CreateServer(configuration);
  if (!server.ok()) return server.status();
  absl::StatusOr<std::unique_ptr<engine::EngineService>> service =
      RecoverEngine(configuration, **server);
  if (!service.ok()) return service.status();

  std::unique_ptr<engine::EnginePort> port = (*service)->CreatePort();
  absl::Status status = (*service)->Start();
  if (!status.ok()) return status;
  status = (*server)->Start(std::move(port), (*service)->market_clock());
  if (!status.ok()) return status;
  PrintStart(configuration, **service, **server);

  while (!WaitForStopSignal(std::chrono::hours(1))) continue;
  std::cout << "stopping" << std::endl;
  (*server)->Drain(std::chrono::seconds(configuration.options.drain_seconds));
  (*server)->Stop();
  status = (*service)->Stop();
  if (status.ok()) std::cout << "stopped; everything taken is in the journal" << std::endl;
  return status;
}

}  // namespace warpbook::gateway
