#include "engine/service/history.h"

#include <algorithm>

namespace warpbook::engine {
std::unique_ptr<const HistoryPage> History::Answer(const HistoryRequest& request) {
  auto page = std::make_unique<HistoryPage>();
  page->id = request.id;
  absl::StatusOr<OpenReader> open = Find(request, page->oldest_account_sequence);
  if (!open.ok()) {
    page->status = open.status();
    return page;
  }
  const auto take = [&](const journal::AccountEvent& event) {
    page->Add(event.time.micros(), event.record, event.cause);
    open->last = event.record.event_header().account_sequence();
  };
  const journal::AccountReader::Limit limit{
      .events = std::clamp<uint32_t>(request.events_max, 1, kEventsMax)};
  auto progress = journal::AccountReader::Progress::kMore;
  // An empty page would say that there is nothing more.
  while (page->events.empty() && progress == journal::AccountReader::Progress::kMore) {
    const auto read = open->reader->Read(limit, take);
    if (!read.ok()) {
      page->status = read.status();
      return page;
    }
    progress = *read;
  }
  if (readers_.size() >= kReadersMax) readers_.erase(readers_.begin());
  readers_.push_back(*std::move(open));
  return page;
}

absl::StatusOr<History::OpenReader> History::Find(const HistoryRequest& request, uint64_t& oldest) {
  const auto kept = std::ranges::find_if(readers_, [&](const OpenReader& open) {
    return open.account == request.account && open.last == request.after_account_sequence &&
           open.from_time == request.from_time;
  });
  if (kept != readers_.end()) {
    OpenReader open = std::move(*kept);
    readers_.erase(kept);
    return open;
  }
  absl::StatusOr<std::unique_ptr<journal::AccountReader>> reader =
      journal::AccountReader::Open(files_, directory_, request.account,
                                   request.after_account_sequence, request.from_time, &oldest);
  if (!reader.ok()) return reader.status();
  return OpenReader{request.account, request.from_time, request.after_account_sequence,
                    *std::move(reader)};
}

}  // namespace warpbook::engine
