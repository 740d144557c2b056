#include "engine/service/committer.h"

#include <utility>

namespace warpbook::engine {

Committer::Committer(std::unique_ptr<journal::LogAppender> appender,
                     std::vector<std::shared_ptr<PortState>> ports, EngineMetrics* metrics)
    : appender_(std::move(appender)), ports_(std::move(ports)), metrics_(metrics) {}

absl::Status Committer::Commit(DurableBatch batch) {
  const auto shared = std::make_shared<const DurableBatch>(std::move(batch));
  uint32_t records = 0;
  for (const wire::RecordView record : wire::Records(shared->records)) {
    ++records;
    if (metrics_ != nullptr) commands_.Add(record);
  }
  const uint32_t events = records - shared->command_count;
  const auto begin = std::chrono::steady_clock::now();
  const absl::Status written = appender_->Append({shared->command_count, events, shared->records});
  if (!written.ok()) return written;
  const std::chrono::nanoseconds took = std::chrono::steady_clock::now() - begin;
  // Durable from here on: not earlier may anybody see it.
  for (const std::shared_ptr<PortState>& port : ports_) port->Deliver(shared);
  if (metrics_ != nullptr) metrics_->OnDurable(*shared, commands_, took.count());
  return absl::OkStatus();
}

}  // namespace warpbook::engine
