// Instruments: (hardware class, region, delivery window), open from their command to their close.
// An instrument whose window is over is gone; that its id is known still shows from the count.
#pragma once

#include <cstdint>
#include <memory>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/container/btree_set.h"
#include "engine/core/order_book.h"
#include "schema/types/ids.h"
#include "schema/types/timestamp.h"

namespace warpbook::engine {

struct Instrument {
  Instrument(const PriceGrid& grid, Timestamp start, Minutes minutes, int32_t notice,
             LadderMemory& memory)
      : window_start(start),
        window_end(start.PlusMinutes(minutes.value())),
        window_minutes(minutes),
        notice_seconds(notice),
        whole_until(start.PlusSeconds(-notice)),
        book(grid, memory) {}

  InstrumentId id;
  ClassId class_id;
  RegionId region_id;
  const Timestamp window_start, window_end;
  const Minutes window_minutes;
  const int32_t notice_seconds;
  const Timestamp whole_until;  // a fill up to then delivers the whole window
  Timestamp gate;  // when trading ends; at least the notice and one minute before the window's end
  InstrumentState state = InstrumentState::kOpen;
  OrderBook book;
  std::vector<LeaseId> leases;  // ascending

  const PriceGrid& grid() const { return book.grid(); }
  // When a fill at `now` begins to deliver: the first whole minute after the notice.
  Timestamp DeliveryStart(Timestamp now) const {
    if (now <= whole_until) return window_start;
    return now.PlusSeconds(notice_seconds).CeilToMinute();
  }
  // Whole minutes that a fill at `now` delivers. At least 1 before the gate.
  Minutes MinutesAt(Timestamp now) const {
    if (now <= whole_until) [[likely]]
      return window_minutes;
    return Minutes(static_cast<int32_t>(Timestamp::MinutesBetween(DeliveryStart(now), window_end)));
  }
  // When the resale of its leases ends: up to then a fill delivers just the minutes that the lease
  // does.
  Timestamp ResaleEnd() const { return window_start.PlusSeconds(-int64_t{notice_seconds}); }
};

// What a command may open: the prices and times of an instrument.
bool PricesAreConsistent(Price tick, Price band_low, Price band_high);
// Start, end and gate in whole minutes.
bool TimesAreConsistent(Timestamp start, int32_t minutes, int32_t notice_seconds,
                        int32_t gate_minutes);

// Times that commands may name; far enough from the ends of 64 bits that sums with the engine's
// own spans cannot overflow.
inline constexpr Timestamp kLatestTime = Timestamp(int64_t{1} << 60);

class Instruments {
 public:
  // Those whose window is not over yet.
  Instrument* Find(InstrumentId id) {
    const size_t place = id.value() - first_known_;
    return place < known_.size() ? known_[place] : nullptr;
  }
  // Whether there is, or once was, such an instrument.
  bool IsKnown(InstrumentId id) const { return bool{id} && id.value() <= opened_; }
  // An instrument of this class and region whose window shares a minute with [start, end).
  const Instrument* FindOverlap(ClassId class_id, RegionId region_id, Timestamp start,
                                Timestamp end) const;

  // Gives it the next id. Its class, region and times must be set.
  Instrument& Add(std::unique_ptr<Instrument> instrument);
  // For a restored engine: the ids up to this one that were not given yet are of instruments that
  // are closed.
  void PassOver(uint32_t id);
  void Erase(Instrument& instrument);

  // The gates that have not closed yet, by time.
  absl::btree_set<std::pair<Timestamp, InstrumentId>>& gates() { return gates_; }

  // Ascending by id.
  const absl::btree_map<InstrumentId, std::unique_ptr<Instrument>>& all() const { return by_id_; }
  uint32_t opened() const { return opened_; }

 private:
  // Gives back the places of those that are closed and come before all others.
  void ForgetClosed();

  using WindowKey = std::tuple<ClassId, RegionId, Timestamp>;  // window start
  uint32_t opened_ = 0;
  // The same by id - first_known_, null where it is closed. Windows close much as they open.
  uint32_t first_known_ = 1;
  std::vector<Instrument*> known_;
  absl::btree_map<InstrumentId, std::unique_ptr<Instrument>> by_id_;
  absl::btree_map<WindowKey, Instrument*> by_window_;
  absl::btree_set<std::pair<Timestamp, InstrumentId>> gates_;
};

}  // namespace warpbook::engine
