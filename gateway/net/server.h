// GatewayServer: the WebSocket door of the exchange. It holds no truth: what it answers from is
// built from durable events alone (gateway/publish/market_state.h).
//
// A request's path: session frame -> protocol/json_decoder -> admission -> EnginePort -> (durable
// batch) -> publish/publisher -> send queue.
//
// Threads: the owner calls Create, RestoreMarket, ApplyReplayed and Start in that order from one
// thread; from Start on the server's own I/O threads do everything, each with connections, market
// and engine port of its own (worker.h); Drain and Stop may be called from any one other thread.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/service/engine_port.h"
#include "gateway/admission/limits.h"
#include "gateway/net/probe_policy.h"
#include "gateway/net/transport.h"
#include "schema/base/clock.h"
#include "schema/catalogue/catalogue.h"
#include "schema/metrics/metrics.h"

namespace warpbook::gateway {

class GatewayServer {
 public:
  struct Options {
    std::string listen = "127.0.0.1:7400";        // clients; port 0: the system chooses
    std::string admin_listen = "127.0.0.1:7401";  // operators, settlement, /livez and /readyz
    std::string server_name = "warpbook";         // what logon signatures are made for
    // How many threads serve the clients; the first serves operators and settlement too. At most
    // kIoThreadsMax.
    size_t io_threads = 1;
    // Without TLS addresses other than loopback are refused, unless this says otherwise.
    bool allow_plaintext_beyond_loopback = false;
    std::optional<TlsContext::Files> tls, admin_tls;  // of each listener
    bool allow_deflate = false;                       // permessage-deflate, if the client offers it
    // Browsers' origins that may connect ("https://warpbook.example"). Without an Origin header a
    // client is no browser, and is let in.
    std::vector<std::string> allowed_origins;
    // Settlement's HTTP, host:port, which is asked for supply and disclosures; "": nobody is.
    std::string settlement = {};
    ProbePolicy probes;
    // Called once, on an I/O thread, when an engine's port is lost (EnginePort::lost): nothing
    // true can be said any more, every client has been sent away, and the process should start
    // again.
    std::function<void()> on_engine_lost;
    // Called on the I/O thread when an operator asks for a drain: whoever stops the process should
    // do so, with this much time for Drain.
    std::function<void(int64_t timeout_micros)> on_drain;
    GatewayLimits limits;
    // What is counted goes here, and /metrics of the admin listener tells it; it outlives the
    // server. Null: the server counts for itself alone.
    Metrics* metrics = nullptr;
  };

  // Checks the options and opens the listeners, so that a busy port is known before anything else
  // is done: the error names address and port, or the file that is wrong. Connections wait until
  // Start.
  static absl::StatusOr<std::unique_ptr<GatewayServer>> Create(Options options,
                                                               Catalogue catalogue);
  ~GatewayServer();
  GatewayServer(const GatewayServer&) = delete;
  GatewayServer& operator=(const GatewayServer&) = delete;

  // Takes over the market of a snapshot (gateway/publish/market_snapshot.h), in place of the
  // batches before it. Before anything is replayed. Nothing has happened where there is an error:
  // DataLoss where the bytes are damaged, FailedPrecondition where they are of another format or
  // the catalogue lacks something that they speak of.
  absl::Status RestoreMarket(std::span<const std::byte> market);
  // What recovery replayed, in journal order. Before Start only. FailedPrecondition where the
  // catalogue lacks something that the batch speaks of.
  absl::Status ApplyReplayed(const engine::DurableBatch& batch);

  // Starts to serve, with a port for each I/O thread, each port's batches following those replayed
  // without a gap. The market's clock (EngineService::market_clock) must outlive the server and be
  // readable by any thread.
  absl::Status Start(std::vector<std::unique_ptr<engine::EnginePort>> ports,
                     const Clock& market_clock);

  // Tells all clients (status: server_shutdown), takes no new commands (kShuttingDown) and no new
  // connections, finishes what is in flight, closes every connection with 1001 and returns when all
  // are gone, or at the deadline. The engine must still run. Stop must follow.
  void Drain(std::chrono::milliseconds deadline);

  // Cuts what is left, ends the I/O threads and destroys the engine ports. Safe to repeat.
  void Stop();

  // The ports that were bound.
  uint16_t port() const;
  uint16_t admin_port() const;

 private:
  class Impl;
  explicit GatewayServer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace warpbook::gateway
