#include "tests/gateway/support/history_pages.h"

namespace warpbook::gateway {

std::unique_ptr<engine::HistoryPage> PageOf(
    std::span<const std::shared_ptr<const engine::DurableBatch>> batches,
    const engine::HistoryRequest& request) {
  auto page = std::make_unique<engine::HistoryPage>();
  page->id = request.id;
  uint64_t too_old = 0;
  // The cause of an event, looked up by what both are about.
  wire::RecordView trade, settled;
  Timestamp time;
  for (const auto& batch : batches) {
    for (const wire::RecordView record : wire::Records(batch->records)) {
      if (wire::IsCommand(record.type())) {
        time = Timestamp(record.command_header().time_us());
        trade = settled = {};
        continue;
      }
      if (record.type() == wire::RecordType::kTradeExecuted) trade = record;
      if (record.type() == wire::RecordType::kLeaseSettled) settled = record;
      const wire::EventHeader& header = record.event_header();
      const uint64_t sequence = header.account_sequence();
      if (header.account_id() != request.account.value() || sequence == 0) continue;
      if (time < request.from_time) too_old = sequence;
      if (sequence <= request.after_account_sequence || page->events.size() == request.events_max) {
        continue;
      }
      const bool of_trade = record.type() == wire::RecordType::kOrderFilled ||
                            record.type() == wire::RecordType::kLeaseResold;
      const bool of_lease = record.type() == wire::RecordType::kLeaseChanged;
      page->Add(time.micros(), record, of_trade ? trade : of_lease ? settled : wire::RecordView());
    }
  }
  if (too_old > request.after_account_sequence) {
    page->status = absl::OutOfRangeError("too old");
    page->oldest_account_sequence = too_old + 1;
  }
  return page;
}

}  // namespace warpbook::gateway
