#include "gateway/net/server.h"

#include <condition_variable>
#include <mutex>
#include <utility>

#include "absl/strings/str_cat.h"
#include "gateway/admission/shared_admission.h"
#include "gateway/net/monotonic_time.h"
#include "gateway/net/worker.h"
#include "schema/base/check.h"
#include "schema/base/log.h"

namespace warpbook::gateway {
class GatewayServer::Impl {
 public:
  Impl(Options options, Catalogue catalogue)
      : options_(std::move(options)),
        catalogue_(std::move(catalogue)),
        admission_(options_.limits),
        settlement_(options_.settlement.empty()
                        ? nullptr
                        : std::make_unique<SettlementReports>(
                              SettlementReports::Options{.address = options_.settlement})),
        probes_(catalogue_, options_.probes),
        metrics_(options_.metrics != nullptr ? *options_.metrics : own_metrics_),
        metrics_desk_(std::make_unique<MetricsDesk>(metrics_)),
        context_{.options = options_,
                 .catalogue = catalogue_,
                 .admission = admission_,
                 .tls = nullptr,
                 .admin_tls = nullptr,
                 .settlement = settlement_.get(),
                 .probes = probes_,
                 .metrics = metrics_,
                 .metrics_desk = *metrics_desk_,
                 .on_drained = [this] { OnDrained(); },
                 .on_engine_lost = [this] { OnEngineLost(); }} {}

  ~Impl() { Stop(); }

  absl::Status LoadTls();
  absl::Status OpenListeners();
  absl::Status RestoreMarket(std::span<const std::byte> market);
  absl::Status ApplyReplayed(const engine::DurableBatch& batch);
  absl::Status Start(std::vector<std::unique_ptr<engine::EnginePort>> ports,
                     const Clock& market_clock);
  void Drain(std::chrono::milliseconds deadline);
  void Stop();
  uint16_t port() const { return workers_.front()->port(); }
  uint16_t admin_port() const { return workers_.front()->admin_port(); }

 private:
  // On a worker's thread.
  void OnDrained();
  void OnEngineLost();

  const Options options_;
  const Catalogue catalogue_;
  SharedAdmission admission_;
  std::unique_ptr<SettlementReports> settlement_;  // null: nobody is asked
  SharedProbes probes_;
  Metrics own_metrics_;  // where nobody has given any
  Metrics& metrics_;
  std::unique_ptr<MetricsDesk> metrics_desk_;
  WorkerContext context_;
  std::once_flag engine_lost_;
  std::mutex drained_mutex_;
  std::condition_variable drained_changed_;
  size_t drained_ = 0;  // workers; guarded by drained_mutex_

