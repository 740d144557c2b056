#include "gateway/net/worker.h"

#include <unistd.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <chrono>
#include <utility>

#include "gateway/publish/catalogue_check.h"
#include "gateway/publish/http_api.h"
#include "gateway/publish/market_snapshot.h"
#include "schema/base/check.h"
#include "schema/base/log.h"

namespace warpbook::gateway {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;

// How often the sessions are gone through, and how often each is looked at in the most leisurely
// case: with many connections they do not all come at once.
constexpr std::chrono::milliseconds kSweepInterval(100);
constexpr int64_t kSweepEachMicrosMax = 1'000'000;
// Batches taken in one turn of the I/O loop, so that sockets get theirs.
constexpr int kBatchesPerTurn = 16;
// The engine ticks once a second: without a batch for so long, the journal or the engine stands.
constexpr int64_t kBehindMicros = 5'000'000;
// A connection's replies out of so many leave together.
constexpr int kBatchesPerFlush = 4;
// The last part of a drain's time is for the closing handshakes.
constexpr int64_t kClosingMicros = 500'000;

// So that a timeout is kept to an eighth.
int64_t SweepEachMicros(const GatewayLimits& limits) {
  const int64_t shortest = std::min(
      {limits.handshake_timeout_micros, limits.idle_timeout_micros / 2, limits.write_stall_micros,
       limits.close_timeout_micros, limits.send_queue_age_max_micros});
  return std::min(shortest / 8, kSweepEachMicrosMax);
}

JsonObject FieldsOf(const Visitor& visitor) {
  return JsonObject()
      .Integer("conn_id", static_cast<int64_t>(visitor.connection_id))
      .Text("peer", visitor.address);
}

// Settlement's answer as ours; while it is away, what is said then.
HttpAnswer OfSettlement(const SettlementReports::Answer& answer, HttpAnswer while_away) {
  if (answer.status == 200) return {.status = 200, .body = answer.body};
  if (answer.status != 400) return while_away;
  ApiAnswer refused = RefuseSupplyDate();
  return {.status = refused.status, .body = std::move(refused.body)};
}

}  // namespace

// ---- Life ----

Worker::Worker(const WorkerContext& context)
    : context_(context),
      limits_(context.options.limits),
      thread_state_(limits_),
      publisher_(context.catalogue, thread_state_.real_clock(), limits_.recent_events),
      market_data_(io_, thread_state_, publisher_),
      metrics_(context.metrics),
      ready_(io_),
      sweep_timer_(io_),
      sweep_each_micros_(SweepEachMicros(limits_)),
      mailbox_(std::make_shared<Mailbox>()) {
  mailbox_->io = &io_;
}

absl::Status Worker::OpenListeners() {
  const GatewayServer::Options& options = context_.options;
  auto listener = Listener::Open(io_, options.listen,
                                 context_.tls != nullptr || options.allow_plaintext_beyond_loopback,
                                 /*shares_port=*/options.io_threads > 1);
  if (!listener.ok()) return listener.status();
  auto admin_listener =
      Listener::Open(io_, options.admin_listen,
                     context_.admin_tls != nullptr || options.allow_plaintext_beyond_loopback,
                     /*shares_port=*/false);
  if (!admin_listener.ok()) return admin_listener.status();
  listener_ = *std::move(listener);
  admin_listener_ = *std::move(admin_listener);
  market_metrics_ = std::make_unique<MarketMetrics>(context_.metrics, context_.catalogue);
  return absl::OkStatus();
}

absl::Status Worker::OpenListenerBeside(const Worker& first) {
  auto listener = Listener::OpenBeside(io_, *first.listener_);
  if (!listener.ok()) return listener.status();
  listener_ = *std::move(listener);
  return absl::OkStatus();
}

absl::Status Worker::RestoreMarket(std::span<const std::byte> market) {
  return ReadMarket(market, publisher_);
}

absl::Status Worker::ApplyReplayed(const engine::DurableBatch& batch) {
  const absl::Status known = CheckCatalogue(context_.catalogue, batch);
  if (known.ok()) publisher_.Publish(batch);
  return known;
}

