#include "schema/types/client_order_id.h"

#include <doctest/doctest.h>

#include <array>
#include <string>

namespace warpbook {
namespace {

using Bytes = std::array<uint8_t, ClientOrderId::kMaxLength>;

TEST_CASE("Exactly the printable ASCII characters without space make an id") {
  for (int value = 0; value < 256; ++value) {
    const std::string text(1, static_cast<char>(value));
    const auto id = ClientOrderId::Parse(text);
    CAPTURE(value);
    CHECK(id.has_value() == (value > ' ' && value < 127));
    if (id) CHECK(id->view() == text);
    CHECK(ClientOrderId::Parse("ab" + text + "cd").has_value() == id.has_value());
  }
}

TEST_CASE("An id has 1 to 32 characters") {
  CHECK_FALSE(ClientOrderId::Parse("").has_value());
  CHECK(ClientOrderId::Parse(std::string(32, 'x'))->view() == std::string(32, 'x'));
  CHECK_FALSE(ClientOrderId::Parse(std::string(33, 'x')).has_value());
  CHECK(ClientOrderId().empty());
  CHECK_FALSE(ClientOrderId::Parse("a")->empty());
}

TEST_CASE("An id survives the bytes of a record") {
  for (size_t length = 1; length <= 32; ++length) {
    const auto id = ClientOrderId::Parse(std::string(length, 'j'));
    CHECK(ClientOrderId::FromBytes(id->bytes()) == id);
  }
  CHECK(ClientOrderId::FromBytes(ClientOrderId().bytes()) == ClientOrderId());
}

TEST_CASE("Bytes of a record that no text gives are refused") {
  Bytes bytes{};
  bytes[1] = 'a';  // behind a zero
  CHECK_FALSE(ClientOrderId::FromBytes(bytes.data()).has_value());
  bytes = {'a', 0, 'b'};
  CHECK_FALSE(ClientOrderId::FromBytes(bytes.data()).has_value());
  bytes = {'a', ' '};
  CHECK_FALSE(ClientOrderId::FromBytes(bytes.data()).has_value());
  bytes = {0xc3, 0xa4};
  CHECK_FALSE(ClientOrderId::FromBytes(bytes.data()).has_value());
  bytes = {};
  bytes[31] = 1;
  CHECK_FALSE(ClientOrderId::FromBytes(bytes.data()).has_value());
}

}  // namespace
}  // namespace warpbook
