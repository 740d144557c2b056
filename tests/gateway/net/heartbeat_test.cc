// The running server's heart: it beats while nothing else happens.
#include <doctest/doctest.h>

#include <chrono>
#include <string>

#include "tests/gateway/support/json_text.h"
#include "tests/gateway/support/test_gateway.h"
#include "tests/gateway/support/test_server.h"

namespace warpbook::gateway {

TEST_CASE("An idle connection that listens to the heartbeat has one every second") {
  TestServer server;
  TestSocket socket = TestSocket::Open(server.port());
  const std::string answer = socket.Ask(RequestText("subscribe", R"({"channel":"heartbeat"})"));
  CHECK(At(answer, "/success") == "true");
  const auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < 4; ++i) {
    const auto beat = socket.Read();
    REQUIRE(beat.has_value());
    CHECK(At(beat->payload, "/channel") == "heartbeat");
    CHECK(At(beat->payload, "/type") == (i == 0 ? "snapshot" : "update"));
    CHECK(IntegerAt(beat->payload, "/seq") > 0);
  }
  // The first of them may have been due at once.
  CHECK(std::chrono::steady_clock::now() - start > std::chrono::milliseconds(1'900));
}

}  // namespace warpbook::gateway
