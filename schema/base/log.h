// The log of a service: JSON lines on standard error, one per event: ts, level, event, and what the
// event has of the rest:
//
//   conn_id   the connection          account   as the API writes it, a text
//   peer      the other side's address  detail    a reason code, an error of the system's
//   seq       a command's sequence    node, count, ...
//
// {"ts":"2026-12-01T14:00:00.123456Z","level":"info","event":"logon","conn_id":7,"account":"9"}
//
// Never a secret: no key, no signature, no connection string, no payload. Any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "schema/base/json_object.h"

namespace warpbook {

enum class LogLevel : uint8_t { kInfo, kWarning, kError };

void Log(LogLevel level, std::string_view event, const JsonObject& fields = {});

// Below this level nothing is written (kInfo to begin with).
void SetLogLevel(LogLevel level);

// The line itself, for that time.
std::string FormatLogLine(LogLevel level, std::string_view event, const JsonObject& fields,
                          int64_t now_micros);

}  // namespace warpbook
