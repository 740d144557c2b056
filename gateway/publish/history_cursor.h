// HistoryCursor: goes through one account's private events from a place on, those in memory taken
// from there and older ones from the journal, page by page. What it is at is held, and no more. The
// I/O thread owns it; it is not moved.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>

#include "gateway/admission/limits.h"
#include "gateway/publish/history_queries.h"
#include "gateway/publish/private_event.h"
#include "gateway/publish/recent_events.h"

namespace warpbook::gateway {

class HistoryCursor {
 public:
  enum class Arrival {
    kPage,         // the event is at hand
    kTooOld,       // the journal no longer has it, or it is older than the horizon
    kUnavailable,  // the journal could not be read
  };
  using OnArrival = std::function<void(Arrival)>;

  struct Place {
    AccountId account;
    uint64_t next = 1;    // the event that it is at; from 1
    Timestamp from_time;  // the horizon
  };

  // All that is passed must outlive it.
  HistoryCursor(const RecentEvents& recent, HistoryQueries& history, const HistoryLimits& limits,
                const Place& place)
      : recent_(recent), history_(history), limits_(limits), place_(place) {}
  ~HistoryCursor();
  HistoryCursor(const HistoryCursor&) = delete;
  HistoryCursor& operator=(const HistoryCursor&) = delete;

  uint64_t next() const { return place_.next; }
  void Advance() { ++place_.next; }
  // After kTooOld, to an event that is there.
  void GoTo(uint64_t next) { place_.next = next; }

  // The event `next`; nullopt: it is not at hand. Valid until memory takes in another one.
  std::optional<PrivateEvent> Event();
  // Fetches the event `next`, which is not at hand but which the account has come to. Whoever is
  // called may destroy the cursor.
  void Fetch(OnArrival on_arrival);
  bool is_fetching() const { return question_ != 0; }
  int pages_read() const { return pages_read_; }
  // After kTooOld: the oldest event that is there; 0: none is known.
  uint64_t oldest() const { return oldest_; }

 private:
  void OnPage(std::unique_ptr<const engine::HistoryPage> page, const OnArrival& on_arrival);

  const RecentEvents& recent_;
  HistoryQueries& history_;
  const HistoryLimits& limits_;
  Place place_;
  uint64_t question_ = 0;  // under way; 0: none
  int pages_read_ = 0;
  uint64_t oldest_ = 0;
  std::unique_ptr<const engine::HistoryPage> page_;
  size_t page_next_ = 0;
};

}  // namespace warpbook::gateway
