// KeyTag: eight bytes that differ between nearly all names, so that a search among a few names
// compares numbers, and texts only where a number is found.
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

namespace warpbook::gateway {

inline uint64_t KeyTag(std::string_view key) {
  const size_t size = key.size();
  const char* const text = key.data();
  uint64_t first = 0, last = 0;
  if (size >= 8) {
    std::memcpy(&first, text, 8);
    std::memcpy(&last, text + size - 8, 8);
  } else if (size >= 4) {
    std::memcpy(&first, text, 4);
    std::memcpy(&last, text + size - 4, 4);
  } else if (size > 0) {
    first = static_cast<unsigned char>(text[0]);
    last = static_cast<uint64_t>(static_cast<unsigned char>(text[size / 2])) << 8 |
           static_cast<unsigned char>(text[size - 1]);
  }
  return (first * 0x9e3779b97f4a7c15 ^ last) + size;
}

}  // namespace warpbook::gateway
