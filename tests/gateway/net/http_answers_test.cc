#include "gateway/net/http_answers.h"

#include <doctest/doctest.h>

#include <optional>
#include <string>

#include "tests/gateway/support/json_text.h"

namespace warpbook::gateway {
namespace {

class FakeHost final : public SessionHost {
 public:
  bool IsReady() const override { return is_ready; }
  bool IsBehind() const override { return is_behind; }
  bool IsAllowedOrigin(std::string_view origin) const override { return origin == "https://ours"; }
  int64_t WaitForHttp(const std::string&) override { return wait_micros; }
  std::optional<HttpAnswer> OnHttpGet(std::string_view target, uint64_t connection_id) override {
    asked = std::to_string(connection_id) + " " + std::string(target);
    if (target == "/api/v1/supply") return HttpAnswer{.body = {}, .later = true};
    if (target != "/api/v1/book?symbol=x") return std::nullopt;
    return HttpAnswer{.body = "{}"};
  }
  bool AskMetrics(uint64_t connection_id) override {
    asked = std::to_string(connection_id) + " metrics";
    return has_metrics;
  }
  void OnOpened(Session&) override {}
  void OnText(Session&, std::string_view) override {}
  void OnBinary(Session&, std::string_view) override {}
  void OnRoom(Session&) override {}
  void OnEnding(Session&) override {}
  void OnLogonEnded(Session&) override {}
  void OnGone(Session&, std::string_view) override {}

  bool is_ready = true;
  bool is_behind = false;
  bool has_metrics = true;
  int64_t wait_micros = 0;
  std::string asked;
};

const std::string kPeer = "192.0.2.7";

HttpRequest Get(const std::string& target) {
  HttpRequest request;
  request.is_get = true;
  request.target = target;
  return request;
}

HttpAnswer AnswerTo(FakeHost& host, const HttpRequest& request, bool on_admin = false,
                    bool refused = false) {
  const auto answer = AnswerHttp(
      request, {.peer = kPeer, .connection_id = 9, .on_admin = on_admin, .refused = refused}, host);
  REQUIRE(answer.has_value());
  return *answer;
}

std::string CodeOf(const HttpAnswer& answer) { return At(answer.body, "/error/code"); }

}  // namespace

TEST_CASE("What is under /api/v1/ is the host's to answer, and the connection goes on") {
  FakeHost host;
  const HttpAnswer answer = AnswerTo(host, Get("/api/v1/book?symbol=x"));
  CHECK(answer.status == 200);
  CHECK(answer.body == "{}");
  CHECK(answer.keeps_connection);
  CHECK(host.asked == "9 /api/v1/book?symbol=x");
  HttpRequest head = Get("/api/v1/book?symbol=x");
  head.is_get = false;
  head.is_head = true;
  CHECK(AnswerTo(host, head).status == 200);
  const HttpAnswer none = AnswerTo(host, Get("/api/v1/none"));
  CHECK(none.status == 404);
  CHECK(none.keeps_connection);
  const HttpAnswer later = AnswerTo(host, Get("/api/v1/supply"));
  CHECK(later.later);
  CHECK(later.keeps_connection);
}

TEST_CASE("Metrics are the operators', also while the exchange is not ready") {
  FakeHost host;
  host.is_ready = false;
  const HttpAnswer later = AnswerTo(host, Get("/metrics"), /*on_admin=*/true);
  CHECK(later.later);
  CHECK(later.keeps_connection);
  CHECK(host.asked == "9 metrics");
  host.has_metrics = false;
  CHECK(AnswerTo(host, Get("/metrics"), /*on_admin=*/true).status == 503);
  host.asked.clear();
  CHECK(AnswerTo(host, Get("/metrics")).status == 404);
  CHECK(AnswerTo(host, Get("/metrics/"), /*on_admin=*/true).status == 404);
  CHECK(host.asked.empty());
}

TEST_CASE("A host whose journal stands still is not ready, and still takes who comes") {
  FakeHost host;
  CHECK(AnswerTo(host, Get("/readyz"), /*on_admin=*/true).status == 200);
  host.is_behind = true;
  const HttpAnswer behind = AnswerTo(host, Get("/readyz"), /*on_admin=*/true);
  CHECK(behind.status == 503);
  CHECK(At(behind.body, "/status") == "journal_behind");
  CHECK(AnswerTo(host, Get("/api/v1/book?symbol=x")).status == 200);
  host.is_ready = false;
  CHECK(At(AnswerTo(host, Get("/readyz"), /*on_admin=*/true).body, "/status") == "not_ready");
}

TEST_CASE("The host is not asked by those who may not ask") {
  FakeHost host;
  HttpRequest post = Get("/api/v1/book");
  post.is_get = false;
  CHECK(AnswerTo(host, post).status == 405);
  CHECK(AnswerTo(host, Get("/api/v1/book"), /*on_admin=*/true).status == 404);
  const HttpAnswer refused = AnswerTo(host, Get("/api/v1/book"), false, /*refused=*/true);
  CHECK(refused.status == 503);
  CHECK(CodeOf(refused) == "too_many_connections");
  CHECK_FALSE(refused.keeps_connection);
  HttpRequest with_body = Get("/api/v1/book");
  with_body.has_body = true;
  CHECK(AnswerTo(host, with_body).status == 400);
  host.wait_micros = 2'500'000;
  const HttpAnswer limited = AnswerTo(host, Get("/api/v1/book"));
  CHECK(limited.status == 429);
  CHECK(limited.retry_after_seconds == 3);
  host.is_ready = false;
  CHECK(CodeOf(AnswerTo(host, Get("/api/v1/book"))) == "shutting_down");
  CHECK(host.asked.empty());
}

}  // namespace warpbook::gateway
