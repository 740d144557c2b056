// What `warpbook serve` runs: engine service and gateway in one process, put together here and
// nowhere else.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/service/engine_service.h"
#include "gateway/net/server.h"
#include "schema/catalogue/catalogue.h"
#include "schema/metrics/metrics.h"
#include "schema/types/public_key.h"

namespace warpbook::gateway {

// As given on the command line, in the environment or in the configuration file.
struct ServeOptions {
  std::string journal;
  std::string catalogue;
  std::string listen = "127.0.0.1:7400";
  std::string admin_listen = "127.0.0.1:7401";
  std::string settlement;  // its HTTP, host:port; "": supply and disclosures are not served
  int64_t io_threads = 1;
  bool allow_plaintext_beyond_loopback = false;
  TlsContext::Files tls, admin_tls;  // without names: no TLS
  bool allow_deflate = false;
  std::vector<std::string> allowed_origins;
  std::string server_name = "warpbook";
  std::string operator_key_file, settlement_key_file;  // empty: none
  int64_t clock_factor = 1;
  std::string probe_profile = "full";
  int64_t probe_valid_minutes = 24 * 60;
  int64_t probe_surprise_minutes = 4 * 60;  // on average; 0: never
  int64_t probe_answer_seconds = 5 * 60;
  int64_t drain_seconds = 10;
  int64_t snapshot_mebibytes = 256;  // of the journal between two snapshots
  int64_t disk_reserve_mebibytes = 512;
};

// The same with every file read and found right.
struct ServeConfiguration {
  ServeOptions options;
  engine::ServiceLimits service_limits;
  uint64_t snapshot_bytes_between = 0;
  Catalogue catalogue;
  std::optional<PublicKey> operator_key, settlement_key;
};

// One clear sentence where something is missing or wrong.
absl::StatusOr<ServeConfiguration> LoadServeConfiguration(const ServeOptions& options);

// A running exchange. One thread, the owner's, makes and stops it.
class Exchange {
 public:
  // Recovers and starts to serve. What is wrong (a busy port, a damaged journal) is one clear
  // sentence. While the journal is replayed `stop_requested` is asked again and again; where it
  // says yes the start ends as Cancelled and has changed nothing.
  static absl::StatusOr<std::unique_ptr<Exchange>> Start(
      const ServeConfiguration& configuration,
      const std::function<bool()>& stop_requested = [] { return false; });
  // Ends at once what Stop has not ended well.
  ~Exchange();

  // Runs until SIGTERM or SIGINT (BlockStopSignals before), until an operator asks for a drain, or
  // until the engine is lost, which is an error, so that a supervisor starts it again; then stops.
  // Once, instead of Stop.
  absl::Status Run();
  // Tells the clients, finishes what is under way, and closes the journal. Once.
  absl::Status Stop();

  const GatewayServer& server() const { return *server_; }
  const engine::EngineService& service() const { return *service_; }

 private:
  explicit Exchange(std::chrono::seconds drain);

  std::atomic<int64_t> drain_micros_;      // how long Stop gives the clients
  std::atomic<bool> drain_asked_ = false;  // by an operator; set by the server's thread
  // The gateway fell so far behind the engine that it lost events: it has sent every client away,
  // and only another start serves them again. Set by the server's thread.
  std::atomic<bool> engine_lost_ = false;
  Metrics metrics_;
  // The server reads the service's clock: it goes first.
  std::unique_ptr<engine::EngineService> service_;
  std::unique_ptr<GatewayServer> server_;
};

// Starts an exchange and runs it to its end.
absl::Status Serve(const ServeConfiguration& configuration);

}  // namespace warpbook::gateway
