// Settlement's HTTP: what is answered to whom, and every bound.
#include "settlement/service/http_server.h"

#include <doctest/doctest.h>

#include <atomic>
#include <thread>

#include "gateway/client/http_get.h"
#include "gateway/client/json_value.h"
#include "schema/base/json_object.h"
#include "settlement/service/report_service.h"
#include "tests/gateway/support/test_socket.h"

namespace warpbook::settlement {
namespace {

using gateway::TestSocket;
using std::chrono::milliseconds;

std::string Body(const std::string& answer) { return answer.substr(answer.find("\r\n\r\n") + 4); }

std::string CodeOf(const std::string& answer) {
  const auto json = gateway::JsonValue::Parse(Body(answer));
  return json.ok() ? (*json)["error"]["code"].text() : "";
}

HttpServer::Options OnLoopback() {
  HttpServer::Options options;
  options.address = "127.0.0.1:0";
  return options;
}

// Answers at once with the target.
void Echo(const std::string& target, const HttpServer::Respond& respond) {
  respond({200, JsonObject().Text("target", target).Build()});
}

std::unique_ptr<HttpServer> Serve(HttpServer::Options options, HttpServer::Handler handler = Echo) {
  auto server = HttpServer::Start(std::move(options), std::move(handler));
  REQUIRE_MESSAGE(server.ok(), std::string(server.status().message()));
  return *std::move(server);
}

const std::string kGet = "GET /supply HTTP/1.1\r\nHost: x\r\n\r\n";

}  // namespace

TEST_CASE("Only loopback is listened on, unless that is said") {
  const auto fault = [](const std::string& address) {
    return std::string(HttpServer::Start({.address = address}, Echo).status().message());
  };
  CHECK(fault("0.0.0.0:0").find("it is not a loopback address") != std::string::npos);
  CHECK(fault("[::]:0").find("it is not a loopback address") != std::string::npos);
  CHECK(fault("10.1.2.3:80").find("--allow-http-beyond-loopback") != std::string::npos);
  for (const std::string address : {"", "127.0.0.1", "localhost:80", "127.0.0.1:", "127.0.0.1:x",
                                    "127.0.0.1:65536", "127.0.0.1:-1", "127.0.0.1:80 "}) {
    CAPTURE(address);
    CHECK(fault(address).find("HTTP address") == 0);
  }
  CHECK(Serve({.address = "0.0.0.0:0", .allow_beyond_loopback = true})->port() != 0);
  CHECK(Serve({.address = "[::1]:0"})->port() != 0);
  const auto first = Serve(OnLoopback());
  CHECK(fault("127.0.0.1:" + std::to_string(first->port())).find("cannot listen on") == 0);
}

TEST_CASE("One request after another is answered on a connection, until it is told to close") {
  const auto server = Serve(OnLoopback());
  TestSocket socket(server->port());
  for (int i = 0; i < 3; ++i) {
    const std::string answer = socket.Http(kGet);
    CHECK(answer.starts_with("HTTP/1.1 200"));
    CHECK(answer.find("Content-Type: application/json") != std::string::npos);
    CHECK(Body(answer) == R"({"target":"/supply"})");
  }
  CHECK(socket.Http("GET / HTTP/1.1\r\nConnection: close\r\n\r\n").starts_with("HTTP/1.1 200"));
  CHECK(socket.AtEnd());
  TestSocket head(server->port());
  REQUIRE(head.SendRaw("HEAD /supply HTTP/1.1\r\nConnection: close\r\n\r\n"));
  std::string answer;
  for (auto byte = head.ReadRaw(1); !byte.empty(); byte = head.ReadRaw(1)) answer += byte;
  CHECK(answer.starts_with("HTTP/1.1 200"));
  CHECK(answer.find("Content-Length: 20") != std::string::npos);
  CHECK(answer.ends_with("\r\n\r\n"));
}

TEST_CASE("What is no question is refused with a reason, and ends the connection") {
  const auto server = Serve(OnLoopback());
  const auto refused = [&](const std::string& request) {
    TestSocket socket(server->port());
    const std::string answer = socket.Http(request);
    CHECK(socket.AtEnd());
    return answer.substr(9, 3) + " " + CodeOf(answer);
  };
  CHECK(refused("POST /supply HTTP/1.1\r\nContent-Length: 0\r\n\r\n") == "405 method_not_allowed");
  CHECK(refused("DELETE /supply HTTP/1.1\r\n\r\n") == "405 method_not_allowed");
  CHECK(refused("GET /supply HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello") == "400 bad_request");
  CHECK(refused("hello\r\n\r\n") == "400 bad_request");
  CHECK(refused("GET /\x01 HTTP/1.1\r\n\r\n") == "400 bad_request");
  CHECK(refused("GET / HTTP/1.1\r\nX: " + std::string(20'000, 'x') + "\r\n\r\n") ==
        "431 header_too_large");
}

TEST_CASE("Connections are limited in number and in the time that they take") {
  HttpServer::Options options = OnLoopback();
  options.connections_max = 2;
  options.read_timeout = milliseconds(200);
  const auto server = Serve(options);
  {
    TestSocket first(server->port()), second(server->port());
    CHECK(TestSocket(server->port()).AtEnd());
    CHECK(first.Http(kGet).starts_with("HTTP/1.1 200"));
    CHECK(second.Http(kGet).starts_with("HTTP/1.1 200"));
    // Silent ones, and those that never come to an end, are closed.
    REQUIRE(second.SendRaw("GET / HTTP/1.1\r\n"));
    CHECK(first.AtEnd());
    CHECK(second.AtEnd());
  }
  std::string answer;
  for (int i = 0; i < 100 && answer.empty(); ++i) {
    TestSocket again(server->port());
    if (again.SendRaw(kGet)) answer = again.ReadRaw(12);
  }
  CHECK(answer == "HTTP/1.1 200");
}

TEST_CASE("An answer may come later, from another thread, or never") {
  std::vector<std::thread> threads;
  HttpServer::Respond kept;
  const auto server =
      Serve(OnLoopback(), [&](const std::string& target, HttpServer::Respond respond) {
        if (target == "/never") {
          kept = std::move(respond);
          return;
        }
        threads.emplace_back([target, respond = std::move(respond)] {
          std::this_thread::sleep_for(milliseconds(20));
          respond({target == "/no" ? 404u : 200u, "{}"});
        });
      });
  TestSocket first(server->port()), second(server->port()), third(server->port());
  REQUIRE(first.SendRaw("GET /never HTTP/1.1\r\n\r\n"));
  CHECK(second.Http("GET /yes HTTP/1.1\r\n\r\n").starts_with("HTTP/1.1 200"));
  CHECK(third.Http("GET /no HTTP/1.1\r\n\r\n").starts_with("HTTP/1.1 404"));
  for (std::thread& thread : threads) thread.join();
  server->Stop();
  REQUIRE(kept);
  kept({200, "{}"});  // to nobody
  kept = nullptr;
}

TEST_CASE("One GET has its answer, or a sentence why not, in its time") {
  HttpServer::Respond kept;
  const auto server =
      Serve(OnLoopback(), [&](const std::string& target, HttpServer::Respond respond) {
        if (target == "/never") {
          kept = std::move(respond);
        } else {
          respond({target == "/no" ? 404u : 200u, std::string(1'000, 'x')});
        }
      });
  gateway::HttpGetOptions options;
  options.address = "127.0.0.1:" + std::to_string(server->port());
  options.timeout = milliseconds(300);
  const auto get = [&](const std::string& target) {
    options.target = target;
    return gateway::HttpGet(options);
  };
  const auto found = get("/yes");
  REQUIRE(found.ok());
  CHECK(found->status == 200);
  CHECK(found->body == std::string(1'000, 'x'));
  CHECK(get("/no")->status == 404);
  CHECK(std::string(get("/never").status().message()) == options.address + ": no answer in time");
  options.body_bytes_max = 999;
  CHECK(absl::IsUnavailable(get("/yes").status()));
  options.address = "127.0.0.1:1";
  CHECK(std::string(get("/yes").status().message()).find("127.0.0.1:1: cannot connect") == 0);
  options.address = "nowhere";
  CHECK(absl::IsInvalidArgument(get("/yes").status()));
  server->Stop();
  kept = nullptr;
}

TEST_CASE("The reports say that there is no database, one desk not waiting for the other") {
  ReportDesk::Options reports;
  reports.conninfo = "host=127.0.0.1 port=1";
  const Metrics metrics;
  auto service = ReportService::Start(OnLoopback(), reports,
                                      {.metrics = metrics, .is_ready = [] { return true; }});
  REQUIRE(service.ok());
  TestSocket socket((*service)->port());
  CHECK(CodeOf(socket.Http(kGet)) == "database_unavailable");
  CHECK(CodeOf(socket.Http("GET /lease?id=1 HTTP/1.1\r\n\r\n")) == "database_unavailable");
  CHECK(CodeOf(socket.Http("GET /weather HTTP/1.1\r\n\r\n")) == "not_found");
  // The end of the service with a question under way.
  REQUIRE(socket.SendRaw(kGet));
}

}  // namespace warpbook::settlement