absl::Status Worker::Prepare(std::unique_ptr<engine::EnginePort> port, const Clock& market_clock) {
  WARPBOOK_CHECK(port_ == nullptr && port != nullptr);
  port_ = std::move(port);
  // A descriptor of our own: the port closes its one itself.
  const int ready_fd = dup(port_->ReadyFd());
  if (ready_fd < 0) return absl::ErrnoToStatus(errno, "cannot watch the engine's port");
  ready_.assign(ready_fd);
  handler_ = std::make_unique<RequestHandler>(
      context_.options.server_name, limits_, context_.admission, publisher_, *port_,
      context_.probes,
      GatewayClocks{.real = thread_state_.real_clock(),
                    .monotonic = thread_state_.monotonic_clock(),
                    .market = market_clock},
      RequestHandler::Role{.is_first = admin_listener_ != nullptr,
                           .on_drain = context_.options.on_drain,
                           .post = [this, mailbox = mailbox_](std::function<void()> act) {
                             const std::lock_guard lock(mailbox->mutex);
                             if (mailbox->io == nullptr) return;
                             asio::post(*mailbox->io, [this, act = std::move(act)] {
                               thread_state_.BeginTurn();
                               act();
                             });
                           }});
  last_batch_micros_ = MonotonicMicros();
  TakeBatches();  // what was published before
  ScheduleSweep();
  listener_->Start([this](asio::ip::tcp::socket socket) { OnAccepted(std::move(socket), false); });
  if (admin_listener_ != nullptr) {
    admin_listener_->Start(
        [this](asio::ip::tcp::socket socket) { OnAccepted(std::move(socket), true); });
    metrics_.SetReady(true);
  }
  return absl::OkStatus();
}

void Worker::Run() {
  thread_ = std::thread([this] {
    BlockBrokenPipeSignal();
    io_.run();
  });
}

void Worker::Stop() {
  if (!thread_.joinable()) return;
  asio::post(io_, [this] {
    listener_->Close();
    if (admin_listener_ != nullptr) admin_listener_->Close();
    error_code ignored;
    ready_.close(ignored);
    sweep_timer_.cancel();
    market_data_.Stop();
    for (const auto& [id, connection] : connections_) connection.session->Cut("stopped");
    io_.stop();
  });
  thread_.join();
  {
    const std::lock_guard lock(mailbox_->mutex);
    mailbox_->io = nullptr;
  }
  // What was cut comes to its end: an operation that waits holds its session.
  io_.restart();
  while (io_.poll() > 0) continue;
  thread_state_.to_flush.clear();
  connections_.clear();
  port_.reset();
}

// ---- Connections ----

void Worker::OnAccepted(asio::ip::tcp::socket socket, bool on_admin) {
  error_code error;
  const auto remote = socket.remote_endpoint(error);
  if (error) return;
  const std::string address = remote.address().to_string();
  const SharedAdmission::Arrival arrival = context_.admission.AddConnection(address, on_admin);
  if (arrival.verdict != ConnectionCounter::Verdict::kServe) {
    metrics_.OnConnectionRefused(arrival.verdict == ConnectionCounter::Verdict::kDrop);
  }
  if (arrival.verdict == ConnectionCounter::Verdict::kDrop) return;
  const TlsContext* tls = (on_admin ? context_.admin_tls : context_.tls).get();
  auto session = std::make_shared<Session>(
      std::move(socket), address,
      SessionOptions{.connection_id = arrival.connection_id,
                     .on_admin = on_admin,
                     .refused = arrival.verdict == ConnectionCounter::Verdict::kRefuse,
                     .allow_deflate = context_.options.allow_deflate,
                     .tls = tls,
                     .limits = limits_,
                     .host = *this,
                     .thread = thread_state_});
  connections_.emplace(
      arrival.connection_id,
      Connection{.session = session, .next_sweep_micros = MonotonicMicros() + sweep_each_micros_});
  metrics_.OnConnected(on_admin);
  session->Start();
}

bool Worker::IsBehind() const { return MonotonicMicros() - last_batch_micros_ > kBehindMicros; }

bool Worker::IsAllowedOrigin(std::string_view origin) const {
  const auto& allowed = context_.options.allowed_origins;
  return std::ranges::find(allowed, origin) != allowed.end();
}

int64_t Worker::WaitForHttp(const std::string& peer) {
  return context_.admission.TakeHttpRequest(peer, MonotonicMicros());
}