  // Destroyed first: their threads use all of the above.
  std::vector<std::unique_ptr<Worker>> workers_;
  bool running_ = false;
};

absl::Status GatewayServer::Impl::LoadTls() {
  for (const auto& [files, context] : {std::pair(&options_.tls, &context_.tls),
                                       std::pair(&options_.admin_tls, &context_.admin_tls)}) {
    if (!files->has_value()) continue;
    auto loaded = TlsContext::Load(**files);
    if (!loaded.ok()) return loaded.status();
    *context = *std::move(loaded);
  }
  return absl::OkStatus();
}

absl::Status GatewayServer::Impl::OpenListeners() {
  if (options_.io_threads < 1 || options_.io_threads > kIoThreadsMax) {
    return absl::InvalidArgumentError(
        absl::StrCat(options_.io_threads, " I/O threads: there are 1 to ", kIoThreadsMax));
  }
  for (uint32_t i = 0; i < options_.io_threads; ++i) {
    auto worker = std::make_unique<Worker>(context_);
    const absl::Status opened =
        i == 0 ? worker->OpenListeners() : worker->OpenListenerBeside(*workers_.front());
    if (!opened.ok()) return opened;
    workers_.push_back(std::move(worker));
  }
  return absl::OkStatus();
}

absl::Status GatewayServer::Impl::RestoreMarket(std::span<const std::byte> market) {
  // The bytes are good for all or for none.
  for (const auto& worker : workers_) {
    const absl::Status restored = worker->RestoreMarket(market);
    if (!restored.ok()) return restored;
  }
  return absl::OkStatus();
}

absl::Status GatewayServer::Impl::ApplyReplayed(const engine::DurableBatch& batch) {
  for (const auto& worker : workers_) {
    const absl::Status applied = worker->ApplyReplayed(batch);
    if (!applied.ok()) return applied;
  }
  return absl::OkStatus();
}

absl::Status GatewayServer::Impl::Start(std::vector<std::unique_ptr<engine::EnginePort>> ports,
                                        const Clock& market_clock) {
  WARPBOOK_CHECK(ports.size() == workers_.size());
  for (size_t i = 0; i < workers_.size(); ++i) {
    const absl::Status prepared = workers_[i]->Prepare(std::move(ports[i]), market_clock);
    if (!prepared.ok()) return prepared;
  }
  for (const auto& worker : workers_) worker->Run();
  running_ = true;
  Log(LogLevel::kInfo, "gateway_started",
      JsonObject()
          .Integer("port", port())
          .Integer("admin_port", admin_port())
          .Integer("threads", static_cast<int64_t>(workers_.size())));
  return absl::OkStatus();
}

void GatewayServer::Impl::Stop() {
  for (const auto& worker : workers_) worker->Stop();
  settlement_.reset();  // what it still brings is the workers'
  metrics_desk_.reset();
  running_ = false;
}

void GatewayServer::Impl::Drain(std::chrono::milliseconds deadline) {
  if (!running_) return;
  const int64_t deadline_micros =
      MonotonicMicros() + std::chrono::duration_cast<std::chrono::microseconds>(deadline).count();
  for (const auto& worker : workers_) worker->BeginDrain(deadline_micros);
  std::unique_lock lock(drained_mutex_);
  drained_changed_.wait_for(lock, deadline, [this] { return drained_ == workers_.size(); });
}

void GatewayServer::Impl::OnDrained() {
  const std::lock_guard lock(drained_mutex_);
  ++drained_;
  drained_changed_.notify_all();
}

void GatewayServer::Impl::OnEngineLost() {
  std::call_once(engine_lost_, [this] {
    if (options_.on_engine_lost) options_.on_engine_lost();
  });
}

// ---- GatewayServer ----

GatewayServer::GatewayServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
GatewayServer::~GatewayServer() = default;

absl::StatusOr<std::unique_ptr<GatewayServer>> GatewayServer::Create(Options options,
                                                                     Catalogue catalogue) {
  auto impl = std::make_unique<Impl>(std::move(options), std::move(catalogue));
  absl::Status status = impl->LoadTls();
  if (status.ok()) status = impl->OpenListeners();
  if (!status.ok()) return status;
  return std::unique_ptr<GatewayServer>(new GatewayServer(std::move(impl)));
}

absl::Status GatewayServer::RestoreMarket(std::span<const std::byte> market) {
  return impl_->RestoreMarket(market);
}
absl::Status GatewayServer::ApplyReplayed(const engine::DurableBatch& batch) {
  return impl_->ApplyReplayed(batch);
}
absl::Status GatewayServer::Start(std::vector<std::unique_ptr<engine::EnginePort>> ports,
                                  const Clock& market_clock) {
  return impl_->Start(std::move(ports), market_clock);
}
void GatewayServer::Drain(std::chrono::milliseconds deadline) { impl_->Drain(deadline); }
void GatewayServer::Stop() { impl_->Stop(); }
uint16_t GatewayServer::port() const { return impl_->port(); }
uint16_t GatewayServer::admin_port() const { return impl_->admin_port(); }

}  // namespace warpbook::gateway
