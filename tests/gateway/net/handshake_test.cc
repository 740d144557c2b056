#include "gateway/net/handshake.h"

#include <doctest/doctest.h>

#include <string>

#include "gateway/net/http_messages.h"
#include "tests/gateway/support/json_text.h"
#include "tests/gateway/support/test_socket.h"

namespace warpbook::gateway {
namespace {

Handshake Accept(const std::string& header, bool allow_deflate = true) {
  return AcceptHandshake(TestSocket::UpgradeRequest(header), {.allow_deflate = allow_deflate});
}

std::string HeaderOf(const std::string& response, const std::string& name) {
  const size_t at = response.find("\r\n" + name + ": ");
  if (at == std::string::npos) return "";
  const size_t begin = at + 2 + name.size() + 2;
  return response.substr(begin, response.find("\r\n", begin) - begin);
}

std::string Extensions(const std::string& offer) {
  return HeaderOf(Accept("Sec-WebSocket-Extensions: " + offer + "\r\n").response,
                  "Sec-WebSocket-Extensions");
}

std::string Subprotocol(const std::string& offer, Encoding expected) {
  const Handshake handshake = Accept("Sec-WebSocket-Protocol: " + offer + "\r\n");
  CHECK(handshake.accepted);
  CHECK(handshake.encoding == expected);
  return HeaderOf(handshake.response, "Sec-WebSocket-Protocol");
}

}  // namespace

TEST_CASE("A good request is accepted with the answer to its key") {
  const Handshake handshake = Accept("");
  CHECK(handshake.accepted);
  CHECK(handshake.response.starts_with("HTTP/1.1 101"));
  // RFC 6455, 1.3.
  CHECK(HeaderOf(handshake.response, "Sec-WebSocket-Accept") == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
  CHECK(HeaderOf(handshake.response, "Sec-WebSocket-Extensions").empty());
  CHECK_FALSE(handshake.deflate);
  CHECK(handshake.encoding == Encoding::kJson);
  CHECK(handshake.response.ends_with("\r\n\r\n"));
}

TEST_CASE("A request that is no handshake is refused with a reason") {
  const auto refused = [](std::string request, const std::string& from, const std::string& to) {
    request.replace(request.find(from), from.size(), to);
    const Handshake handshake = AcceptHandshake(request, {});
    CHECK_FALSE(handshake.accepted);
    const std::string& response = handshake.response;
    CHECK(At(response.substr(response.find("\r\n\r\n") + 4), "/error/code") == "bad_handshake");
    return response.substr(0, 12);
  };
  const std::string good = TestSocket::UpgradeRequest();
  CHECK(refused(good, "Version: 13", "Version: 12") == "HTTP/1.1 426");
  CHECK(refused(good, "Sec-WebSocket-Key", "X-Key") == "HTTP/1.1 400");
  for (const char* key : {"", "dGhlIHNhbXBsZSBub25jZQ", "dGhlIHNhbXBsZSBub25jZSE=", "!!!!"}) {
    CHECK(refused(good, "Sec-WebSocket-Key: ",
                  "Sec-WebSocket-Key: " + std::string(key) + "\r\nX-Key: ") == "HTTP/1.1 400");
  }
  CHECK(refused(good, "Host", "X-Host") == "HTTP/1.1 400");
  CHECK(refused(good, "GET", "POST") == "HTTP/1.1 400");
  const Handshake none = AcceptHandshake("none\r\n\r\n", {});
  CHECK_FALSE(none.accepted);
  CHECK(none.response.starts_with("HTTP/1.1 400"));
}

TEST_CASE("The first subprotocol that is known is taken, and none where none is") {
  CHECK(Subprotocol("warpbook.v1.json", Encoding::kJson) == "warpbook.v1.json");
  CHECK(Subprotocol("warpbook.v1.flatbuffers", Encoding::kFlatBuffers) ==
        "warpbook.v1.flatbuffers");
  CHECK(Subprotocol("chat, warpbook.v1.flatbuffers, warpbook.v1.json", Encoding::kFlatBuffers) ==
        "warpbook.v1.flatbuffers");
  CHECK(Subprotocol("chat, superchat", Encoding::kJson).empty());
  CHECK(Subprotocol("warpbook.v2.json", Encoding::kJson).empty());
}

TEST_CASE("Compression is agreed on without context on either side, where it is allowed") {
  const std::string plain = "permessage-deflate";
  const Handshake handshake = Accept("Sec-WebSocket-Extensions: " + plain + "\r\n");
  CHECK(handshake.deflate);
  CHECK(handshake.deflates_to_client);
  CHECK(Extensions(plain).find("server_no_context_takeover") != std::string::npos);
  CHECK(Extensions(plain).find("client_no_context_takeover") != std::string::npos);
  // As browsers offer it.
  CHECK(Extensions("permessage-deflate; client_max_window_bits").starts_with(plain));
  CHECK(Extensions("x-webkit-deflate-frame").empty());
  CHECK(Extensions("permessage-deflate; server_max_window_bits=99").empty());
  const Handshake not_allowed =
      Accept("Sec-WebSocket-Extensions: " + plain + "\r\n", /*allow_deflate=*/false);
  CHECK(not_allowed.accepted);
  CHECK_FALSE(not_allowed.deflate);
  CHECK(HeaderOf(not_allowed.response, "Sec-WebSocket-Extensions").empty());
}

TEST_CASE("A client with a smaller window is sent nothing compressed") {
  const Handshake handshake =
      Accept("Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=10\r\n");
  CHECK(handshake.deflate);
  CHECK_FALSE(handshake.deflates_to_client);
}

TEST_CASE("A request's head is found however it comes, and read") {
  const std::string text =
      "GET /api/v1/book?symbol=x HTTP/1.1\r\nHost: x\r\nOrigin: https://a.example\r\n\r\nmore";
  CHECK(FindHeadEnd(text) == text.size() - 4);
  size_t found = 0, at = 0;
  for (; found == 0 && at < text.size(); ++at) found = FindHeadEnd(text.substr(0, at + 1), at);
  CHECK(found == text.size() - 4);
  HttpRequest request;
  REQUIRE(ParseHttpRequest(text.substr(0, found), request));
  CHECK(request.is_get);
  CHECK(request.keep_alive);
  CHECK_FALSE(request.is_upgrade);
  CHECK_FALSE(request.has_body);
  CHECK(request.target == "/api/v1/book?symbol=x");
  CHECK(request.origin == "https://a.example");
  REQUIRE(ParseHttpRequest("POST / HTTP/1.1\r\nContent-Length: 3\r\nConnection: close\r\n\r\n",
                           request));
  CHECK_FALSE(request.is_get);
  CHECK(request.has_body);
  CHECK_FALSE(request.keep_alive);
  CHECK_FALSE(request.has_origin);
  CHECK_FALSE(ParseHttpRequest("HELLO\r\n\r\n", request));
  CHECK_FALSE(ParseHttpRequest("GET / HTTP/9\r\n\r\n", request));
}

TEST_CASE("An answer says its length and how the connection goes on") {
  const HttpAnswer answer{.status = 429, .body = R"({"a":1})", .retry_after_seconds = 2};
  const std::string text = FormatHttpAnswer(answer, /*keep_alive=*/true, /*head_only=*/false);
  CHECK(text.starts_with("HTTP/1.1 429 "));
  CHECK(HeaderOf(text, "Content-Length") == "7");
  CHECK(HeaderOf(text, "Retry-After") == "2");
  CHECK(text.ends_with("\r\n\r\n{\"a\":1}"));
  CHECK(HeaderOf(text, "Connection").empty());
  const std::string head = FormatHttpAnswer(answer, /*keep_alive=*/false, /*head_only=*/true);
  CHECK(head.ends_with("\r\n\r\n"));
  CHECK(HeaderOf(head, "Content-Length") == "7");
  CHECK(HeaderOf(head, "Connection") == "close");
}

}  // namespace warpbook::gateway