std::optional<HttpAnswer> Worker::OnHttpGet(std::string_view target, uint64_t connection_id) {
  publisher_.PublishMarketData();  // so that the book is that of its sequence
  market_data_.OnBroadcast();
  ApiAnswer answer = AnswerApi(target, publisher_);
  HttpAnswer now{.status = answer.status, .body = std::move(answer.body)};
  if (answer.settlement_target.empty() || context_.settlement == nullptr) return now;
  const auto known = context_.settlement->Ask(
      answer.settlement_target,
      [this, connection_id, now](const SettlementReports::SharedAnswer& brought) {
        asio::post(io_, [this, connection_id, now, brought] {
          OnSettlementAnswer(connection_id, *brought, now);
        });
      });
  if (known == nullptr) return HttpAnswer{.body = {}, .later = true};
  return OfSettlement(*known, std::move(now));
}

void Worker::OnSettlementAnswer(uint64_t connection_id, const SettlementReports::Answer& answer,
                                HttpAnswer while_away) {
  AnswerLater(connection_id, OfSettlement(answer, std::move(while_away)));
}

bool Worker::AskMetrics(uint64_t connection_id) {
  return context_.metrics_desk.Ask([this, connection_id](std::string text) {
    asio::post(io_, [this, connection_id, text = std::move(text)]() mutable {
      AnswerLater(connection_id,
                  {.status = 200, .body = std::move(text), .content_type = kMetricsContentType});
    });
  });
}

void Worker::AnswerLater(uint64_t connection_id, const HttpAnswer& answer) {
  const auto found = connections_.find(connection_id);
  if (found == connections_.end()) return;
  thread_state_.BeginTurn();
  found->second.session->AnswerLater(answer);
  thread_state_.FlushAll();
}

void Worker::CountQueued(Connection& connection, size_t bytes) {
  const auto more = static_cast<int64_t>(bytes) - static_cast<int64_t>(connection.queued_bytes);
  if (more != 0) metrics_.AddQueuedBytes(more);
  connection.queued_bytes = bytes;
}

void Worker::OnOpened(Session& session) {
  const Visitor& visitor = session.visitor();
  publisher_.AddConnection(visitor.connection_id, session);
  Log(LogLevel::kInfo, "connection_opened", FieldsOf(visitor));
}

void Worker::OnText(Session& session, std::string_view text) {
  handler_->OnText(session.visitor(), session, text);
  market_data_.OnBroadcast();
}

void Worker::OnBinary(Session& session, std::string_view bytes) {
  handler_->OnBinary(session.visitor(), session, bytes);
  market_data_.OnBroadcast();
}

void Worker::OnRoom(Session& session) {
  publisher_.PublishMarketData();
  market_data_.OnBroadcast();
  publisher_.public_feed().Resume(session.visitor().connection_id, publisher_.last_time_us());
  handler_->OnRoom(session.visitor().connection_id);
}

void Worker::OnEnding(Session& session) {
  publisher_.RemoveConnection(session.visitor().connection_id);
  handler_->RemoveConnection(session.visitor().connection_id);
  handler_->OnLogonEnded(session.visitor());
}

void Worker::OnLogonEnded(Session& session) { handler_->OnLogonEnded(session.visitor()); }

void Worker::OnGone(Session& session, std::string_view why) {
  const Visitor& visitor = session.visitor();
  const uint64_t id = visitor.connection_id;
  if (session.was_opened()) {
    Log(LogLevel::kInfo, "connection_closed", FieldsOf(visitor).Text("detail", why));
  }
  if (why == RejectReasonCode(RejectReason::kSlowConsumer) || why == kWriteStall) {
    metrics_.OnSlowConsumer();
  }
  metrics_.OnGone(visitor.on_admin);
  context_.admission.RemoveConnection(visitor.address, visitor.on_admin);
  const auto connection = connections_.find(id);
  CountQueued(connection->second, 0);
  connections_.erase(connection);
  if (draining_) ContinueDrain();
}

void Worker::EndAll(CloseCode code) {
  publisher_.PublishMarketData();
  publisher_.DeliverAll();
  for (const auto& [id, connection] : connections_) connection.session->End(code);
  thread_state_.FlushAll();
}

