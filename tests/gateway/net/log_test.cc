#include "gateway/net/log.h"

#include <doctest/doctest.h>

#include "tests/gateway/support/json_text.h"

namespace warpbook::gateway {

TEST_CASE("A log line is one JSON object with the time, and only the fields that the event has") {
  CHECK(
      FormatLogLine(LogLevel::kInfo, "logon", {.connection_id = 7, .account = 9},
                    1'796'133'600'000'123) ==
      R"({"ts":"2026-12-01T14:00:00.000123Z","level":"info","event":"logon","conn_id":7,"account":"9"})");
  const std::string line = FormatLogLine(LogLevel::kError, "accept_failed",
                                         {.peer = "::1", .detail = "a \"quoted\"\nline"}, 0);
  CHECK(line.find('\n') == std::string::npos);
  CHECK(At(line, "/detail") == "a \"quoted\"\nline");
  CHECK(At(line, "/ts") == "1970-01-01T00:00:00.000000Z");
  CHECK_FALSE(Has(line, "/conn_id"));
}

}  // namespace warpbook::gateway
