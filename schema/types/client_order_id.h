// A client's own name for an order: 1 to 32 printable ASCII characters without space (0x21..0x7e),
// kept in 32 bytes, zeros behind. An empty one means that the order has none.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string_view>
#include <utility>

namespace warpbook {

class ClientOrderId {
 public:
  static constexpr size_t kMaxLength = 32;
  constexpr ClientOrderId() = default;

  // nullopt where the text is empty, too long or not printable ASCII.
  static constexpr std::optional<ClientOrderId> Parse(std::string_view text) {
    if (text.empty() || text.size() > kMaxLength) return std::nullopt;
    ClientOrderId id;
    for (size_t i = 0; i < text.size(); ++i) {
      if (text[i] < 0x21 || text[i] > 0x7e) return std::nullopt;
      id.bytes_[i] = text[i];
    }
    return id;
  }
  // From the 32 bytes of what is known to be one, or none.
  static ClientOrderId FromKnownBytes(const uint8_t* bytes) {
    ClientOrderId id;
    std::memcpy(id.bytes_.data(), bytes, kMaxLength);
    return id;
  }
  // From the 32 bytes of a record. nullopt where they are neither all zero nor a valid id.
  static std::optional<ClientOrderId> FromBytes(const uint8_t* bytes) {
    ClientOrderId id;
    if (IsZero(bytes)) return id;  // most have none
    std::memcpy(id.bytes_.data(), bytes, kMaxLength);
    const std::string_view text = id.view();
    for (size_t i = text.size(); i < kMaxLength; ++i) {
      if (id.bytes_[i] != 0) return std::nullopt;
    }
    if (!text.empty() && !Parse(text)) return std::nullopt;
    return id;
  }

  // Whether the 32 bytes of a record are all zero: no id.
  static bool IsZero(const uint8_t* bytes) {
    uint64_t words[kMaxLength / sizeof(uint64_t)];
    std::memcpy(words, bytes, kMaxLength);
    return (words[0] | words[1] | words[2] | words[3]) == 0;
  }

  constexpr bool empty() const { return bytes_[0] == 0; }
  constexpr std::string_view view() const {
    size_t length = 0;
    while (length < kMaxLength && bytes_[length] != 0) ++length;
    return std::string_view(bytes_.data(), length);
  }
  const uint8_t* bytes() const { return reinterpret_cast<const uint8_t*>(bytes_.data()); }
  friend constexpr auto operator<=>(const ClientOrderId&, const ClientOrderId&) = default;
  template <typename H>
  friend H AbslHashValue(H state, const ClientOrderId& id) {
    return H::combine(std::move(state), id.bytes_);
  }

 private:
  std::array<char, kMaxLength> bytes_{};
};

}  // namespace warpbook
