// The narrow fields at the end of an event, written a word at a time. The running hash reads events
// by words as soon as they are complete, and a processor that reads a word right behind narrower
// stores waits until those have left its pipeline: for the events of every order that is worth a
// tenth of the engine's speed. tests/golden/record_layout.txt pins where the fields are.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

namespace warpbook::engine {

static_assert(std::endian::native == std::endian::little);

// Two fields of four bytes, and up to eight of one, in their order.
template <typename A, typename B>
constexpr uint64_t Halves(A first, B second) {
  static_assert(sizeof(A) == 4 && sizeof(B) == 4);
  return static_cast<uint32_t>(first) | uint64_t{static_cast<uint32_t>(second)} << 32;
}
template <typename... Fields>
constexpr uint64_t Bytes(Fields... fields) {
  static_assert(sizeof...(Fields) <= 8 && ((sizeof(Fields) == 1) && ...));
  uint64_t word = 0;
  int shift = 0;
  ((word |= uint64_t{static_cast<uint8_t>(fields)} << shift, shift += 8), ...);
  return word;
}
// A field of four bytes and then up to four of one.
template <typename A, typename... Fields>
constexpr uint64_t HalfAndBytes(A first, Fields... fields) {
  static_assert(sizeof...(Fields) <= 4);
  return Halves(first, static_cast<uint32_t>(Bytes(fields...)));
}

// Fills the event's last words.
template <typename Event, typename... Words>
void SetTail(Event& event, Words... words) {
  static_assert((std::is_same_v<Words, uint64_t> && ...));
  constexpr size_t kSize = sizeof...(words) * sizeof(uint64_t);
  std::byte* at = reinterpret_cast<std::byte*>(&event) + sizeof event - kSize;
  ((std::memcpy(at, &words, sizeof words), at += sizeof words), ...);
}

}  // namespace warpbook::engine
