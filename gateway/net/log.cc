#include "gateway/net/log.h"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <ctime>

#include "gateway/protocol/json_writer.h"
#include "schema/base/clock.h"
#include "schema/types/timestamp.h"

namespace warpbook::gateway {
namespace {

// spdlog writes whole lines, whichever thread they come from; the line is ours.
spdlog::logger& Logger() {
  static spdlog::logger* const logger = [] {
    auto* made = new spdlog::logger("gateway", std::make_shared<spdlog::sinks::stderr_sink_mt>());
    made->set_pattern("%v");
    return made;
  }();
  return *logger;
}

spdlog::level::level_enum SpdlogLevel(LogLevel level) {
  switch (level) {
    case LogLevel::kInfo:
      return spdlog::level::info;
    case LogLevel::kWarning:
      return spdlog::level::warn;
    case LogLevel::kError:
      return spdlog::level::err;
  }
  return spdlog::level::err;
}

std::string_view LevelName(LogLevel level) {
  switch (level) {
    case LogLevel::kInfo:
      return "info";
    case LogLevel::kWarning:
      return "warning";
    case LogLevel::kError:
      return "error";
  }
  return "error";
}

// 2026-12-01T14:00:00.123456Z
std::string FormatTime(int64_t micros) {
  const std::time_t seconds = micros / kMicrosPerSecond;
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  char text[64];
  const size_t length = std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &parts);
  std::string fraction = std::to_string(micros % kMicrosPerSecond);
  fraction.insert(0, 6 - fraction.size(), '0');
  return std::string(text, length) + "." + fraction + "Z";
}

}  // namespace

std::string FormatLogLine(LogLevel level, std::string_view event, const LogFields& fields,
                          int64_t now_micros) {
  std::string line;
  JsonWriter json(line);
  json.BeginObject().Field("ts", FormatTime(now_micros)).Field("level", LevelName(level));
  json.Field("event", event);
  if (fields.connection_id != 0) json.Field("conn_id", fields.connection_id);
  if (fields.account != 0) json.FieldText("account", fields.account);
  if (!fields.peer.empty()) json.Field("peer", fields.peer);
  if (!fields.detail.empty()) json.Field("detail", fields.detail);
  if (fields.count != 0) json.Field("count", fields.count);
  json.EndObject();
  return line;
}

void LogEvent(LogLevel level, std::string_view event, const LogFields& fields) {
  spdlog::logger& logger = Logger();
  const spdlog::level::level_enum spdlog_level = SpdlogLevel(level);
  if (!logger.should_log(spdlog_level)) return;
  const std::string line = FormatLogLine(level, event, fields, SystemClock().NowMicros());
  logger.log(spdlog_level, spdlog::string_view_t(line.data(), line.size()));
  logger.flush();
}

void SetLogLevel(LogLevel level) { Logger().set_level(SpdlogLevel(level)); }

}  // namespace warpbook::gateway
