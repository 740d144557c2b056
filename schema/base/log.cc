#include "schema/base/log.h"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <memory>

#include "absl/time/time.h"
#include "schema/base/clock.h"

namespace warpbook {
namespace {

// spdlog writes whole lines, whichever thread they come from; the line is ours.
spdlog::logger& Logger() {
  static spdlog::logger* const logger = [] {
    auto* made = new spdlog::logger("warpbook", std::make_shared<spdlog::sinks::stderr_sink_mt>());
    made->set_pattern("%v");
    made->flush_on(spdlog::level::trace);
    return made;
  }();
  return *logger;
}

struct Level {
  std::string_view name;
  spdlog::level::level_enum spdlog_level;
};
Level LevelOf(LogLevel level) {
  switch (level) {
    case LogLevel::kInfo:
      return {"info", spdlog::level::info};
    case LogLevel::kWarning:
      return {"warning", spdlog::level::warn};
    case LogLevel::kError:
      break;
  }
  return {"error", spdlog::level::err};
}

}  // namespace

std::string FormatLogLine(LogLevel level, std::string_view event, const JsonObject& fields,
                          int64_t now_micros) {
  JsonObject head;
  head.Text("ts", absl::FormatTime("%Y-%m-%dT%H:%M:%E6SZ", absl::FromUnixMicros(now_micros),
                                   absl::UTCTimeZone()));
  head.Text("level", LevelOf(level).name).Text("event", event);
  std::string line = head.Build();
  if (const std::string rest = fields.Build(); rest != "{}") {
    line.back() = ',';
    line.append(rest, 1);
  }
  return line;
}

void Log(LogLevel level, std::string_view event, const JsonObject& fields) {
  const spdlog::level::level_enum spdlog_level = LevelOf(level).spdlog_level;
  if (!Logger().should_log(spdlog_level)) return;
  const std::string line = FormatLogLine(level, event, fields, SystemClock().NowMicros());
  Logger().log(spdlog_level, spdlog::string_view_t(line.data(), line.size()));
}

void SetLogLevel(LogLevel level) { Logger().set_level(LevelOf(level).spdlog_level); }

}  // namespace warpbook
