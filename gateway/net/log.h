// The gateway's log: JSON lines on standard error, one per event (7-operations of the design): ts,
// level, event, and what the event has of the rest. Never a secret, never a payload. Any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace warpbook::gateway {

enum class LogLevel : uint8_t { kInfo, kWarning, kError };

// Fields that are zero or empty are left out.
struct LogFields {
  uint64_t connection_id = 0;
  uint64_t account = 0;
  std::string_view peer = {};    // address of the other side
  std::string_view detail = {};  // a reason code, an error of the system's
  int64_t count = 0;
};

void LogEvent(LogLevel level, std::string_view event, const LogFields& fields = {});

// Below this level nothing is written (kInfo to begin with).
void SetLogLevel(LogLevel level);

// The line itself, for that time.
std::string FormatLogLine(LogLevel level, std::string_view event, const LogFields& fields,
                          int64_t now_micros);

}  // namespace warpbook::gateway
