// Settlement's log: JSON lines on standard error, one per event: ts, level, event and what it has
// of the rest. Never a secret: no connection string, no key. Any thread.
#pragma once

#include <string_view>

#include "gateway/client/json_object.h"

namespace warpbook::settlement {

enum class LogLevel { kInfo, kWarning, kError };

// {"ts":"2026-12-01T14:00:00.123456Z","level":"info","event":EVENT, and the fields}
void Log(LogLevel level, std::string_view event, const gateway::JsonObject& fields = {});

}  // namespace warpbook::settlement
