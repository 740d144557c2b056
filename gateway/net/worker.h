// Worker: one I/O thread of the gateway and all that it works on: its listeners, its sessions, a
// market built from its own engine port, and the handler of requests. Workers share nothing on the
// path of an order; what admission must know over all of them is in SharedAdmission.
//
// Create, RestoreMarket, ApplyReplayed, Prepare and Run are the owner's, in that order; from Run on
// everything happens on the worker's own thread; BeginDrain and Stop may be called from any one
// other.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <thread>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "engine/service/engine_port.h"
#include "gateway/admission/shared_admission.h"
#include "gateway/net/gateway_metrics.h"
#include "gateway/net/listener.h"
#include "gateway/net/market_data_pacer.h"
#include "gateway/net/market_metrics.h"
#include "gateway/net/metrics_desk.h"
#include "gateway/net/monotonic_time.h"
#include "gateway/net/request_handler.h"
#include "gateway/net/server.h"
#include "gateway/net/session.h"
#include "gateway/net/session_host.h"
#include "gateway/net/settlement_reports.h"
#include "gateway/net/transport.h"
#include "gateway/publish/publisher.h"
#include "schema/base/clock.h"
#include "schema/catalogue/catalogue.h"

namespace warpbook::gateway {

// What the workers of a gateway have in common. Outlives them.
struct WorkerContext {
  const GatewayServer::Options& options;
  const Catalogue& catalogue;
  SharedAdmission& admission;
  std::shared_ptr<const TlsContext> tls, admin_tls;  // null: plain
  SettlementReports* settlement;                     // null: it cannot be asked
  SharedProbes& probes;
  Metrics& metrics;
  MetricsDesk& metrics_desk;
  // Each is called on the worker's thread, at most once by each worker.
  std::function<void()> on_drained;
  std::function<void()> on_engine_lost;
};

class Worker final : public SessionHost {
 public:
  explicit Worker(const WorkerContext& context);
  ~Worker() override { Stop(); }

  // The first worker opens the ports, the others listen beside it; only the first is for operators.
  absl::Status OpenListeners();
  absl::Status OpenListenerBeside(const Worker& first);
  absl::Status RestoreMarket(std::span<const std::byte> market);
  absl::Status ApplyReplayed(const engine::DurableBatch& batch);
  // Takes in what the port has.
  absl::Status Prepare(std::unique_ptr<engine::EnginePort> port, const Clock& market_clock);
  void Run();

  void BeginDrain(int64_t deadline_micros);
  void Stop();

  uint16_t port() const { return listener_->port(); }
  uint16_t admin_port() const { return admin_listener_->port(); }

  // SessionHost.
  bool IsReady() const override { return !draining_ && !port_->lost(); }
  bool IsBehind() const override;
  bool IsAllowedOrigin(std::string_view origin) const override;
  int64_t WaitForHttp(const std::string& peer) override;
  std::optional<HttpAnswer> OnHttpGet(std::string_view target, uint64_t connection_id) override;
  bool AskMetrics(uint64_t connection_id) override;
  void OnOpened(Session& session) override;
  void OnText(Session& session, std::string_view text) override;
  void OnBinary(Session& session, std::string_view bytes) override;
  void OnRoom(Session& session) override;
  void OnEnding(Session& session) override;
  void OnLogonEnded(Session& session) override;
  void OnGone(Session& session, std::string_view why) override;

 private:
  struct Connection {
    std::shared_ptr<Session> session;
    int64_t next_sweep_micros = 0;
    size_t queued_bytes = 0;  // as the metrics know it
  };

  // ---- Connections ----
  void OnAccepted(boost::asio::ip::tcp::socket socket, bool on_admin);
  void EndAll(CloseCode code);
  // Settlement's answer to what a connection has asked for.
  void OnSettlementAnswer(uint64_t connection_id, const SettlementReports::Answer& answer,
                          HttpAnswer while_away);
  // What a connection waits for, if it is still there.
  void AnswerLater(uint64_t connection_id, const HttpAnswer& answer);
  // What its send queue holds has changed.
  void CountQueued(Connection& connection, size_t bytes);

  // ---- The engine ----
  void WaitForBatches();
  void TakeBatches();
  void OnPortLost();

  // ---- Time ----
  void ScheduleSweep();
  void Sweep();

  // ---- Draining ----
  void OnDrain(int64_t deadline_micros);
  void ContinueDrain();

  // How other threads reach this one, for as long as it runs.
  struct Mailbox {
    std::mutex mutex;
    boost::asio::io_context* io = nullptr;  // null: it has stopped
  };

  const WorkerContext& context_;
  const GatewayLimits& limits_;
  // Destroyed behind io_: what waits in that holds sessions, and they have buffers of this.
  SessionThread thread_state_;
  boost::asio::io_context io_{1};
  Publisher publisher_;
  MarketDataPacer market_data_;
  GatewayMetrics metrics_;
  std::unique_ptr<MarketMetrics> market_metrics_;  // of the first worker
  std::unique_ptr<engine::EnginePort> port_;
  std::unique_ptr<RequestHandler> handler_;
  std::unique_ptr<Listener> listener_;
  std::unique_ptr<Listener> admin_listener_;     // of the first worker
  boost::asio::posix::stream_descriptor ready_;  // the port's ReadyFd
  boost::asio::steady_timer sweep_timer_;
  absl::flat_hash_map<uint64_t, Connection> connections_;
  const int64_t sweep_each_micros_;  // how often each connection's timeouts are looked at
  const std::shared_ptr<Mailbox> mailbox_;
  std::thread thread_;

  int64_t last_batch_micros_ = 0;  // monotonic: when the last one was taken
  bool draining_ = false;
  bool closing_ = false;  // the drain's last part: every connection has been told to end
  bool drained_ = false;
  int64_t drain_deadline_micros_ = 0;
};

}  // namespace warpbook::gateway
