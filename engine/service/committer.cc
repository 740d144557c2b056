#include "engine/service/committer.h"

#include <utility>

namespace warpbook::engine {
namespace {

uint32_t CountEvents(const DurableBatch& batch) {
  uint32_t records = 0;
  for ([[maybe_unused]] const wire::RecordView record : wire::Records(batch.records)) ++records;
  return records - batch.command_count;
}

}  // namespace

Committer::Committer(std::unique_ptr<journal::LogAppender> appender,
                     std::vector<std::shared_ptr<PortState>> ports)
    : appender_(std::move(appender)), ports_(std::move(ports)) {}

absl::Status Committer::Commit(DurableBatch batch) {
  const auto shared = std::make_shared<const DurableBatch>(std::move(batch));
  const absl::Status written =
      appender_->Append({shared->command_count, CountEvents(*shared), shared->records});
  if (!written.ok()) return written;
  // Durable from here on: not earlier may anybody see it.
  for (const std::shared_ptr<PortState>& port : ports_) port->Deliver(shared);
  return absl::OkStatus();
}

}  // namespace warpbook::engine
