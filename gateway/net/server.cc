#include "gateway/net/server.h"

#include <unistd.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "gateway/admission/connection_counter.h"
#include "gateway/net/listener.h"
#include "gateway/net/log.h"
#include "gateway/net/monotonic_time.h"
#include "gateway/net/request_handler.h"
#include "gateway/net/session.h"
#include "gateway/publish/catalogue_check.h"
#include "gateway/publish/market_snapshot.h"
#include "gateway/publish/publisher.h"
#include "schema/base/check.h"

namespace warpbook::gateway {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;

// How often timeouts are looked at.
constexpr std::chrono::milliseconds kSweepInterval(100);
// Batches taken in one turn of the I/O loop, so that sockets get theirs.
constexpr int kBatchesPerTurn = 16;
// The last part of a drain's time is for the closing handshakes.
constexpr std::chrono::milliseconds kClosingTime(500);

std::string ShutdownNotice(Encoding encoding, int64_t reconnect_by_us) {
  return WriteMessage(encoding, [&](MessageWriter& out) {
    out.Field("channel", "status").Field("type", "update");
    out.Key("data").BeginObject().Field("event", "server_shutdown");
    out.Field("reconnect_by", reconnect_by_us).EndObject();
  });
}

}  // namespace

class GatewayServer::Impl final : public SessionHost {
 public:
  Impl(Options options, Catalogue catalogue)
      : options_(std::move(options)),
        catalogue_(std::move(catalogue)),
        publisher_(catalogue_, real_clock_),
        budgets_(options_.limits.shared),
        ready_(io_),
        sweep_timer_(io_),
        client_connections_(options_.limits.client_connections),
        admin_connections_(options_.limits.admin_connections) {}
  ~Impl() override { Stop(); }

  absl::Status OpenListeners();
  absl::Status RestoreMarket(std::span<const std::byte> market) {
    return ReadMarket(market, publisher_);
  }
  absl::Status ApplyReplayed(const engine::DurableBatch& batch);
  absl::Status Start(std::unique_ptr<engine::EnginePort> port, const Clock& market_clock);
  void Drain(std::chrono::milliseconds deadline);
  void Stop();
  uint16_t port() const { return listener_->port(); }
  uint16_t admin_port() const { return admin_listener_->port(); }

  // SessionHost, on the I/O thread.
  bool IsReady() const override { return !draining_ && !port_->lost(); }
  bool IsAllowedOrigin(std::string_view origin) const override;
  void OnOpened(WebSocketSession& session) override;
  void OnText(WebSocketSession& session, std::string_view text) override {
    handler_->OnText(session.visitor(), session, text);
  }
  void OnBinary(WebSocketSession& session) override {
    handler_->OnBinary(session.visitor(), session);
  }
  void OnRoom(WebSocketSession& session) override {
    publisher_.public_feed().Resume(session.visitor().connection_id, publisher_.last_time_us());
  }
  void OnEnding(WebSocketSession& session) override {
    handler_->OnLogonEnded(session.visitor());
    publisher_.RemoveConnection(session.visitor().connection_id);
  }
  void OnGone(WebSocketSession& session, std::string_view why) override;

 private:
  // ---- Connections ----
  void OnAccepted(asio::ip::tcp::socket socket, bool on_admin);
  ConnectionCounter& CounterOf(bool on_admin) {
    return on_admin ? admin_connections_ : client_connections_;
  }
  void EndAll(CloseCode code);

  // ---- The engine ----
  void WaitForBatches();
  void TakeBatches();
  void OnPortLost();

  // ---- Time ----
  void ScheduleSweep();
  void Sweep();

  // ---- Draining ----
  void BeginDrain(int64_t deadline_micros);
  void ContinueDrain();

  // The first member is destroyed last: what waits in the loop holds sessions.
  asio::io_context io_{1};
  const Options options_;
  const Catalogue catalogue_;
  const SystemClock real_clock_;
  const MonotonicClock monotonic_clock_;
  Publisher publisher_;
  SharedBudgets budgets_;
  std::unique_ptr<engine::EnginePort> port_;
  std::unique_ptr<RequestHandler> handler_;
  std::unique_ptr<Listener> listener_;
  std::unique_ptr<Listener> admin_listener_;
  asio::posix::stream_descriptor ready_;  // the port's ReadyFd
  asio::steady_timer sweep_timer_;
  absl::flat_hash_map<uint64_t, std::shared_ptr<WebSocketSession>> sessions_;
  ConnectionCounter client_connections_, admin_connections_;
  uint64_t last_connection_id_ = 0;
  std::thread thread_;

  bool draining_ = false;
  bool closing_ = false;  // the drain's last part: every connection has been told to end
  int64_t drain_deadline_micros_ = 0;
  std::mutex drained_mutex_;
  std::condition_variable drained_changed_;
  bool drained_ = false;  // guarded by drained_mutex_
};

