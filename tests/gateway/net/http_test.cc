#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "tests/gateway/support/json_text.h"
#include "tests/gateway/support/test_server.h"

namespace warpbook::gateway {
namespace {

std::string Get(uint16_t port, const std::string& request) {
  TestSocket socket(port);
  std::string answer = socket.Http(request);
  if (!answer.starts_with("HTTP/1.1 101")) CHECK(socket.AtEnd());
  return answer;
}

std::string Body(const std::string& answer) { return answer.substr(answer.find("\r\n\r\n") + 4); }

const std::string kGetLivez = "GET /livez HTTP/1.1\r\nHost: x\r\n\r\n";
const std::string kGetReadyz = "GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n";

}  // namespace

TEST_CASE("The admin listener tells whether it lives and is ready, the public one does not") {
  TestServer server;
  CHECK(Get(server.admin_port(), kGetLivez).starts_with("HTTP/1.1 200"));
  CHECK(Body(Get(server.admin_port(), kGetReadyz)) == R"({"status":"ready"})");
  CHECK(Get(server.port(), kGetLivez).starts_with("HTTP/1.1 404"));
  server.exchange.Lose();
  CHECK(Get(server.admin_port(), kGetReadyz).starts_with("HTTP/1.1 503"));
  CHECK(Get(server.admin_port(), kGetLivez).starts_with("HTTP/1.1 200"));
}

TEST_CASE("The admin listener gives the metrics, one answer after the other on a connection") {
  TestServer server;
  TestSocket socket(server.admin_port());
  const std::string get = "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n";
  for (int i = 0; i < 3; ++i) {
    const std::string answer = socket.Http(get);
    CHECK(answer.starts_with("HTTP/1.1 200"));
    CHECK(answer.find("Content-Type: text/plain; version=0.0.4; charset=utf-8\r\n") !=
          std::string::npos);
    const std::string text = Body(answer);
    CHECK(text.find("\nwarpbook_gateway_ready 1\n") != std::string::npos);
    CHECK(text.find("\nwarpbook_gateway_connections{kind=\"operator\"} 1\n") != std::string::npos);
  }
  CHECK(Get(server.port(), get).starts_with("HTTP/1.1 404"));
}

TEST_CASE("The clients' listener answers the read-only API, the admin one does not") {
  TestServer server;
  const auto get = [](const std::string& target) {
    return "GET " + target + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
  };
  const std::string listed = Get(server.port(), get("/api/v1/instruments?region=us-east&limit=1"));
  CHECK(listed.starts_with("HTTP/1.1 200"));
  CHECK(At(Body(listed), "/result/instruments/0/symbol") == kTestSymbol);
  const std::string unknown = Get(server.port(), get("/api/v1/book?symbol=nothing"));
  CHECK(unknown.starts_with("HTTP/1.1 404"));
  CHECK(At(Body(unknown), "/error/code") == "unknown_instrument");
  const std::string supply = Get(server.port(), get("/api/v1/supply"));
  CHECK(supply.starts_with("HTTP/1.1 503"));
  CHECK(At(Body(supply), "/error/code") == "settlement_unavailable");
  CHECK(Get(server.admin_port(), get("/api/v1/instruments")).starts_with("HTTP/1.1 404"));
}

TEST_CASE("Everything but /ws is answered with 404 and a reason in JSON") {
  TestServer server;
  const std::vector<std::string> requests = {
      "GET / HTTP/1.1\r\nHost: x\r\n\r\n",
      "GET /ws HTTP/1.1\r\nHost: x\r\n\r\n",
      "POST /ws HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n",
      "POST /livez HTTP/1.1\r\nHost: x\r\n\r\n",
      TestSocket::UpgradeRequest("", "/wss"),
      TestSocket::UpgradeRequest("", "/ws/"),
      TestSocket::UpgradeRequest("", "/"),
  };
  for (const std::string& request : requests) {
    for (const uint16_t port : {server.port(), server.admin_port()}) {
      const std::string answer = Get(port, request);
      CAPTURE(request);
      CHECK(answer.starts_with("HTTP/1.1 404"));
      CHECK(At(Body(answer), "/error/code") == "not_found");
    }
  }
}

TEST_CASE(
    "A page of another origin may not connect, one that is allowed and a client without may") {
  GatewayServer::Options options = TestOptions();
  options.allowed_origins = {"https://warpbook.example"};
  TestServer server(options);
  const auto open_from = [&](const std::string& header) {
    return Get(server.port(), TestSocket::UpgradeRequest(header));
  };
  const std::string foreign = open_from("Origin: https://evil.example\r\n");
  CHECK(foreign.starts_with("HTTP/1.1 403"));
  CHECK(At(Body(foreign), "/error/code") == "foreign_origin");
  CHECK(open_from("Origin: https://warpbook.example.evil\r\n").starts_with("HTTP/1.1 403"));
  CHECK(open_from("Origin: null\r\n").starts_with("HTTP/1.1 403"));
  CHECK(open_from("Origin: \r\n").starts_with("HTTP/1.1 403"));
  CHECK(open_from("Origin: https://warpbook.example\r\n").starts_with("HTTP/1.1 101"));
  CHECK(open_from("").starts_with("HTTP/1.1 101"));
}

TEST_CASE("What is no HTTP, or too much of it, ends the connection and nothing else") {
  GatewayServer::Options options = TestOptions();
  options.limits.handshake_timeout_micros = 300'000;
  TestServer server(options);
  {
    TestSocket socket(server.port());
    socket.SendRaw("\x16\x03\x01 this is no HTTP\r\n\r\n");
    CHECK(socket.AtEnd());
  }
  {
    const std::string answer = Get(server.port(), "GET /ws HTTP/1.1\r\nHost: ");
    CHECK(answer.starts_with("HTTP/1.1 408 Request Timeout"));
    CHECK(At(Body(answer), "/error/code") == "request_timeout");
  }
  {
    const std::string answer =
        Get(server.port(), "GET /ws HTTP/1.1\r\nX: " + std::string(20'000, 'x') + "\r\n\r\n");
    CHECK(answer.starts_with("HTTP/1.1 431"));
    CHECK(At(Body(answer), "/error/code") == "header_too_large");
  }
  {
    // It need not come to its end.
    TestSocket socket(server.port());
    CHECK(socket.Http("GET /ws HTTP/1.1\r\nX: " + std::string(20'000, 'x'))
              .starts_with("HTTP/1.1 431"));
  }
  CHECK(Get(server.port(), "HELLO\r\n\r\n").starts_with("HTTP/1.1 400"));
  {
    TestSocket socket(server.port());
    const std::string answer =
        socket.Http(TestSocket::UpgradeRequest() + TestSocket::FrameText(1, "{}"));
    CHECK(answer.starts_with("HTTP/1.1 400"));
  }
  TestSocket socket = TestSocket::Open(server.port());
  CHECK(At(socket.Ask(R"({"method":"ping"})"), "/success") == "true");
}

TEST_CASE("A connection answers one GET after another, until it is told to close") {
  TestServer server;
  const std::string get = "GET /api/v1/none HTTP/1.1\r\nHost: x\r\n\r\n";
  TestSocket socket(server.port());
  for (int i = 0; i < 3; ++i) {
    const std::string answer = socket.Http(get);
    CHECK(answer.starts_with("HTTP/1.1 404"));
    CHECK(At(Body(answer), "/error/code") == "unknown_method");
  }
  // Two in one piece are answered in order.
  REQUIRE(socket.SendRaw(get));
  CHECK(socket.Http("POST /api/v1/none HTTP/1.1\r\nHost: x\r\n\r\n").starts_with("HTTP/1.1 404"));
  const std::string refused = socket.Http("");
  CHECK(refused.starts_with("HTTP/1.1 405"));
  CHECK(refused.find("Allow: GET, HEAD") != std::string::npos);
  CHECK(At(Body(refused), "/error/code") == "method_not_allowed");
  CHECK(socket.Http("GET /api/v1/none HTTP/1.1\r\nConnection: close\r\n\r\n")
            .starts_with("HTTP/1.1 404"));
  CHECK(socket.AtEnd());
  // A GET may be the last before the WebSocket.
  TestSocket both(server.port());
  CHECK(both.Http(get).starts_with("HTTP/1.1 404"));
  CHECK(both.Http(TestSocket::UpgradeRequest()).starts_with("HTTP/1.1 101"));
  CHECK(At(both.Ask(R"({"method":"ping"})"), "/success") == "true");
  // The admin listener has no such resources, and HTTP/1.0 must ask to go on.
  CHECK(Get(server.admin_port(), get).starts_with("HTTP/1.1 404"));
  CHECK(Get(server.port(), "GET /api/v1/none HTTP/1.0\r\n\r\n").starts_with("HTTP/1.1 404"));
}

TEST_CASE("HEAD is answered with the head alone") {
  TestServer server;
  TestSocket socket(server.port());
  REQUIRE(socket.SendRaw("HEAD /api/v1/none HTTP/1.1\r\nConnection: close\r\n\r\n"));
  std::string answer;
  for (auto byte = socket.ReadRaw(1); !byte.empty(); byte = socket.ReadRaw(1)) answer += byte;
  CHECK(answer.starts_with("HTTP/1.1 404"));
  CHECK(answer.ends_with("\r\n\r\n"));
  CHECK(answer.find("Content-Length: 0") == std::string::npos);
}

TEST_CASE("HTTP is bounded by address, over all its connections, and by connection") {
  GatewayServer::Options options = TestOptions();
  options.limits.http.requests_per_second = 1;
  options.limits.http.requests_burst = 4;
  options.limits.http.requests_per_connection_max = 3;
  TestServer server(options);
  const std::string get = "GET /api/v1/none HTTP/1.1\r\nHost: x\r\n\r\n";
  TestSocket first(server.port());
  for (int i = 0; i < 3; ++i) CHECK(first.Http(get).starts_with("HTTP/1.1 404"));
  CHECK(first.AtEnd());
  TestSocket second(server.port());
  CHECK(second.Http(get).starts_with("HTTP/1.1 404"));
  const std::string limited = second.Http(get);
  CHECK(limited.starts_with("HTTP/1.1 429"));
  CHECK(limited.find("Retry-After: ") != std::string::npos);
  CHECK(At(Body(limited), "/error/code") == "rate_limited");
  CHECK(second.Http(TestSocket::UpgradeRequest()).starts_with("HTTP/1.1 101"));
}

TEST_CASE("A client that ends its direction behind its request still gets the answer") {
  TestServer server;
  TestSocket socket(server.port());
  REQUIRE(socket.SendRaw("GET /api/v1/none HTTP/1.1\r\nConnection: close\r\n\r\n"));
  socket.EndWriting();
  CHECK(socket.Http("").starts_with("HTTP/1.1 404"));
  CHECK(socket.AtEnd());
}

TEST_CASE("Connections are limited by address and in total, and one too many is told so") {
  GatewayServer::Options options = TestOptions();
  options.limits.client_connections.per_address_max = 2;
  TestServer server(options);
  TestSocket first = TestSocket::Open(server.port());
  {
    TestSocket second = TestSocket::Open(server.port());
    const std::string third = Get(server.port(), TestSocket::UpgradeRequest());
    CHECK(third.starts_with("HTTP/1.1 503"));
    CHECK(At(Body(third), "/error/code") == "too_many_connections");
  }
  // The second is gone: there is room again, as soon as the server has seen it.
  std::string answer;
  for (int attempt = 0; attempt < 100 && !answer.starts_with("HTTP/1.1 101"); ++attempt) {
    answer = Get(server.port(), TestSocket::UpgradeRequest());
  }
  CHECK(answer.starts_with("HTTP/1.1 101"));

  options.limits.client_connections = {.total_max = 1, .per_address_max = 100, .refused_max = 1};
  TestServer small(options);
  TestSocket only = TestSocket::Open(small.port());
  TestSocket waiting(small.port());  // being refused: says nothing yet
  TestSocket beyond(small.port());
  CHECK(beyond.AtEnd());  // closed unanswered
  CHECK(waiting.Http(TestSocket::UpgradeRequest()).starts_with("HTTP/1.1 503"));
}

TEST_CASE("Clients take no connection from operators and settlement, nor these from clients") {
  GatewayServer::Options options = TestOptions();
  options.limits.client_connections = {.total_max = 1, .per_address_max = 1, .refused_max = 1};
  options.limits.admin_connections = {.total_max = 1, .per_address_max = 1, .refused_max = 1};
  TestServer server(options);
  const std::string request = TestSocket::UpgradeRequest();
  TestSocket client = TestSocket::Open(server.port());
  TestSocket refused(server.port());
  CHECK(TestSocket(server.port()).AtEnd());
  {
    TestSocket settlement = TestSocket::Open(server.admin_port());
    CHECK(Get(server.admin_port(), request).starts_with("HTTP/1.1 503"));
  }
  CHECK(refused.Http(request).starts_with("HTTP/1.1 503"));
}

}  // namespace warpbook::gateway
