#include "gateway/publish/history_queries.h"

#include <utility>

namespace warpbook::gateway {

uint64_t HistoryQueries::Ask(engine::HistoryRequest request, OnPage on_page) {
  request.id = ++last_id_;
  asked_.emplace(request.id, std::move(on_page));
  held_back_.push_back(request);
  AskHeldBack();
  return request.id;
}

void HistoryQueries::Cancel(uint64_t id) { asked_.erase(id); }

void HistoryQueries::Poll() {
  while (auto page = port_.PollHistory()) {
    const auto asked = asked_.find(page->id);
    if (asked == asked_.end()) continue;  // cancelled
    const OnPage on_page = std::move(asked->second);
    asked_.erase(asked);
    on_page(std::move(page));
  }
  AskHeldBack();
}

void HistoryQueries::AskHeldBack() {
  while (!held_back_.empty()) {
    const engine::HistoryRequest& request = held_back_.front();
    if (asked_.contains(request.id) && !port_.AskHistory(request)) return;
    held_back_.pop_front();
  }
}

}  // namespace warpbook::gateway
