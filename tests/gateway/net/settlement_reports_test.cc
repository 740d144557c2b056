// /api/v1/supply and /api/v1/disclosures, which settlement answers: forwarded, kept for a second,
// and never waited for.
#include "gateway/net/settlement_reports.h"

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <future>
#include <thread>

#include "tests/gateway/support/json_text.h"
#include "tests/gateway/support/test_server.h"

namespace warpbook::gateway {
namespace {

using std::chrono::milliseconds;

// A settlement that answers what a test says, one connection after another, and counts.
class FakeSettlement {
 public:
  // status and body for a target; may wait.
  using Answer = std::function<std::pair<int, std::string>(const std::string& target)>;

  explicit FakeSettlement(Answer answer)
      : answer_(std::move(answer)), listener_(socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    auto* const generic = reinterpret_cast<sockaddr*>(&address);
    REQUIRE(bind(listener_, generic, sizeof address) == 0);
    REQUIRE(listen(listener_, 64) == 0);
    socklen_t size = sizeof address;
    REQUIRE(getsockname(listener_, generic, &size) == 0);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { Run(); });
  }
  ~FakeSettlement() {
    shutdown(listener_, SHUT_RDWR);
    thread_.join();
    close(listener_);
  }
  std::string address() const { return "127.0.0.1:" + std::to_string(port_); }
  int asked() const { return asked_; }

 private:
  void Run() {
    while (true) {
      const int connection = accept(listener_, nullptr, nullptr);
      if (connection < 0) return;
      std::string request;
      char byte = 0;
      while (request.find("\r\n\r\n") == std::string::npos && read(connection, &byte, 1) == 1) {
        request += byte;
      }
      ++asked_;
      const size_t begin = request.find(' ') + 1;
      const auto [status, body] = answer_(request.substr(begin, request.find(' ', begin) - begin));
      const std::string answer =
          "HTTP/1.1 " + std::to_string(status) +
          " X\r\nConnection: close\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
          body;
      [[maybe_unused]] const auto sent =
          send(connection, answer.data(), answer.size(), MSG_NOSIGNAL);
      close(connection);
    }
  }

