#include "gateway/cli/symbols.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "schema/base/json_object.h"
#include "schema/types/timestamp.h"

namespace warpbook::gateway {
namespace {

// A window with less time than this until its gate is passed over for the next one.
constexpr int64_t kTimeLeftMin = 5 * kMicrosPerMinute;

}  // namespace

absl::StatusOr<int64_t> MarketTime(CliSession& session) {
  const absl::StatusOr<JsonValue> status = session.Ask("session.status");
  if (!status.ok()) return status.status();
  return (*status)["market_time"].integer();
}

absl::StatusOr<JsonValue> FindInstrument(CliSession& session, const std::string& name) {
  const std::vector<std::string> steps = absl::StrSplit(name, absl::MaxSplits('+', 1));
  size_t windows_later = 0;
  if (steps.size() == 2 && !absl::SimpleAtoi(steps[1], &windows_later)) {
    return absl::InvalidArgumentError(absl::StrCat("\"", name, "\": no number behind the +"));
  }
  // class, region and window; a class's name holds no point.
  const std::vector<std::string> parts = absl::StrSplit(steps[0], absl::MaxSplits('.', 2));
  const bool is_full = parts.size() == 3;
  JsonObject params;
  params.Text("hardware_class", parts[0]);
  if (parts.size() > 1) params.Text("region", parts[1]);
  absl::StatusOr<JsonValue> answer = session.Ask("instruments", params.Build());
  if (!answer.ok()) return answer.status();
  const absl::StatusOr<int64_t> now = MarketTime(session);
  if (!now.ok()) return now.status();
  std::vector<const JsonValue*> open;
  for (const JsonValue& row : (*answer)["instruments"].items()) {
    if (is_full) {
      if (row["symbol"].text() == name) return row;
    } else if (row["state"].text() == "open" && row["gate"].integer() >= *now + kTimeLeftMin) {
      open.push_back(&row);
    }
  }
  std::ranges::stable_sort(open, {},
                           [](const JsonValue* row) { return (*row)["window_start"].integer(); });
  for (const JsonValue* row : open) {
    if ((*row)["region"].text() != (*open[0])["region"].text()) continue;
    if (windows_later-- == 0) return *row;
  }
  return absl::NotFoundError(absl::StrCat("no open instrument \"", name,
                                          "\"; `warpbook instruments` lists what is traded"));
}

}  // namespace warpbook::gateway