// ---- Life ----

absl::Status GatewayServer::Impl::OpenListeners() {
  const bool beyond_loopback = options_.allow_plaintext_beyond_loopback;
  auto listener = Listener::Open(io_, options_.listen, beyond_loopback);
  if (!listener.ok()) return listener.status();
  auto admin_listener = Listener::Open(io_, options_.admin_listen, beyond_loopback);
  if (!admin_listener.ok()) return admin_listener.status();
  listener_ = *std::move(listener);
  admin_listener_ = *std::move(admin_listener);
  return absl::OkStatus();
}

absl::Status GatewayServer::Impl::ApplyReplayed(const engine::DurableBatch& batch) {
  const absl::Status known = CheckCatalogue(catalogue_, batch);
  if (known.ok()) publisher_.Publish(batch);
  return known;
}

absl::Status GatewayServer::Impl::Start(std::unique_ptr<engine::EnginePort> port,
                                        const Clock& market_clock) {
  WARPBOOK_CHECK(port_ == nullptr && port != nullptr);
  port_ = std::move(port);
  // A descriptor of our own: the port closes its one itself.
  const int ready_fd = dup(port_->ReadyFd());
  if (ready_fd < 0) return absl::ErrnoToStatus(errno, "cannot watch the engine's port");
  ready_.assign(ready_fd);
  handler_ = std::make_unique<RequestHandler>(
      options_.server_name, options_.limits, publisher_, *port_,
      GatewayClocks{.real = real_clock_, .monotonic = monotonic_clock_, .market = market_clock},
      RequestHandler::Sharing{.budgets = budgets_, .on_drain = options_.on_drain});
  TakeBatches();  // what was published before
  ScheduleSweep();
  listener_->Start([this](asio::ip::tcp::socket socket) { OnAccepted(std::move(socket), false); });
  admin_listener_->Start(
      [this](asio::ip::tcp::socket socket) { OnAccepted(std::move(socket), true); });
  thread_ = std::thread([this] { io_.run(); });
  LogEvent(LogLevel::kInfo, "gateway_started",
           {.detail = absl::StrCat("clients ", this->port(), ", operators ", admin_port())});
  return absl::OkStatus();
}

void GatewayServer::Impl::Stop() {
  if (!thread_.joinable()) return;
  asio::post(io_, [this] {
    listener_->Close();
    admin_listener_->Close();
    error_code ignored;
    ready_.close(ignored);
    sweep_timer_.cancel();
    for (const auto& [id, session] : sessions_) session->Cut("stopped");
    io_.stop();
  });
  thread_.join();
  // What was cut comes to its end: an operation of Beast's that waits inside its stream would keep
  // its session, and so itself, for ever.
  io_.restart();
  while (io_.poll() > 0) continue;
  sessions_.clear();
  port_.reset();
}

// ---- Connections ----

void GatewayServer::Impl::OnAccepted(asio::ip::tcp::socket socket, bool on_admin) {
  error_code error;
  const auto remote = socket.remote_endpoint(error);
  if (error) return;
  const std::string address = remote.address().to_string();
  const ConnectionCounter::Verdict verdict = CounterOf(on_admin).Add(address);
  if (verdict == ConnectionCounter::Verdict::kDrop) return;
  const uint64_t id = ++last_connection_id_;
  auto session = MakeSession(std::move(socket), address,
                             {.connection_id = id,
                              .on_admin = on_admin,
                              .refused = verdict == ConnectionCounter::Verdict::kRefuse,
                              .limits = options_.limits,
                              .host = *this});
  sessions_.emplace(id, session);
  session->Start();
}

bool GatewayServer::Impl::IsAllowedOrigin(std::string_view origin) const {
  return std::ranges::find(options_.allowed_origins, origin) != options_.allowed_origins.end();
}

void GatewayServer::Impl::OnOpened(WebSocketSession& session) {
  publisher_.replier().AddConnection(session.visitor().connection_id, session);
  LogEvent(LogLevel::kInfo, "connection_opened",
           {.connection_id = session.visitor().connection_id, .peer = session.visitor().address});
}

void GatewayServer::Impl::OnGone(WebSocketSession& session, std::string_view why) {
  const uint64_t id = session.visitor().connection_id;
  if (session.was_opened()) {
    LogEvent(LogLevel::kInfo, "connection_closed",
             {.connection_id = id, .peer = session.visitor().address, .detail = why});
  }
  CounterOf(session.visitor().on_admin).Remove(session.visitor().address);
  sessions_.erase(id);
  if (draining_) ContinueDrain();
}

void GatewayServer::Impl::EndAll(CloseCode code) {
  for (const auto& [id, session] : sessions_) session->End(code);
}

// ---- The engine ----

