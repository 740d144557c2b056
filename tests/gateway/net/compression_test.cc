// permessage-deflate on a running server.
#include <doctest/doctest.h>

#include <string>

#include "gateway/net/deflate.h"
#include "tests/gateway/support/json_text.h"
#include "tests/gateway/support/test_gateway.h"
#include "tests/gateway/support/test_server.h"

namespace warpbook::gateway {
namespace {

const std::string kPing = R"({"method":"ping","req_id":1})";
const std::string kInstruments = R"({"method":"instruments","req_id":1})";
const std::string kOffer = "Sec-WebSocket-Extensions: permessage-deflate\r\n";
constexpr size_t kMessageMax = 64 * 1024;

GatewayServer::Options WithDeflate() {
  GatewayServer::Options options = TestOptions();
  options.allow_deflate = true;
  return options;
}

std::string Inflated(const Frame& frame) {
  MessageInflater inflater(1 << 20);
  const auto [outcome, message] = inflater.Inflate(frame.payload);
  CHECK(outcome == MessageInflater::Outcome::kGood);
  return std::string(message);
}

Frame ReadFrame(TestSocket& socket) {
  const auto frame = socket.Read();
  REQUIRE(frame.has_value());
  return *frame;
}

}  // namespace

TEST_CASE("Long messages are compressed for a client that offered it, in both directions") {
  TestServer server(WithDeflate());
  TestSocket socket = TestSocket::Open(server.port(), 0, kOffer);
  MessageDeflater deflater;
  REQUIRE(socket.SendRaw(TestSocket::CompressedFrame(1, deflater.Compress(kInstruments))));
  const Frame long_answer = ReadFrame(socket);
  CHECK(long_answer.compressed);
  const std::string text = Inflated(long_answer);
  CHECK(At(text, "/success") == "true");
  CHECK(long_answer.payload.size() < text.size());
  // Short ones, and what the client does not compress, go as they are.
  REQUIRE(socket.SendText(kPing));
  const Frame short_answer = ReadFrame(socket);
  CHECK_FALSE(short_answer.compressed);
  CHECK(At(short_answer.payload, "/success") == "true");
}

TEST_CASE("A client that offers nothing, and a server that allows nothing, compress nothing") {
  TestServer server(WithDeflate());
  TestSocket plain = TestSocket::Open(server.port());
  CHECK(At(plain.Ask(kInstruments), "/success") == "true");
  TestServer without;
  TestSocket socket(without.port());
  const std::string answer = socket.Http(TestSocket::UpgradeRequest(kOffer));
  CHECK(answer.starts_with("HTTP/1.1 101"));
  CHECK(answer.find("deflate") == std::string::npos);
  MessageDeflater deflater;
  socket.SendRaw(TestSocket::CompressedFrame(1, deflater.Compress(kPing)));
  CHECK(ReadFrame(socket).close_code() == 1'002);
}

TEST_CASE("A bomb ends with its reason and 1009, and so does what is long before it is inflated") {
  TestServer server(WithDeflate());
  MessageDeflater deflater;
  const auto check_refused = [&](const std::string& frame) {
    TestSocket socket = TestSocket::Open(server.port(), 0, kOffer);
    REQUIRE(socket.SendRaw(frame));
    CHECK(At(ReadFrame(socket).payload, "/error/code") == "frame_too_large");
    CHECK(ReadFrame(socket).close_code() == 1'009);
    CHECK(socket.AtEnd());
  };
  check_refused(
      TestSocket::CompressedFrame(1, deflater.Compress(std::string(kMessageMax + 1, ' '))));
  check_refused(TestSocket::CompressedFrame(1, deflater.Compress(std::string(50'000'000, ' '))));
  check_refused(TestSocket::CompressedFrame(1, std::string(kMessageMax + 1, ' ')));
  TestSocket socket = TestSocket::Open(server.port(), 0, kOffer);
  std::string text = kPing;
  text.append(kMessageMax - text.size(), ' ');
  REQUIRE(socket.SendRaw(TestSocket::CompressedFrame(1, deflater.Compress(text))));
  CHECK(At(ReadFrame(socket).payload, "/success") == "true");
}

TEST_CASE("What does not inflate, or is no UTF-8 then, closes with 1007") {
  TestServer server(WithDeflate());
  MessageDeflater deflater;
  {
    TestSocket socket = TestSocket::Open(server.port(), 0, kOffer);
    REQUIRE(socket.SendRaw(TestSocket::CompressedFrame(1, "\xff\xff\xff")));
    CHECK(ReadFrame(socket).close_code() == 1'007);
  }
  TestSocket socket = TestSocket::Open(server.port(), 0, kOffer);
  REQUIRE(socket.SendRaw(TestSocket::CompressedFrame(1, deflater.Compress("\xc3\x28"))));
  CHECK(At(ReadFrame(socket).payload, "/error/code") == "invalid_utf8");
  CHECK(ReadFrame(socket).close_code() == 1'007);
}

}  // namespace warpbook::gateway
