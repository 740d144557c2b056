// ByInstrument: what an account or a node has in each window, ascending by instrument. Most have
// something in a few windows, and ask for the same one again: the one found last is tried first.
#pragma once

#include <algorithm>
#include <boost/container/small_vector.hpp>
#include <cstddef>

#include "schema/types/ids.h"

namespace warpbook::engine {

template <typename Value>
class ByInstrument {
 public:
  struct Entry {
    InstrumentId instrument;
    Value value;
    friend bool operator==(const Entry&, const Entry&) = default;
  };

  // Null where there is none. Valid until another is added or erased.
  Value* Find(InstrumentId instrument) {
    if (last_found_ < entries_.size() && entries_[last_found_].instrument == instrument) {
      return &entries_[last_found_].value;
    }
    const size_t place = LowerBound(instrument);
    if (place == entries_.size() || entries_[place].instrument != instrument) return nullptr;
    last_found_ = place;
    return &entries_[place].value;
  }
  const Value* Find(InstrumentId instrument) const {
    return const_cast<ByInstrument*>(this)->Find(instrument);
  }
  // An empty one is added where there is none.
  Value& FindOrAdd(InstrumentId instrument) {
    if (Value* value = Find(instrument)) return *value;
    last_found_ = LowerBound(instrument);
    return entries_
        .insert(entries_.begin() + static_cast<ptrdiff_t>(last_found_), {instrument, {}})
        ->value;
  }
  // Nothing where there is none.
  void Erase(InstrumentId instrument) {
    if (Find(instrument) == nullptr) return;
    entries_.erase(entries_.begin() + static_cast<ptrdiff_t>(last_found_));
  }

  size_t size() const { return entries_.size(); }
  auto begin() const { return entries_.begin(); }
  auto end() const { return entries_.end(); }
  friend bool operator==(const ByInstrument& a, const ByInstrument& b) {
    return a.entries_ == b.entries_;
  }

 private:
  size_t LowerBound(InstrumentId instrument) const {
    const auto at = std::ranges::lower_bound(entries_, instrument, {}, &Entry::instrument);
    return static_cast<size_t>(at - entries_.begin());
  }

  // The first few in place: no memory elsewhere that had to be fetched.
  boost::container::small_vector<Entry, 4> entries_;
  size_t last_found_ = 0;  // where Find looks first: no part of the state
};

}  // namespace warpbook::engine