void GatewayServer::Impl::WaitForBatches() {
  ready_.async_wait(asio::posix::stream_descriptor::wait_read, [this](error_code error) {
    if (error) return;
    if (port_->lost()) return OnPortLost();
    uint64_t count = 0;
    // Empty it before polling: what is published from here on makes it readable again.
    [[maybe_unused]] const ssize_t ignored = read(ready_.native_handle(), &count, sizeof count);
    TakeBatches();
  });
}

void GatewayServer::Impl::TakeBatches() {
  for (int i = 0; i < kBatchesPerTurn; ++i) {
    const auto batch = port_->Poll();
    if (batch == nullptr) {
      handler_->GoOn();
      if (draining_) ContinueDrain();
      return WaitForBatches();
    }
    publisher_.Publish(*batch);
  }
  asio::post(io_, [this] { TakeBatches(); });
}

// What was not polled is lost, and so is the state built from it: nothing true can be said any
// more.
void GatewayServer::Impl::OnPortLost() {
  LogEvent(LogLevel::kError, "engine_port_lost");
  handler_->BeginShutdown();
  EndAll(CloseCode::kGoingAway);
  if (options_.on_engine_lost) options_.on_engine_lost();
}

// ---- Time ----

void GatewayServer::Impl::ScheduleSweep() {
  sweep_timer_.expires_after(kSweepInterval);
  sweep_timer_.async_wait([this](error_code cancelled) {
    if (cancelled) return;
    Sweep();
    ScheduleSweep();
  });
}

void GatewayServer::Impl::Sweep() {
  const int64_t now = MonotonicMicros();
  for (const auto& [id, session] : sessions_) session->Sweep(now);
  publisher_.replier().AnswerOverdue(now);
  handler_->GoOn();
  if (draining_) ContinueDrain();
}

// ---- Draining ----

void GatewayServer::Impl::Drain(std::chrono::milliseconds deadline) {
  if (!thread_.joinable()) return;
  const int64_t deadline_micros =
      MonotonicMicros() + std::chrono::duration_cast<std::chrono::microseconds>(deadline).count();
  asio::post(io_, [this, deadline_micros] { BeginDrain(deadline_micros); });
  std::unique_lock lock(drained_mutex_);
  drained_changed_.wait_for(lock, deadline, [this] { return drained_; });
}

void GatewayServer::Impl::BeginDrain(int64_t deadline_micros) {
  if (draining_) return;
  draining_ = true;
  drain_deadline_micros_ = deadline_micros;
  listener_->Close();
  handler_->BeginDrain();
  LogEvent(LogLevel::kInfo, "drain_started", {.count = static_cast<int64_t>(sessions_.size())});
  const int64_t reconnect_by = real_clock_.NowMicros() + deadline_micros - MonotonicMicros();
  for (const auto& [id, session] : sessions_) {
    session->Send(ShutdownNotice(session->encoding(), reconnect_by));
  }
  ContinueDrain();
}

void GatewayServer::Impl::ContinueDrain() {
  Replier& replier = publisher_.replier();
  const int64_t closing_micros =
      drain_deadline_micros_ -
      std::chrono::duration_cast<std::chrono::microseconds>(kClosingTime).count();
  const bool answered = replier.pending().size() == 0 && handler_->idle();
  if (!closing_ && (answered || MonotonicMicros() >= closing_micros)) {
    closing_ = true;
    replier.AnswerAllUnknown();
    EndAll(CloseCode::kGoingAway);
  }
  if (!closing_ || !sessions_.empty()) return;
  const std::lock_guard lock(drained_mutex_);
  drained_ = true;
  drained_changed_.notify_all();
}

// ---- GatewayServer ----

GatewayServer::GatewayServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
GatewayServer::~GatewayServer() = default;

absl::StatusOr<std::unique_ptr<GatewayServer>> GatewayServer::Create(Options options,
                                                                     Catalogue catalogue) {
  auto impl = std::make_unique<Impl>(std::move(options), std::move(catalogue));
  const absl::Status status = impl->OpenListeners();
  if (!status.ok()) return status;
  return std::unique_ptr<GatewayServer>(new GatewayServer(std::move(impl)));
}

absl::Status GatewayServer::RestoreMarket(std::span<const std::byte> market) {
  return impl_->RestoreMarket(market);
}

absl::Status GatewayServer::ApplyReplayed(const engine::DurableBatch& batch) {
  return impl_->ApplyReplayed(batch);
}
absl::Status GatewayServer::Start(std::unique_ptr<engine::EnginePort> port,
                                  const Clock& market_clock) {
  return impl_->Start(std::move(port), market_clock);
}
void GatewayServer::Drain(std::chrono::milliseconds deadline) { impl_->Drain(deadline); }
void GatewayServer::Stop() { impl_->Stop(); }
uint16_t GatewayServer::port() const { return impl_->port(); }
uint16_t GatewayServer::admin_port() const { return impl_->admin_port(); }

}  // namespace warpbook::gateway
