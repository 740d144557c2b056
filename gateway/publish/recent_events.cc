#include "gateway/publish/recent_events.h"

#include <bit>
#include <cstring>

#include "schema/base/check.h"

namespace warpbook::gateway {
namespace {

constexpr size_t kAlignment = 8;  // of records
constexpr size_t kFirstSlots = 8;
constexpr size_t kBytesMin = 4'096;  // room for any event

}  // namespace

RecentEvents::RecentEvents(const RecentEventsLimits& limits)
    : events_per_account_(limits.events_per_account),
      size_(limits.bytes / kAlignment * kAlignment) {
  WARPBOOK_CHECK(std::has_single_bit(events_per_account_) && events_per_account_ >= kFirstSlots);
  WARPBOOK_CHECK(size_ == 0 || size_ >= kBytesMin);
}

void RecentEvents::Add(const PrivateEvent& event) {
  if (size_ == 0) return;
  // Not cleared: pages that were never used cost no memory.
  if (ring_ == nullptr) ring_ = std::make_unique_for_overwrite<std::byte[]>(size_);
  const std::span<const std::byte> record = event.record.bytes();
  const std::span<const std::byte> cause =
      event.cause.empty() ? std::span<const std::byte>() : event.cause.bytes();
  const Entry entry{.account = event.account().value(),
                    .sequence = event.sequence(),
                    .ts_us = event.ts_us,
                    .record_bytes = static_cast<uint32_t>(record.size()),
                    .cause_bytes = static_cast<uint32_t>(cause.size())};
  const uint64_t place = MakeRoom(sizeof entry + record.size() + cause.size());
  std::byte* at = At(place);
  std::memcpy(at, &entry, sizeof entry);
  std::memcpy(at + sizeof entry, record.data(), record.size());
  if (!cause.empty()) {
    std::memcpy(at + sizeof entry + record.size(), cause.data(), cause.size());
  }
  Note(event.account(), entry.sequence, place);
}

void RecentEvents::Note(AccountId account, uint64_t sequence, uint64_t place) {
  Places& places = accounts_[account];
  WARPBOOK_CHECK(places.count == 0 || sequence == places.first + places.count);
  if (places.count == 0) places.first = sequence;
  if (places.count == events_per_account_) {
    ++places.first;
    --places.count;
  }
  if (places.count == places.slots.size()) {
    Places larger{.first = places.first, .count = places.count, .slots = {}};
    larger.slots.resize(std::max(kFirstSlots, 2 * places.slots.size()));
    for (size_t i = 0; i < places.count; ++i) {
      larger.At(places.first + i) = places.At(places.first + i);
    }
    places = std::move(larger);
  }
  places.At(sequence) = place;
  ++places.count;
}

uint64_t RecentEvents::MakeRoom(size_t bytes) {
  const size_t to_end = size_ - end_ % size_;
  const size_t filler = to_end < bytes ? to_end : 0;
  while (end_ + filler + bytes - begin_ > size_) DropOldest();
  if (filler >= sizeof(Entry)) {
    const Entry entry;
    std::memcpy(At(end_), &entry, sizeof entry);
  }
  end_ += filler;
  const uint64_t place = end_;
  end_ += bytes;
  return place;
}

void RecentEvents::DropOldest() {
  const size_t to_end = size_ - begin_ % size_;
  Entry entry;
  if (to_end >= sizeof entry) std::memcpy(&entry, At(begin_), sizeof entry);
  if (entry.account == 0) {
    begin_ += to_end;
    return;
  }
  begin_ += sizeof entry + entry.record_bytes + entry.cause_bytes;
  const auto places = accounts_.find(AccountId(entry.account));
  // Its account may have dropped it already.
  if (places == accounts_.end() || places->second.first != entry.sequence) return;
  ++places->second.first;
  if (--places->second.count == 0) accounts_.erase(places);
}

std::optional<PrivateEvent> RecentEvents::Find(AccountId account, uint64_t sequence) const {
  const auto found = accounts_.find(account);
  if (found == accounts_.end()) return std::nullopt;
  const Places& places = found->second;
  if (sequence < places.first || sequence - places.first >= places.count) return std::nullopt;
  const std::byte* at = At(places.At(sequence));
  Entry entry;
  std::memcpy(&entry, at, sizeof entry);
  at += sizeof entry;
  return PrivateEvent{.record = wire::RecordView(at),
                      .cause = entry.cause_bytes == 0 ? wire::RecordView()
                                                      : wire::RecordView(at + entry.record_bytes),
                      .ts_us = entry.ts_us};
}

uint64_t RecentEvents::OldestOf(AccountId account) const {
  const auto found = accounts_.find(account);
  return found == accounts_.end() ? 0 : found->second.first;
}

}  // namespace warpbook::gateway
