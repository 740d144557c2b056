#include "schema/base/crc32c.h"

#include <doctest/doctest.h>

#include <random>
#include <string_view>
#include <vector>

namespace warpbook {
namespace {

struct Vector {
  std::vector<std::byte> bytes;
  uint32_t crc;
};

std::vector<std::byte> Bytes(std::string_view text) {
  const auto bytes = std::as_bytes(std::span(text));
  return {bytes.begin(), bytes.end()};
}

// RFC 3720, appendix B.4, and the check value of the catalogue of parametrised CRCs.
std::vector<Vector> PublishedVectors() {
  std::vector<std::byte> ascending;
  std::vector<std::byte> descending;
  for (int i = 0; i < 32; ++i) {
    ascending.push_back(static_cast<std::byte>(i));
    descending.push_back(static_cast<std::byte>(31 - i));
  }
  std::vector<std::byte> iscsi_read(48);
  const std::pair<size_t, int> nonzero[] = {{0, 0x01},  {1, 0xc0},  {16, 0x14}, {22, 0x04},
                                            {27, 0x14}, {31, 0x18}, {32, 0x28}, {40, 0x02}};
  for (const auto& [at, value] : nonzero) iscsi_read[at] = static_cast<std::byte>(value);
  return {{std::vector<std::byte>(32, std::byte{0}), 0x8a9136aa},
          {std::vector<std::byte>(32, std::byte{0xff}), 0x62a8ab43},
          {ascending, 0x46dd794e},
          {descending, 0x113fdb5c},
          {iscsi_read, 0xd9963a56},
          {Bytes("123456789"), 0xe3069283},
          {{}, 0}};
}

TEST_CASE("CRC-32C gives the published values") {
  for (const Vector& vector : PublishedVectors()) {
    CHECK(Crc32c(vector.bytes) == vector.crc);
    CHECK(Crc32cPortable(vector.bytes) == vector.crc);
  }
}

TEST_CASE("The portable CRC-32C, the processor's and a bitwise one agree at all lengths and cuts") {
  std::mt19937 random(5);
  std::vector<std::byte> bytes(9'500);  // several times the lanes that go side by side
  for (std::byte& byte : bytes) byte = static_cast<std::byte>(random());
  for (size_t length = 0; length <= bytes.size(); length += 1 + length / 16) {
    const std::span<const std::byte> part =
        std::span(bytes).subspan(length % 3, length - length % 3);
    uint32_t bitwise = 0xffffffff;
    for (const std::byte byte : part) {
      bitwise ^= std::to_integer<uint32_t>(byte);
      for (int bit = 0; bit < 8; ++bit) {
        bitwise = (bitwise >> 1) ^ ((bitwise & 1) != 0 ? 0x82f63b78 : 0);
      }
    }
    bitwise = ~bitwise;
    REQUIRE(Crc32c(part) == bitwise);
    REQUIRE(Crc32cPortable(part) == bitwise);
    const size_t cut = part.size() / 3;
    REQUIRE(Crc32c(part.subspan(cut), Crc32c(part.first(cut))) == bitwise);
    REQUIRE(Crc32cPortable(part.subspan(cut), Crc32cPortable(part.first(cut))) == bitwise);
  }
}

}  // namespace
}  // namespace warpbook
