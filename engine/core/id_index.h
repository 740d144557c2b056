// IdIndex: live objects (orders, leases) by id. Ids are given in ascending order, so four that
// follow one another share a cache line, and lines are spread by a multiplicative hash; a line that
// is full goes on in the next one (linear probing). Nothing walks the table, so its order shows
// nowhere. Grows at three quarters, at most 16 bytes x 8/3 for each live object; it never shrinks.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>

#include "engine/core/large_memory.h"
#include "schema/base/check.h"

namespace warpbook::engine {

template <typename T>
class IdIndex {
 public:
  using Id = decltype(T::id);

  IdIndex() : slots_(MakeLargeArray<Slot>(kFirstSlots)) {}

  size_t size() const { return size_; }
  // Null where there is no such live object.
  T* Find(Id id) const {
    for (size_t at = Home(id);; at = Next(at)) {
      if (slots_[at].id == id) return slots_[at].object;
      if (!slots_[at].id) return nullptr;
    }
  }
  // Begins to fetch the place of an id.
  void Prefetch(Id id) const { __builtin_prefetch(&slots_[Home(id)], 1); }
  // The object of an id if it is where it should be, else null or another one: for hints, which are
  // not worth a search.
  const T* Guess(Id id) const { return slots_[Home(id)].object; }
  // The id must not be there.
  void Insert(T* object) {
    if ((size_ + 1) * 4 > slot_count_ * 3) [[unlikely]]
      Grow();
    Place({object->id, object});
    ++size_;
  }
  // The id must be there.
  void Erase(Id id) {
    size_t hole = Home(id);
    while (slots_[hole].id != id) {
      WARPBOOK_CHECK(bool{slots_[hole].id});
      hole = Next(hole);
    }
    // What was pushed beyond the hole moves back, so that no search ends too early.
    for (size_t at = Next(hole); slots_[at].id; at = Next(at)) {
      const size_t home = Home(slots_[at].id);
      if (Distance(home, at) < Distance(hole, at)) continue;
      slots_[hole] = slots_[at];
      hole = at;
    }
    slots_[hole] = {};
    --size_;
  }

 private:
  static constexpr size_t kFirstSlots = 4'096;
  static constexpr size_t kSlotsPerLine = 4;
  struct Slot {
    Id id;  // 0: empty
    T* object = nullptr;
  };
  static_assert(sizeof(Slot) * kSlotsPerLine == 64);

  size_t Home(Id id) const {
    const uint64_t line = (id.value() / kSlotsPerLine) * 0x9e3779b97f4a7c15 >> shift_;
    return line * kSlotsPerLine + id.value() % kSlotsPerLine;
  }
  size_t Next(size_t at) const { return (at + 1) & (slot_count_ - 1); }
  size_t Distance(size_t from, size_t to) const { return (to - from) & (slot_count_ - 1); }
  void Place(const Slot& slot) {
    size_t at = Home(slot.id);
    while (slots_[at].id) at = Next(at);
    slots_[at] = slot;
  }
  void Grow() {
    const LargeArray<Slot> old = std::exchange(slots_, MakeLargeArray<Slot>(2 * slot_count_));
    const size_t old_count = std::exchange(slot_count_, 2 * slot_count_);
    --shift_;
    for (size_t i = 0; i < old_count; ++i) {
      if (old[i].id) Place(old[i]);
    }
  }

  LargeArray<Slot> slots_;
  size_t slot_count_ = kFirstSlots;
  size_t size_ = 0;
  int shift_ = 64 - 10;  // leaves as many bits as count the lines: 2^10 of the first 4,096 slots
};

}  // namespace warpbook::engine
