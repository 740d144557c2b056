// Bytes as hex digits, for vectors in tests.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "schema/base/check.h"

namespace warpbook::test {

inline std::vector<std::byte> FromHex(std::string_view hex) {
  const auto digit = [](char c) {
    const size_t value = std::string_view("0123456789abcdef").find(c);
    WARPBOOK_CHECK(value < 16);
    return static_cast<unsigned>(value);
  };
  WARPBOOK_CHECK(hex.size() % 2 == 0);
  std::vector<std::byte> bytes;
  for (size_t i = 0; i < hex.size(); i += 2) {
    bytes.push_back(static_cast<std::byte>(digit(hex[i]) * 16 + digit(hex[i + 1])));
  }
  return bytes;
}

template <size_t kSize>
std::array<uint8_t, kSize> ArrayFromHex(std::string_view hex) {
  const std::vector<std::byte> bytes = FromHex(hex);
  WARPBOOK_CHECK(bytes.size() == kSize);
  std::array<uint8_t, kSize> array;
  for (size_t i = 0; i < kSize; ++i) array[i] = static_cast<uint8_t>(bytes[i]);
  return array;
}

inline std::string ToHex(std::span<const std::byte> bytes) {
  std::string hex;
  for (const std::byte byte : bytes) {
    hex += "0123456789abcdef"[static_cast<unsigned>(byte) >> 4];
    hex += "0123456789abcdef"[static_cast<unsigned>(byte) & 15];
  }
  return hex;
}

inline std::string ToHex(std::span<const uint8_t> bytes) { return ToHex(std::as_bytes(bytes)); }

}  // namespace warpbook::test
