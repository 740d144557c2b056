// PackedClientOrderId: a client order id in 28 bytes. Its characters are ASCII, so the eighth bit
// of each is left out. Two ids are equal where their packed forms are. It can be masked by a
// number, which the same number takes away again.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "schema/types/client_order_id.h"

namespace warpbook::engine {

class PackedClientOrderId {
 public:
  PackedClientOrderId() = default;
  explicit PackedClientOrderId(const ClientOrderId& id) {
    for (size_t i = 0; i < kWords; ++i) {
      uint64_t word = 0;
      std::memcpy(&word, id.bytes() + 8 * i, 8);
      word = (word & 0x007f007f007f007f) | (word & 0x7f007f007f007f00) >> 1;
      word = (word & 0x00003fff00003fff) | (word & 0x3fff00003fff0000) >> 2;
      word = (word & 0x000000000fffffff) | (word & 0x0fffffff00000000) >> 4;
      std::memcpy(bytes_.data() + 7 * i, &word, 7);
    }
  }
  // The 32 bytes of the id, zeros behind.
  void CopyTo(uint8_t* bytes) const {
    for (size_t i = 0; i < kWords; ++i) {
      uint64_t word = 0;
      std::memcpy(&word, bytes_.data() + 7 * i, 7);
      word = (word & 0x000000000fffffff) | (word << 4 & 0x0fffffff00000000);
      word = (word & 0x00003fff00003fff) | (word << 2 & 0x3fff00003fff0000);
      word = (word & 0x007f007f007f007f) | (word << 1 & 0x7f007f007f007f00);
      std::memcpy(bytes + 8 * i, &word, 8);
    }
  }
  const std::array<uint8_t, 28>& bytes() const { return bytes_; }
  PackedClientOrderId Masked(uint64_t mask) const {
    PackedClientOrderId masked = *this;
    uint64_t word = 0;
    std::memcpy(&word, bytes_.data(), 8);
    word ^= mask;
    std::memcpy(masked.bytes_.data(), &word, 8);
    return masked;
  }
  friend bool operator==(const PackedClientOrderId&, const PackedClientOrderId&) = default;

 private:
  static_assert(std::endian::native == std::endian::little);
  static constexpr size_t kWords = 4;
  std::array<uint8_t, 28> bytes_ = {};
};
static_assert(sizeof(PackedClientOrderId) == 28);

}  // namespace warpbook::engine
