#include "engine/service/engine_metrics.h"

#include <string>

#include "absl/strings/ascii.h"
#include "engine/core/inspect.h"

namespace warpbook::engine {
namespace {

#define WARPBOOK_X(name, number) static_assert((number) < CommandTally::kTypesMax);
WARPBOOK_COMMANDS(WARPBOOK_X)
#undef WARPBOOK_X

// PlaceOrder: place_order.
std::string Label(wire::RecordType type) {
  std::string label;
  for (const char c : wire::RecordName(type)) {
    if (absl::ascii_isupper(static_cast<unsigned char>(c)) && !label.empty()) label += '_';
    label += absl::ascii_tolower(static_cast<unsigned char>(c));
  }
  return label;
}

}  // namespace

void CommandTally::Add(wire::RecordView record) {
  if (wire::IsCommand(record.type())) {
    // It stands for the command that it refuses.
    const uint16_t type = record.type() == wire::RecordType::kRefuseCommand
                              ? record.as<wire::RefuseCommand>().command_type()
                              : record.header().type;
    if (Count* const count = CountOf(type)) ++count->applied;
  } else if (record.type() == wire::RecordType::kCommandRejected) {
    if (Count* const count = CountOf(record.as<wire::CommandRejected>().command_type())) {
      ++count->rejected;
    }
  }
}

EngineMetrics::EngineMetrics(Metrics& metrics, const ServiceLimits& limits)
    : metrics_(metrics),
      match_duration_(metrics.histogram(Metric::kEngineMatchDuration)),
      sync_duration_(metrics.histogram(Metric::kEngineJournalSyncDuration)),
      resting_bids_(metrics.gauge(Metric::kEngineRestingOrders, {"buy"})),
      resting_asks_(metrics.gauge(Metric::kEngineRestingOrders, {"sell"})),
      queue_depth_(metrics.gauge(Metric::kEngineQueueDepth)),
      sequence_(metrics.gauge(Metric::kEngineSequence)),
      free_bytes_(metrics.gauge(Metric::kEngineJournalFreeBytes)),
      storage_low_(metrics.gauge(Metric::kEngineStorageLow)),
      snapshot_sequence_(metrics.gauge(Metric::kEngineSnapshotSequence)),
      journal_bytes_(metrics.counter(Metric::kEngineJournalBytes)),
      snapshot_failures_(metrics.counter(Metric::kEngineSnapshotFailures)) {
  metrics.gauge(Metric::kEngineQueueCapacity).Set(static_cast<int64_t>(limits.port_commands_max));
}

void EngineMetrics::OnTick(const Engine& engine, size_t queued, HistogramTally& match_duration) {
  match_duration_.Take(match_duration);
  const Inspector inspector(engine);
  resting_bids_.Set(static_cast<int64_t>(inspector.resting_orders(Side::kBuy)));
  resting_asks_.Set(static_cast<int64_t>(inspector.resting_orders(Side::kSell)));
  queue_depth_.Set(static_cast<int64_t>(queued));
  sequence_.Set(static_cast<int64_t>(engine.last_sequence().value()));
}

void EngineMetrics::OnDisk(std::optional<uint64_t> free_bytes, bool storage_low) {
  if (free_bytes) free_bytes_.Set(static_cast<int64_t>(*free_bytes));
  storage_low_.Set(storage_low ? 1 : 0);
}

void EngineMetrics::OnDurable(const DurableBatch& batch, CommandTally& commands, int64_t took_ns) {
  sync_duration_.Observe(took_ns);
  journal_bytes_.Add(batch.records.size());
  for (size_t type = 0; type < CommandTally::kTypesMax; ++type) {
    CommandTally::Count& count = commands.counts()[type];
    if (count.applied == 0) continue;
    Results& results = commands_[type];
    if (!results.accepted) {
      const std::string label = Label(static_cast<wire::RecordType>(type));
      results.accepted = metrics_.counter(Metric::kEngineCommands, {label, "accepted"});
      results.rejected = metrics_.counter(Metric::kEngineCommands, {label, "rejected"});
    }
    results.accepted->Add(count.applied - count.rejected);
    results.rejected->Add(count.rejected);
    count = {};
  }
}

void EngineMetrics::OnSnapshot(Sequence sequence) {
  snapshot_sequence_.Set(static_cast<int64_t>(sequence.value()));
}

}  // namespace warpbook::engine
