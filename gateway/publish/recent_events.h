// RecentEvents: the last private events of each account, so that who was away for a moment is told
// from memory. All accounts share one ring of bytes: the oldest of all give way to the newest.
// Adding costs no allocation once an account has its place. The I/O thread owns it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "gateway/admission/limits.h"
#include "gateway/publish/private_event.h"

namespace warpbook::gateway {

class RecentEvents {
 public:
  explicit RecentEvents(const RecentEventsLimits& limits);

  // An account's events come without a gap.
  void Add(const PrivateEvent& event);
  // Valid until the next Add; nullopt: it is not in memory.
  std::optional<PrivateEvent> Find(AccountId account, uint64_t sequence) const;
  // The sequence of the account's oldest event in memory; 0: there is none.
  uint64_t OldestOf(AccountId account) const;

 private:
  // In the ring, before the bytes of the record and of its cause. Account 0 fills the ring's end.
  struct Entry {
    uint64_t account = 0;
    uint64_t sequence = 0;
    int64_t ts_us = 0;
    uint32_t record_bytes = 0;
    uint32_t cause_bytes = 0;
  };
  static_assert(sizeof(Entry) == 32);
  // Where an account's events are: that of sequence s at slots[s % slots.size()].
  struct Places {
    uint64_t first = 0;
    size_t count = 0;
    std::vector<uint64_t> slots;
    uint64_t& At(uint64_t sequence) { return slots[sequence & (slots.size() - 1)]; }
    uint64_t At(uint64_t sequence) const { return slots[sequence & (slots.size() - 1)]; }
  };

  void Note(AccountId account, uint64_t sequence, uint64_t place);
  // A place for so many bytes, in one piece.
  uint64_t MakeRoom(size_t bytes);
  void DropOldest();
  std::byte* At(uint64_t place) const { return ring_.get() + place % size_; }

  const size_t events_per_account_;
  const size_t size_;
  std::unique_ptr<std::byte[]> ring_;  // null until the first event
  // Places count on, and are taken modulo the ring's size.
  uint64_t begin_ = 0, end_ = 0;
  absl::flat_hash_map<AccountId, Places> accounts_;
};

}  // namespace warpbook::gateway
