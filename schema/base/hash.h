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

  constexpr void Add(uint64_t word) { state_ = Mix(state_ ^ word, kMultiplier ^ (state_ >> 32)); }
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
  __extension__ using uint128 = unsigned __int128;
  static constexpr uint64_t kMultiplier = 0x9e3779b97f4a7c15;
  // The 128-bit product folded to 64 bits (as in wyhash).
  static constexpr uint64_t Mix(uint64_t a, uint64_t b) {
    const uint128 product = static_cast<uint128>(a | 1) * (b | 1);
    return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64) ^ a;
  }
  uint64_t state_ = 0x243f6a8885a308d3;
};

}  // namespace warpbook
