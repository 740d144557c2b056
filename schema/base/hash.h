// Hash64: a fast, fixed 64-bit hash for running and state hashes. The same bytes give the same
// value on every machine and in every build. Not for keys that an adversary chooses: the journal
// chains its batches with SHA-256.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

namespace warpbook {

class Hash64 {
 public:
  constexpr Hash64() = default;
  explicit constexpr Hash64(uint64_t seed) : state_(seed) {}

  // SplitMix64's finalizer: for a given state no two words give the same next state, and for a
  // given word no two states do, so sequences that differ in one word never collide.
  constexpr void Add(uint64_t word) {
    uint64_t mixed = (state_ ^ word) + 0x9e3779b97f4a7c15;
    mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9;
    mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111eb;
    state_ = mixed ^ (mixed >> 31);
  }
  // Adds the length and then the bytes, eight at a time, little-endian, zeros behind.
  void AddBytes(std::span<const std::byte> bytes) {
    Add(bytes.size());
    size_t at = 0;
    for (; at + 8 <= bytes.size(); at += 8) {
      uint64_t word = 0;
      std::memcpy(&word, bytes.data() + at, 8);
      Add(word);
    }
    if (at < bytes.size()) {
      uint64_t word = 0;
      std::memcpy(&word, bytes.data() + at, bytes.size() - at);
      Add(word);
    }
  }
  constexpr uint64_t value() const { return state_; }

 private:
  uint64_t state_ = 0x243f6a8885a308d3;
};

}  // namespace warpbook
