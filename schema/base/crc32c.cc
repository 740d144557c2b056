#include "schema/base/crc32c.h"

#include <array>
#include <bit>
#include <cstring>

namespace warpbook {
namespace {

constexpr uint32_t kPolynomial = 0x82f63b78;  // 0x1edc6f41 with its bits reversed
constexpr size_t kSlices = 8;
using Tables = std::array<std::array<uint32_t, 256>, kSlices>;

// tables[0] advances by one byte; tables[k] by one byte and k zero bytes behind it.
constexpr Tables MakeTables() {
  Tables tables{};
  for (uint32_t byte = 0; byte < 256; ++byte) {
    uint32_t crc = byte;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? kPolynomial : 0);
    tables[0][byte] = crc;
  }
  for (size_t slice = 1; slice < kSlices; ++slice) {
    for (size_t byte = 0; byte < 256; ++byte) {
      const uint32_t crc = tables[slice - 1][byte];
      tables[slice][byte] = (crc >> 8) ^ tables[0][crc & 0xff];
    }
  }
  return tables;
}
constexpr Tables kTables = MakeTables();

uint64_t LoadLittleEndian(const std::byte* at) {
  static_assert(std::endian::native == std::endian::little);
  uint64_t word = 0;
  std::memcpy(&word, at, sizeof word);
  return word;
}

#if defined(__x86_64__)
// The instruction takes three cycles, and a new one may begin in each: so three lanes side by side.
constexpr size_t kLaneBytes = 1'024;
using LaneTables = std::array<std::array<uint32_t, 256>, 4>;

// What a lane of zeros behind it makes of each byte of a state.
constexpr LaneTables MakeLaneTables() {
  LaneTables tables{};
  for (size_t byte = 0; byte < tables.size(); ++byte) {
    for (int bit = 0; bit < 8; ++bit) {
      uint32_t state = uint32_t{1} << (8 * byte) << bit;
      for (size_t i = 0; i < kLaneBytes; ++i) state = (state >> 8) ^ kTables[0][state & 0xff];
      for (size_t value = 0; value < 256; ++value) {
        if ((value >> bit & 1) != 0) tables[byte][value] ^= state;
      }
    }
  }
  return tables;
}
constexpr LaneTables kLaneTables = MakeLaneTables();

uint32_t SkipLane(uint64_t state) {
  uint32_t skipped = 0;
  for (size_t byte = 0; byte < kLaneTables.size(); ++byte) {
    skipped ^= kLaneTables[byte][state >> (8 * byte) & 0xff];
  }
  return skipped;
}

__attribute__((target("sse4.2"))) uint32_t Crc32cSse42(std::span<const std::byte> bytes,
                                                       uint32_t crc) {
  uint64_t state = ~crc;
  size_t at = 0;
  for (; at + 3 * kLaneBytes <= bytes.size(); at += 3 * kLaneBytes) {
    const std::byte* lane = bytes.data() + at;
    uint64_t second = 0;
    uint64_t third = 0;
    for (size_t i = 0; i < kLaneBytes; i += 8) {
      state = __builtin_ia32_crc32di(state, LoadLittleEndian(lane + i));
      second = __builtin_ia32_crc32di(second, LoadLittleEndian(lane + kLaneBytes + i));
      third = __builtin_ia32_crc32di(third, LoadLittleEndian(lane + 2 * kLaneBytes + i));
    }
    state = SkipLane(SkipLane(state) ^ second) ^ third;
  }
  for (; at + 8 <= bytes.size(); at += 8) {
    state = __builtin_ia32_crc32di(state, LoadLittleEndian(bytes.data() + at));
  }
  uint32_t rest = static_cast<uint32_t>(state);
  for (; at < bytes.size(); ++at) {
    rest = __builtin_ia32_crc32qi(rest, std::to_integer<uint8_t>(bytes[at]));
  }
  return ~rest;
}
#endif

}  // namespace

uint32_t Crc32cPortable(std::span<const std::byte> bytes, uint32_t crc) {
  uint32_t state = ~crc;
  size_t at = 0;
  for (; at + kSlices <= bytes.size(); at += kSlices) {
    const uint64_t word = LoadLittleEndian(bytes.data() + at) ^ state;
    state = 0;
    for (size_t i = 0; i < kSlices; ++i) {
      state ^= kTables[kSlices - 1 - i][(word >> (8 * i)) & 0xff];
    }
  }
  for (; at < bytes.size(); ++at) {
    state = (state >> 8) ^ kTables[0][(state ^ std::to_integer<uint32_t>(bytes[at])) & 0xff];
  }
  return ~state;
}

uint32_t Crc32c(std::span<const std::byte> bytes, uint32_t crc) {
#if defined(__x86_64__)
  static const bool has_instruction = __builtin_cpu_supports("sse4.2") != 0;
  if (has_instruction) return Crc32cSse42(bytes, crc);
#endif
  return Crc32cPortable(bytes, crc);
}

}  // namespace warpbook
