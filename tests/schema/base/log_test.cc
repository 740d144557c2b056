#include "schema/base/log.h"

#include <doctest/doctest.h>

namespace warpbook {

TEST_CASE("A log line is one JSON object with the time, and only the fields that the event has") {
  CHECK(
      FormatLogLine(LogLevel::kInfo, "logon", JsonObject().Integer("conn_id", 7).Id("account", 9),
                    1'796'133'600'000'123) ==
      R"({"ts":"2026-12-01T14:00:00.000123Z","level":"info","event":"logon","conn_id":7,"account":"9"})");
  CHECK(FormatLogLine(LogLevel::kError, "accept_failed",
                      JsonObject().Text("detail", "a \"quoted\"\nline"), 0) ==
        R"({"ts":"1970-01-01T00:00:00.000000Z","level":"error","event":"accept_failed",)"
        R"("detail":"a \"quoted\"\u000aline"})");
  CHECK(FormatLogLine(LogLevel::kWarning, "quiet", {}, 0) ==
        R"({"ts":"1970-01-01T00:00:00.000000Z","level":"warning","event":"quiet"})");
}

}  // namespace warpbook
