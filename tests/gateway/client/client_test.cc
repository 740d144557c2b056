#include "gateway/client/client.h"

#include <doctest/doctest.h>

#include <atomic>
#include <future>
#include <thread>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "schema/base/json_object.h"
#include "schema/types/public_key.h"
#include "schema/types/signed_messages.h"
#include "tests/gateway/client/scripted_gateway.h"

namespace warpbook::gateway {
namespace {

using std::chrono::milliseconds;

std::string Success(const JsonValue& request, const std::string& result) {
  return JsonObject()
      .Text("method", request["method"].text())
      .Integer("req_id", request["req_id"].integer())
      .Flag("success", true)
      .Raw("result", result)
      .Integer("seq", 77)
      .Build();
}

JsonValue Parse(const std::string& text) {
  const absl::StatusOr<JsonValue> value = JsonValue::Parse(text);
  return value.ok() ? *value : JsonValue();
}

// Answers every request with its own parameters.
Answer Echo(const std::string& message) {
  const size_t params = message.find("\"params\":") + 9;
  return {{Success(Parse(message), message.substr(params, message.size() - params - 1))}};
}

std::unique_ptr<Client> Connect(const ScriptedGateway& gateway, ConnectOptions options = {}) {
  options.address = gateway.address();
  absl::StatusOr<std::unique_ptr<Client>> client = Client::Connect(options);
  REQUIRE_MESSAGE(client.ok(), client.status().message());
  return *std::move(client);
}

TEST_CASE("A call carries its method and parameters, and gets its own reply") {
  std::string seen;
  ScriptedGateway gateway([&](const std::string& message) {
    seen = message;
    return Echo(message);
  });
  const auto client = Connect(gateway);
  const absl::StatusOr<Reply> reply =
      client->Call("order.place", JsonObject().Integer("gpus", 8).Build());
  REQUIRE(reply.ok());
  CHECK(reply->success);
  CHECK(reply->result["gpus"].integer() == 8);
  CHECK(reply->sequence == 77);
  CHECK(reply->outcome == "accepted");
  CHECK(seen == R"({"method":"order.place","req_id":1,"params":{"gpus":8}})");
}

TEST_CASE("A refusal is a reply with code, number, parameter and outcome") {
  ScriptedGateway gateway([](const std::string&) {
    return Answer{
        {R"({"method":"order.place","req_id":1,"success":false,"error":{"code":)"
         R"("insufficient_credits","number":2106,"message":"Too little.","data":{"param":"price",)"
         R"("reason":"has 3","retry_after_us":250},"outcome":"rejected"},"seq":9})"}};
  });
  const auto client = Connect(gateway);
  const absl::StatusOr<Reply> reply = client->Call("order.place");
  REQUIRE(reply.ok());
  CHECK_FALSE(reply->success);
  CHECK(reply->code == "insufficient_credits");
  CHECK(reply->number == 2106);
  CHECK(reply->param == "price");
  CHECK(reply->retry_after_us == 250);
  CHECK(reply->outcome == "rejected");
  const absl::Status status = ReplyStatus(*reply);
  CHECK(absl::IsFailedPrecondition(status));
  CHECK(status.message() ==
        "Too little. (insufficient_credits, 2106) Parameter: price. Detail: has 3.");
}

TEST_CASE("A detail that is a time is told as one") {
  Reply reply;
  reply.message = "Too late.";
  reply.code = "lease_not_resalable";
  reply.number = 2026;
  reply.param = "lease";
  reply.reason = "1796133480000000";
  CHECK(ReplyStatus(reply).message() ==
        "Too late. (lease_not_resalable, 2026) Parameter: lease. Detail: 2026-12-01 13:58:00 UTC.");
  reply.code = "insufficient_lease_gpus";
  reply.reason = "3";
  CHECK(absl::StrContains(ReplyStatus(reply).message(), "Detail: 3."));
}

TEST_CASE("Replies in another order than the requests reach their own callers") {
  std::vector<std::string> held;
  ScriptedGateway gateway([&](const std::string& message) {
    held.insert(held.begin(), Echo(message).messages.front());
    return held.size() < 3 ? Answer{} : Answer{std::move(held)};
  });
  const auto client = Connect(gateway);
  std::vector<std::future<int64_t>> results;
  for (int i = 0; i < 3; ++i) {
    auto promise = std::make_shared<std::promise<int64_t>>();
    results.push_back(promise->get_future());
    client->CallAsync("ping", JsonObject().Integer("n", i).Build(),
                      [promise](absl::StatusOr<Reply> reply) {
                        promise->set_value(reply.ok() ? reply->result["n"].integer() : -1);
                      });
  }
  for (int i = 0; i < 3; ++i) CHECK(results[i].get() == i);
}

TEST_CASE("Channel messages go to on_message, before and between replies") {
  ScriptedGateway gateway([](const std::string& message) {
    Answer answer = Echo(message);
    answer.messages.insert(answer.messages.begin(), R"({"channel":"book","seq":1})");
    return answer;
  });
  ConnectOptions options;
  std::atomic<int> books = 0;
  options.on_message = [&](const JsonValue& message, std::string_view text) {
    if (message["channel"].text() == "book" && text == R"({"channel":"book","seq":1})") ++books;
  };
  const auto client = Connect(gateway, options);
  CHECK(client->Call("subscribe")->success);
  CHECK(client->Call("subscribe")->success);
  CHECK(books == 2);
}

TEST_CASE("A lost connection ends calls under way and later ones with Unavailable") {
  for (const bool polite : {false, true}) {
    ScriptedGateway gateway([&](const std::string&) {
      return Answer{.messages = {}, .close = polite, .cut = !polite};
    });
    ConnectOptions options;
    std::atomic<int> closed = 0;
    std::promise<void> told;
    options.on_closed = [&](const absl::Status& status) {
      CHECK(absl::IsUnavailable(status));
      if (++closed == 1) told.set_value();
    };
    const auto client = Connect(gateway, options);
    const absl::Status status = client->Call("ping").status();
    CHECK(absl::IsUnavailable(status));
    if (polite) CHECK(std::string(status.message()).find("(1001) going away") != std::string::npos);
    told.get_future().wait();
    CHECK(absl::IsUnavailable(client->Call("ping").status()));
    CHECK(closed == 1);
  }
}

TEST_CASE("A gateway that sends what is not JSON is left") {
  ScriptedGateway gateway([](const std::string&) { return Answer{{"{\"half\":"}}; });
  const auto client = Connect(gateway);
  CHECK(absl::IsUnavailable(client->Call("ping").status()));
}

TEST_CASE("A call without a reply ends with DeadlineExceeded, and the connection lives on") {
  int requests = 0;
  ScriptedGateway gateway(
      [&](const std::string& message) { return ++requests == 1 ? Answer{} : Echo(message); });
  ConnectOptions options;
  options.call_timeout = milliseconds(50);
  const auto client = Connect(gateway, options);
  CHECK(absl::IsDeadlineExceeded(client->Call("ping").status()));
  CHECK(client->Call("ping").ok());
}

TEST_CASE("A reply that comes too late is dropped") {
  std::string late;
  ScriptedGateway gateway([&](const std::string& message) {
    if (late.empty()) {
      late = Echo(message).messages.front();
      return Answer{};
    }
    Answer answer = Echo(message);
    answer.messages.insert(answer.messages.begin(), late);
    return answer;
  });
  ConnectOptions options;
  options.call_timeout = milliseconds(50);
  std::atomic<int> messages = 0;
  options.on_message = [&](const JsonValue&, std::string_view) { ++messages; };
  const auto client = Connect(gateway, options);
  CHECK(absl::IsDeadlineExceeded(client->Call("ping", R"({"n":1})").status()));
  const absl::StatusOr<Reply> reply = client->Call("ping", R"({"n":2})");
  REQUIRE(reply.ok());
  CHECK(reply->result["n"].integer() == 2);
  CHECK(messages == 0);
}

TEST_CASE("One call more than kInFlightMax is refused here") {
  ScriptedGateway gateway([](const std::string&) { return Answer{}; });
  const auto client = Connect(gateway);
  for (size_t i = 0; i < Client::kInFlightMax; ++i) {
    client->CallAsync("ping", "{}", [](absl::StatusOr<Reply>) {});
  }
  CHECK(absl::IsResourceExhausted(client->Call("ping").status()));
}

TEST_CASE("Where nothing answers, the address and the cause are told") {
  ConnectOptions options;
  {
    const ScriptedGateway gone([](const std::string&) { return Answer{}; });
    options.address = gone.address();
  }
  const absl::Status refused = Client::Connect(options).status();
  CHECK(absl::IsUnavailable(refused));
  CHECK(refused.message() == absl::StrCat(options.address, ": cannot connect: Connection refused"));
  for (const char* address : {"", "localhost", ":7400", "127.0.0.1:", "a b:c"}) {
    CAPTURE(address);
    options.address = address;
    CHECK_FALSE(Client::Connect(options).ok());
  }
}

TEST_CASE("A logon signs the challenge, the account and the exchange's name") {
  const std::string nonce(64, 'a');
  JsonValue logon;
  ScriptedGateway gateway([&](const std::string& message) {
    const JsonValue request = Parse(message);
    if (request["method"].text() == "session.challenge") {
      return Answer{{Success(
          request, JsonObject().Text("nonce", nonce).Text("server_name", "here").Build())}};
    }
    logon = request;
    return Answer{{Success(request, "{}")}};
  });
  const Ed25519PrivateKey key = Ed25519PrivateKey::Generate();
  const auto client = Connect(gateway);
  CHECK(client->server_name().empty());
  REQUIRE(client->Logon(AccountId(7), key)->success);
  CHECK(client->server_name() == "here");
  CHECK(logon["method"].text() == "session.logon");
  const JsonValue& params = logon["params"];
  CHECK(params["account"].text() == "7");
  LogonNonce raw_nonce;
  raw_nonce.fill(0xaa);
  const std::string signature = absl::HexStringToBytes(params["signature"].text());
  REQUIRE(signature.size() == 64);
  Ed25519Signature raw_signature;
  std::copy(signature.begin(), signature.end(), raw_signature.begin());
  CHECK(VerifyEd25519(
      key.public_key(), raw_signature,
      LogonMessage("here", raw_nonce, AccountId(7), Timestamp(params["timestamp"].integer()))));
}

TEST_CASE("A challenge without a nonce is the gateway's fault, told as Unavailable") {
  ScriptedGateway gateway(
      [](const std::string& message) { return Answer{{Success(Parse(message), "{}")}}; });
  const auto client = Connect(gateway);
  CHECK(absl::IsUnavailable(client->Logon(AccountId(7), Ed25519PrivateKey::Generate()).status()));
}

TEST_CASE("A client may be destroyed in its own callback, and is silent from then on") {
  ScriptedGateway gateway(Echo);
  ClientLoop loop;
  ConnectOptions options;
  options.loop = &loop;
  std::atomic<int> replies = 0;
  std::atomic<int> closed = 0;
  options.on_closed = [&](const absl::Status&) { ++closed; };
  auto client = Connect(gateway, options);
  std::promise<void> destroyed;
  client->CallAsync("ping", "{}", [&](absl::StatusOr<Reply>) {
    ++replies;
    client.reset();
    destroyed.set_value();
  });
  client->CallAsync("ping", "{}", [&](absl::StatusOr<Reply>) { ++replies; });
  destroyed.get_future().wait();
  std::this_thread::sleep_for(milliseconds(50));
  CHECK(replies == 1);
  CHECK(closed == 0);
}

TEST_CASE("Many clients on one loop, called from many threads, each get their own replies") {
  ScriptedGateway gateway(Echo);
  ClientLoop loop;
  ConnectOptions options;
  options.loop = &loop;
  constexpr int kThreads = 8;
  constexpr int kCalls = 50;
  std::atomic<int> right = 0;
  std::vector<std::thread> threads;
  std::vector<std::unique_ptr<Client>> clients;
  for (int i = 0; i < kThreads; ++i) clients.push_back(Connect(gateway, options));
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&, i] {
      for (int call = 0; call < kCalls; ++call) {
        const int64_t number = i * kCalls + call;
        // Each thread uses two clients, so that each client is used by two threads.
        Client& client = *clients[(i + call) % 2 == 0 ? i : (i + 1) % kThreads];
        const absl::StatusOr<Reply> reply =
            client.Call("ping", JsonObject().Integer("n", number).Build());
        if (reply.ok() && reply->result["n"].integer() == number) ++right;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(right == kThreads * kCalls);
}

TEST_CASE("A loop may end while calls and timers of its clients are under way") {
  ScriptedGateway gateway([](const std::string&) { return Answer{}; });
  auto loop = std::make_unique<ClientLoop>();
  ConnectOptions options;
  options.loop = loop.get();
  auto client = Connect(gateway, options);
  client->CallAsync("ping", "{}", [](absl::StatusOr<Reply>) { FAIL("never answered"); });
  loop->PostAfter(milliseconds(60'000), [] { FAIL("never due"); });
  Client::ConnectAsync(options, [](absl::StatusOr<std::unique_ptr<Client>>) {});
  client.reset();
  loop.reset();
}

}  // namespace
}  // namespace warpbook::gateway
