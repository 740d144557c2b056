#include "gateway/publish/history_cursor.h"

#include <utility>

#include "schema/base/check.h"

namespace warpbook::gateway {

HistoryCursor::~HistoryCursor() {
  if (question_ != 0) history_.Cancel(question_);
}

// The journal may be ahead of what was published. Nobody asks for that part of a page before it is
// published, and then it is in memory.
std::optional<PrivateEvent> HistoryCursor::Event() {
  std::optional<PrivateEvent> found = recent_.Find(place_.account, place_.next);
  if (found) {
    page_.reset();
    return found;
  }
  while (page_ != nullptr && page_next_ < page_->events.size()) {
    const engine::HistoryPage::Event& event = page_->events[page_next_];
    found = {.record = page_->record(event), .cause = page_->cause(event), .ts_us = event.time_us};
    if (found->sequence() == place_.next) return found;
    ++page_next_;
  }
  page_.reset();
  return std::nullopt;
}

void HistoryCursor::Fetch(OnArrival on_arrival) {
  WARPBOOK_CHECK(question_ == 0);
  question_ = history_.Ask({.account = place_.account,
                            .after_account_sequence = place_.next - 1,
                            .from_time = place_.from_time,
                            .events_max = limits_.page_events},
                           [this, on_arrival = std::move(on_arrival)](auto page) {
                             OnPage(std::move(page), on_arrival);
                           });
}

void HistoryCursor::OnPage(std::unique_ptr<const engine::HistoryPage> page,
                           const OnArrival& on_arrival) {
  question_ = 0;
  ++pages_read_;
  if (absl::IsOutOfRange(page->status)) {
    oldest_ = page->oldest_account_sequence;
    return on_arrival(Arrival::kTooOld);
  }
  // An empty page: the journal lacks what was published.
  if (!page->status.ok() || page->events.empty()) return on_arrival(Arrival::kUnavailable);
  page_ = std::move(page);
  page_next_ = 0;
  on_arrival(Arrival::kPage);
}

}  // namespace warpbook::gateway
