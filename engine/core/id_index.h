// IdIndex: live objects (orders, leases, price levels) by id, in 8 bytes a slot: the object's
// address (a multiple of 64 below 2^47) and a tag of 23 bits, so that a search hardly ever looks at
// an object but the one it finds. Eight ids that follow one another share a cache line, and lines
// are spread by a multiplicative hash of the whole id; the tag is 20 bits of it and the place in
// the line. A line that is full goes on in the next one (linear probing). Nothing walks the table,
// so its order shows nowhere. Grows at three quarters, so that an object costs 10.7 to 21.4 bytes
// (16.8 where there are a million); it never shrinks.
#pragma once

#include <bit>
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

  IdIndex() : slots_(MakeLargeArray<uint64_t>(kFirstSlots)) {}

  size_t size() const { return size_; }
  // Null where there is no such live object.
  T* Find(Id id) const {
    const uint64_t tag = TagOf(id);
    for (size_t at = Home(tag);; at = Next(at)) {
      const uint64_t slot = slots_[at];
      if (slot == 0) return nullptr;
      if ((slot & kTagMask) == tag && ObjectOf(slot)->id == id) return ObjectOf(slot);
    }
  }
  // Begins to fetch the place of an id.
  void Prefetch(Id id) const { __builtin_prefetch(&slots_[Home(TagOf(id))], 1); }
  // The object of an id if it is where it should be, else null or another one: for hints, which are
  // not worth a search.
  const T* Guess(Id id) const { return ObjectOf(slots_[Home(TagOf(id))]); }
  // The id must not be there.
  void Insert(T* object) {
    if ((size_ + 1) * 4 > slot_count_ * 3) [[unlikely]]
      Grow();
    static_assert(alignof(T) % 64 == 0);
    const auto address = reinterpret_cast<uintptr_t>(object);
    WARPBOOK_CHECK(address % 64 == 0 && address >> 47 == 0);
    Place(uint64_t{address} << (kTagBits - 6) | TagOf(object->id));
    ++size_;
  }
  // The id must be there.
  void Erase(Id id) {
    size_t hole = Home(TagOf(id));
    while (!IsOf(slots_[hole], id)) {
      WARPBOOK_CHECK(slots_[hole] != 0);
      hole = Next(hole);
    }
    // What was pushed beyond the hole moves back, so that no search ends too early.
    for (size_t at = Next(hole); slots_[at] != 0; at = Next(at)) {
      const size_t home = Home(slots_[at] & kTagMask);
      if (Distance(home, at) < Distance(hole, at)) continue;
      slots_[hole] = slots_[at];
      hole = at;
    }
    slots_[hole] = 0;
    --size_;
  }

 private:
  static constexpr size_t kFirstSlots = 4'096;
  static constexpr size_t kSlotsPerLine = 8;
  static constexpr int kLineBits = 20;
  static constexpr int kPlaceBits = 3;
  static constexpr int kTagBits = kLineBits + kPlaceBits;
  static constexpr uint64_t kTagMask = (uint64_t{1} << kTagBits) - 1;

  static T* ObjectOf(uint64_t slot) { return std::bit_cast<T*>(slot >> kTagBits << 6); }
  static bool IsOf(uint64_t slot, Id id) {
    return slot != 0 && (slot & kTagMask) == TagOf(id) && ObjectOf(slot)->id == id;
  }
  static uint64_t TagOf(Id id) {
    const uint64_t hash = uint64_t{id.value()} / kSlotsPerLine * 0x9e3779b97f4a7c15;
    return hash >> (64 - kLineBits) << kPlaceBits | id.value() % kSlotsPerLine;
  }
  // By the tag alone, as that is all that a slot knows of its object's id. A table of more than
  // 2^20 lines has homes in some of them only, evenly spread.
  size_t Home(uint64_t tag) const {
    const uint64_t line = tag >> kPlaceBits << (64 - kLineBits) >> shift_;
    return line * kSlotsPerLine + tag % kSlotsPerLine;
  }
  size_t Next(size_t at) const { return (at + 1) & (slot_count_ - 1); }
  size_t Distance(size_t from, size_t to) const { return (to - from) & (slot_count_ - 1); }
  void Place(uint64_t slot) {
    size_t at = Home(slot & kTagMask);
    while (slots_[at] != 0) at = Next(at);
    slots_[at] = slot;
  }
  void Grow() {
    const LargeArray<uint64_t> old =
        std::exchange(slots_, MakeLargeArray<uint64_t>(2 * slot_count_));
    const size_t old_count = std::exchange(slot_count_, 2 * slot_count_);
    --shift_;
    for (size_t i = 0; i < old_count; ++i) {
      if (old[i] != 0) Place(old[i]);
    }
  }

  LargeArray<uint64_t> slots_;  // 0: empty
  size_t slot_count_ = kFirstSlots;
  size_t size_ = 0;
  int shift_ = 64 - 9;  // leaves as many bits as count the lines: 2^9 of the first 4,096 slots
};

}  // namespace warpbook::engine
