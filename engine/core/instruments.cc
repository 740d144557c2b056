#include "engine/core/instruments.h"

#include <algorithm>

#include "schema/base/check.h"

namespace warpbook::engine {
namespace {

constexpr int64_t kTickUnit = 1'000;  // micro-USD: 1-market, Money
constexpr int32_t kNoticeSecondsMax = 24 * 60 * 60;

}  // namespace

bool PricesAreConsistent(Price tick, Price band_low, Price band_high) {
  return tick > Price(0) && tick <= kMaxPrice && tick.value() % kTickUnit == 0 &&
         band_low > Price(0) && band_low.value() % tick.value() == 0 && band_high >= band_low &&
         band_high.value() % tick.value() == 0 && band_high <= kMaxPrice;
}

bool TimesAreConsistent(Timestamp start, int32_t minutes, int32_t notice_seconds,
                        int32_t gate_minutes) {
  if (start < Timestamp() || start > kLatestTime) return false;
  if (start.micros() % kMicrosPerMinute != 0) return false;
  if (minutes < 1 || minutes > kMaxWindowMinutes.value()) return false;
  if (notice_seconds < 0 || notice_seconds > kNoticeSecondsMax) return false;
  return gate_minutes <= minutes && gate_minutes >= 1 && gate_minutes * 60 >= notice_seconds + 60;
}

const Instrument* Instruments::FindOverlap(ClassId class_id, RegionId region_id, Timestamp start,
                                           Timestamp end) const {
  // Windows of one class and region never overlap, so only the last that begins before `end` can.
  auto it = by_window_.lower_bound({class_id, region_id, end});
  if (it == by_window_.begin()) return nullptr;
  --it;
  const Instrument* candidate = it->second;
  if (candidate->class_id != class_id || candidate->region_id != region_id) return nullptr;
  return candidate->window_end > start ? candidate : nullptr;
}

Instrument& Instruments::Add(std::unique_ptr<Instrument> instrument) {
  Instrument& added = *instrument;
  added.id = InstrumentId(++opened_);
  by_window_.insert({{added.class_id, added.region_id, added.window_start}, &added});
  if (added.state != InstrumentState::kGateClosed) gates_.insert({added.gate, added.id});
  known_.push_back(&added);
  by_id_.insert({added.id, std::move(instrument)});
  return added;
}

void Instruments::PassOver(uint32_t id) {
  if (known_.empty()) first_known_ = id + 1;
  if (!known_.empty()) known_.resize(id - first_known_ + 1, nullptr);
  opened_ = id;
}

void Instruments::Erase(Instrument& instrument) {
  WARPBOOK_CHECK(instrument.state == InstrumentState::kGateClosed);
  WARPBOOK_CHECK(instrument.book.order_count(Side::kBuy) == 0);
  WARPBOOK_CHECK(instrument.book.order_count(Side::kSell) == 0);
  by_window_.erase({instrument.class_id, instrument.region_id, instrument.window_start});
  known_[instrument.id.value() - first_known_] = nullptr;
  ForgetClosed();
  by_id_.erase(instrument.id);
}

void Instruments::ForgetClosed() {
  const auto first = std::ranges::find_if(known_, [](Instrument* i) { return i != nullptr; });
  // Now and then, so that each is moved a few times at most.
  if ((first - known_.begin()) * 2 < static_cast<ptrdiff_t>(known_.size())) return;
  first_known_ += static_cast<uint32_t>(first - known_.begin());
  known_.erase(known_.begin(), first);
}

}  // namespace warpbook::engine