// ---- The engine ----

void Worker::WaitForBatches() {
  ready_.async_wait(asio::posix::stream_descriptor::wait_read, [this](error_code error) {
    if (error) return;
    if (port_->lost()) return OnPortLost();
    uint64_t count = 0;
    // Empty it before polling: what is published from here on makes it readable again.
    [[maybe_unused]] const ssize_t ignored = read(ready_.native_handle(), &count, sizeof count);
    TakeBatches();
  });
}

void Worker::TakeBatches() {
  for (int i = 0; i < kBatchesPerTurn; ++i) {
    thread_state_.BeginTurn();
    const auto batch = port_->Poll();
    if (batch == nullptr) {
      market_data_.OnChange();
      handler_->OnHistory();
      handler_->GoOn();
      thread_state_.FlushAll();
      if (draining_) ContinueDrain();
      return WaitForBatches();
    }
    last_batch_micros_ = thread_state_.now_micros();
    publisher_.Take(*batch);
    if (market_metrics_ != nullptr) market_metrics_->OnBatch(*batch, publisher_.state());
    // Not at the end alone: who waits for the first batch is not to wait for the last.
    if ((i + 1) % kBatchesPerFlush == 0) thread_state_.FlushAll();
  }
  market_data_.OnChange();
  asio::post(io_, [this] { TakeBatches(); });
}

// What was not polled is lost, and so is the state built from it: nothing true can be said any
// more.
void Worker::OnPortLost() {
  Log(LogLevel::kError, "engine_port_lost");
  metrics_.SetReady(false);
  handler_->BeginShutdown();
  EndAll(CloseCode::kGoingAway);
  context_.on_engine_lost();
}

// ---- Time ----

void Worker::ScheduleSweep() {
  sweep_timer_.expires_after(kSweepInterval);
  sweep_timer_.async_wait([this](error_code cancelled) {
    if (cancelled) return;
    Sweep();
    ScheduleSweep();
  });
}

void Worker::Sweep() {
  thread_state_.BeginTurn();
  const int64_t now = thread_state_.now_micros();
  for (auto& [id, connection] : connections_) {
    if (now < connection.next_sweep_micros) continue;
    connection.next_sweep_micros = now + sweep_each_micros_;
    connection.session->Sweep(now);
    CountQueued(connection, connection.session->queued_bytes());
  }
  metrics_.Take(publisher_.tally());
  if (market_metrics_ != nullptr) {
    market_metrics_->Look(publisher_.state());
    metrics_.SetReady(IsReady() && !IsBehind());
  }
  publisher_.replier().AnswerOverdue(now);
  publisher_.Tick(now);
  market_data_.OnBroadcast();
  handler_->GoOn();
  thread_state_.FlushAll();
  if (draining_) ContinueDrain();
}

// ---- Draining ----

void Worker::BeginDrain(int64_t deadline_micros) {
  asio::post(io_, [this, deadline_micros] { OnDrain(deadline_micros); });
}

void Worker::OnDrain(int64_t deadline_micros) {
  thread_state_.BeginTurn();
  if (draining_) return;
  draining_ = true;
  drain_deadline_micros_ = deadline_micros;
  listener_->Close();
  handler_->BeginDrain();
  metrics_.SetReady(false);
  Log(LogLevel::kInfo, "drain_started",
      JsonObject().Integer("count", static_cast<int64_t>(connections_.size())));
  const int64_t reconnect_by =
      thread_state_.real_clock().NowMicros() + deadline_micros - MonotonicMicros();
  publisher_.AnnounceShutdown(reconnect_by);
  publisher_.DeliverAll();
  thread_state_.FlushAll();
  ContinueDrain();
}

void Worker::ContinueDrain() {
  Replier& replier = publisher_.replier();
  const bool answered = replier.pending().size() == 0 && handler_->idle();
  if (!closing_ && (answered || MonotonicMicros() >= drain_deadline_micros_ - kClosingMicros)) {
    closing_ = true;
    replier.AnswerAllUnknown();
    EndAll(CloseCode::kGoingAway);
  }
  if (!closing_ || !connections_.empty() || std::exchange(drained_, true)) return;
  context_.on_drained();
}

}  // namespace warpbook::gateway