  const Answer answer_;
  const int listener_;
  uint16_t port_ = 0;
  std::atomic<int> asked_ = 0;
  std::thread thread_;
};

std::string Get(uint16_t port, const std::string& target) {
  TestSocket socket(port);
  return socket.Http("GET " + target + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
}

std::string Body(const std::string& answer) { return answer.substr(answer.find("\r\n\r\n") + 4); }

// "503 settlement_unavailable"
std::string RefusalOf(const std::string& answer) {
  return answer.substr(9, 3) + " " + At(Body(answer), "/error/code");
}

GatewayServer::Options OptionsFor(const std::string& settlement) {
  GatewayServer::Options options = TestOptions();
  options.settlement = settlement;
  return options;
}

constexpr const char* kAnswer = R"({"success":true,"result":{},"seq":7,"ts":9})";

}  // namespace

TEST_CASE("Supply and disclosures are settlement's answers, as they came") {
  FakeSettlement settlement([](const std::string& target) {
    return std::pair(200, R"({"success":true,"result":{"asked":")" + target + R"("},"seq":7})");
  });
  TestServer server(OptionsFor(settlement.address()));
  const auto asked = [&](const std::string& target) {
    const std::string answer = Get(server.port(), target);
    CHECK(answer.starts_with("HTTP/1.1 200"));
    return At(Body(answer), "/result/asked");
  };
  CHECK(asked("/api/v1/supply") == "/supply");
  CHECK(asked("/api/v1/supply?date=2027-01-01") == "/supply?date=2027-01-01");
  CHECK(asked("/api/v1/supply?date=%32027-01-01") == "/supply?date=2027-01-01");
  CHECK(asked("/api/v1/disclosures") == "/disclosures");
  for (const std::string date : {"", "2027", "2027-1-1", "2027-02-30", "tomorrow", "2027-01-01%20",
                                 "2027-01-01%26x", "%0d%0aX:%20y"}) {
    CAPTURE(date);
    CHECK(RefusalOf(Get(server.port(), "/api/v1/supply?date=" + date)) == "400 out_of_range");
  }
  CHECK(RefusalOf(Get(server.port(), "/api/v1/disclosures?date=2027-01-01")) ==
        "400 unknown_field");
  CHECK(settlement.asked() == 3);
}

TEST_CASE("However many ask, settlement is asked once a second") {
  FakeSettlement settlement([](const std::string&) {
    std::this_thread::sleep_for(milliseconds(50));
    return std::pair(200, std::string(kAnswer));
  });
  GatewayServer::Options options = OptionsFor(settlement.address());
  options.io_threads = 2;
  TestServer server(options);
  const auto before = std::chrono::steady_clock::now();
  std::vector<std::future<std::string>> answers;
  for (int i = 0; i < 50; ++i) {
    answers.push_back(
        std::async(std::launch::async, [&] { return Get(server.port(), "/api/v1/supply"); }));
  }
  for (auto& answer : answers) CHECK(Body(answer.get()) == kAnswer);
  const auto seconds =
      std::chrono::duration_cast<std::chrono::seconds>(std::chrono::steady_clock::now() - before)
          .count();
  CHECK(settlement.asked() <= 1 + seconds);
}

TEST_CASE("While settlement is asked, the connection waits and everybody else is served") {
  std::promise<void> release;
  FakeSettlement settlement([gone = release.get_future().share()](const std::string&) {
    gone.wait();
    return std::pair(200, std::string(kAnswer));
  });
  TestServer server(OptionsFor(settlement.address()));
  const std::string get = "GET /api/v1/supply HTTP/1.1\r\nHost: x\r\n\r\n";
  const std::string other = "GET /api/v1/none HTTP/1.1\r\nHost: x\r\n\r\n";
  TestSocket waiting(server.port()), head(server.port()), leaving(server.port());
  // What is asked behind it is answered behind it.
  REQUIRE(waiting.SendRaw(get + other));
  REQUIRE(waiting.SendRaw(other));
  REQUIRE(head.SendRaw("HEAD /api/v1/supply HTTP/1.1\r\nConnection: close\r\n\r\n"));
  REQUIRE(leaving.SendRaw(get));
  {
    TestSocket socket = TestSocket::Open(server.port());
    CHECK(At(socket.Ask(R"({"method":"ping"})"), "/success") == "true");
    CHECK(RefusalOf(Get(server.port(), "/api/v1/none")) == "404 unknown_method");
    const TestSocket gone = std::move(leaving);
  }
  release.set_value();
  CHECK(Body(waiting.Http("")) == kAnswer);
  CHECK(RefusalOf(waiting.Http("")) == "404 unknown_method");
  CHECK(RefusalOf(waiting.Http("")) == "404 unknown_method");
  CHECK(Body(waiting.Http(get)) == kAnswer);
  std::string answer;
  for (auto byte = head.ReadRaw(1); !byte.empty(); byte = head.ReadRaw(1)) answer += byte;
  CHECK(answer.starts_with("HTTP/1.1 200"));
  CHECK(answer.ends_with("\r\n\r\n"));
}

TEST_CASE("A settlement that is away or answers nonsense is unavailable, and may come back") {
  std::string address;
  {
    FakeSettlement settlement([](const std::string&) { return std::pair(500, std::string("{}")); });
    address = settlement.address();
    TestServer server(OptionsFor(address));
    CHECK(RefusalOf(Get(server.port(), "/api/v1/supply")) == "503 settlement_unavailable");
  }
  TestServer server(OptionsFor(address));  // nobody is there any more
  CHECK(RefusalOf(Get(server.port(), "/api/v1/supply")) == "503 settlement_unavailable");
  CHECK(RefusalOf(Get(server.port(), "/api/v1/supply?date=2027-01-01")) ==
        "503 settlement_unavailable");
  CHECK(RefusalOf(Get(server.port(), "/api/v1/disclosures")) == "503 settlement_unavailable");
  // Too large an answer is none.
  FakeSettlement large(
      [](const std::string&) { return std::pair(200, std::string(2u << 20, ' ')); });
  TestServer to_large(OptionsFor(large.address()));
  CHECK(RefusalOf(Get(to_large.port(), "/api/v1/supply")) == "503 settlement_unavailable");
}

TEST_CASE("A day that settlement finds out of range is refused as one") {
  FakeSettlement settlement([](const std::string&) {
    return std::pair(400, std::string(R"({"error":{"code":"bad_parameter","message":"x"}})"));
  });
  TestServer server(OptionsFor(settlement.address()));
  const std::string answer = Get(server.port(), "/api/v1/supply?date=1999-01-01");
  CHECK(RefusalOf(answer) == "400 out_of_range");
  CHECK(At(Body(answer), "/error/data/param") == "date");
}

TEST_CASE("Questions with a parameter are so many at once, and take no room from those without") {
  std::promise<void> release;
  FakeSettlement settlement([gone = release.get_future().share()](const std::string& target) {
    gone.wait();
    return std::pair(200, target);
  });
  std::atomic<int> called = 0;
  SettlementReports reports({.address = settlement.address()});
  const auto count = [&called](const SettlementReports::SharedAnswer& answer) {
    CHECK(answer->status == 200);
    ++called;
  };
  for (size_t i = 0; i < kSettlementQuestionsMax; ++i) {
    CHECK(reports.Ask("/supply?date=" + std::to_string(i), count) == nullptr);
  }
  const auto one_more = reports.Ask("/supply?date=x", count);
  REQUIRE(one_more != nullptr);
  CHECK(one_more->status == 503);
  CHECK(reports.Ask("/supply", count) == nullptr);
  CHECK(reports.Ask("/supply?date=0", count) == nullptr);
  release.set_value();
  const int all = static_cast<int>(kSettlementQuestionsMax) + 2;
  for (int i = 0; i < 2'000 && called < all; ++i) std::this_thread::sleep_for(milliseconds(5));
  CHECK(called == all);
  CHECK(settlement.asked() == all - 1);
  const auto kept = reports.Ask("/supply", count);
  REQUIRE(kept != nullptr);
  CHECK(kept->body == "/supply");
  // In a second there is room again.
  std::this_thread::sleep_for(kSettlementAnswerAgeMax + milliseconds(50));
  CHECK(reports.Ask("/supply?date=y", count) == nullptr);
}

TEST_CASE("A server ends while settlement is being asked") {
  std::promise<void> release;
  FakeSettlement settlement([gone = release.get_future().share()](const std::string&) {
    gone.wait();
    return std::pair(200, std::string(kAnswer));
  });
  {
    TestServer server(OptionsFor(settlement.address()));
    TestSocket socket(server.port());
    REQUIRE(socket.SendRaw("GET /api/v1/supply HTTP/1.1\r\nHost: x\r\n\r\n"));
    for (int i = 0; i < 1'000 && settlement.asked() == 0; ++i) {
      std::this_thread::sleep_for(milliseconds(5));
    }
    CHECK(settlement.asked() == 1);
    server.server->Drain(milliseconds(200));
    CHECK(socket.AtEnd());
  }
  release.set_value();
}

}  // namespace warpbook::gateway
