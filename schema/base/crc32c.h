// CRC-32C (Castagnoli; RFC 3720, B.4): the checksum of the journal. Uses the processor's
// instruction where there is one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace warpbook {

// The checksum of the bytes, or of those that `crc` is the checksum of followed by them.
uint32_t Crc32c(std::span<const std::byte> bytes, uint32_t crc = 0);

// The same without the instruction: what Crc32c falls back to.
uint32_t Crc32cPortable(std::span<const std::byte> bytes, uint32_t crc = 0);

}  // namespace warpbook
