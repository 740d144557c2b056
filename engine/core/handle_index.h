// HandleIndex: finds handles of 24 bits by the hash of what they stand for, in 4 bytes a slot.
// Robin Hood probing: beside a handle a slot keeps only how far it lies from its home, and a search
// ends where that would be less than its own way. So a search looks at no record but those of its
// own home (less than one, on average, where there is no such handle), and removal moves what lies
// behind back by one place, without tombstones.
//
// The table is many small ones, chosen by the hash; each grows by itself, by a half where it is
// seven eighths full, so that no command waits while all of them are moved. Memory: 4 bytes a slot,
// 4.6 to 6.9 bytes a handle at the most there have been; a table never shrinks.
//
// The hash must be keyed by a secret where others choose what is hashed: the longest way is 254
// slots, and a table that would need more grows.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "schema/base/check.h"

namespace warpbook::engine {

class HandleIndex {
 public:
  static constexpr uint32_t kHandleMax = (uint32_t{1} << 24) - 1;

  size_t size() const { return size_; }
  size_t bytes() const {
    size_t slots = 0;
    for (const Table& table : tables_) slots += table.slots.size();
    return slots * sizeof(uint32_t) + sizeof tables_;
  }

  // The handle with this hash for which `matches(handle)`; 0: none.
  template <typename Matches>
  uint32_t Find(uint64_t hash, Matches&& matches) const {
    const size_t at = Locate(TableOf(hash), hash, matches);
    return at == kNone ? 0 : TableOf(hash).slots[at] & kHandleMax;
  }
  // `hash_of(handle)` gives the hash of a handle that is there.
  template <typename HashOf>
  void Insert(uint64_t hash, uint32_t handle, HashOf&& hash_of) {
    WARPBOOK_CHECK(handle > 0 && handle <= kHandleMax);
    Table& table = tables_[hash >> kTableShift];
    if ((table.used + 1) * 8 > table.slots.size() * 7) Grow(table, hash_of);
    while (!Place(table.slots, hash, handle)) Grow(table, hash_of);
    ++table.used;
    ++size_;
  }
  // The handle must be there. The other takes its place.
  void Replace(uint64_t hash, uint32_t handle, uint32_t with) {
    Table& table = tables_[hash >> kTableShift];
    uint32_t& slot = table.slots[LocateHandle(table, hash, handle)];
    slot = (slot & ~kHandleMax) | with;
  }
  // The handle must be there.
  void Erase(uint64_t hash, uint32_t handle) {
    Table& table = tables_[hash >> kTableShift];
    std::vector<uint32_t>& slots = table.slots;
    size_t hole = LocateHandle(table, hash, handle);
    for (size_t at = Next(slots, hole); slots[at] >= 2 * kStep; at = Next(slots, at)) {
      slots[hole] = slots[at] - kStep;
      hole = at;
    }
    slots[hole] = 0;
    --table.used;
    --size_;
  }

 private:
  static constexpr int kTableShift = 64 - 10;
  static constexpr size_t kFirstSlots = 8;
  static constexpr size_t kNone = ~size_t{0};
  // A slot: in its top byte 1 + the distance from home, below it the handle; 0: empty.
  static constexpr uint32_t kStep = uint32_t{1} << 24;
  struct Table {
    std::vector<uint32_t> slots;
    uint32_t used = 0;
  };

  const Table& TableOf(uint64_t hash) const { return tables_[hash >> kTableShift]; }
  static size_t Home(const std::vector<uint32_t>& slots, uint64_t hash) {
    return (hash & 0xffffffff) * slots.size() >> 32;
  }
  static size_t Next(const std::vector<uint32_t>& slots, size_t at) {
    return at + 1 == slots.size() ? 0 : at + 1;
  }
  template <typename Matches>
  static size_t Locate(const Table& table, uint64_t hash, Matches&& matches) {
    const std::vector<uint32_t>& slots = table.slots;
    if (slots.empty()) return kNone;
    size_t at = Home(slots, hash);
    for (uint64_t way = 1; slots[at] >> 24 >= way; ++way, at = Next(slots, at)) {
      if (slots[at] >> 24 == way && matches(slots[at] & kHandleMax)) return at;
    }
    return kNone;
  }
  static size_t LocateHandle(const Table& table, uint64_t hash, uint32_t handle) {
    const size_t at = Locate(table, hash, [&](uint32_t other) { return other == handle; });
    WARPBOOK_CHECK(at != kNone);
    return at;
  }
  // Whether there was a way: none is longer than a byte counts.
  static bool Place(std::vector<uint32_t>& slots, uint64_t hash, uint32_t handle) {
    size_t at = Home(slots, hash);
    uint64_t way = 1;
    for (; slots[at] >> 24 >= way; ++way) at = Next(slots, at);
    size_t end = at;
    bool fits = way <= 255;
    for (; slots[end] != 0; end = Next(slots, end)) fits = fits && slots[end] >> 24 < 255;
    if (!fits) return false;
    // Whoever lies nearer to home moves on by one.
    uint32_t moving = static_cast<uint32_t>(way) * kStep | handle;
    for (; moving != 0; at = Next(slots, at)) {
      std::swap(slots[at], moving);
      if (moving != 0) moving += kStep;
    }
    return true;
  }
  template <typename HashOf>
  static void Grow(Table& table, HashOf&& hash_of) {
    size_t slots = table.slots.size();
    bool placed = false;
    while (!placed) {
      slots = slots == 0 ? kFirstSlots : slots + slots / 2;
      // Only hashes that are equal could need this much.
      WARPBOOK_CHECK(slots <= kHandleMax);
      std::vector<uint32_t> larger(slots);
      placed = true;
      for (const uint32_t slot : table.slots) {
        const uint32_t handle = slot & kHandleMax;
        placed = placed && (slot == 0 || Place(larger, hash_of(handle), handle));
      }
      if (placed) table.slots = std::move(larger);
    }
  }

  std::array<Table, size_t{1} << (64 - kTableShift)> tables_;
  size_t size_ = 0;
};

}  // namespace warpbook::engine
