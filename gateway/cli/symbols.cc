#include "gateway/cli/symbols.h"

#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "gateway/client/json_object.h"
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
  // class, region and window; a class's name holds no point.
  const std::vector<std::string> parts = absl::StrSplit(name, absl::MaxSplits('.', 2));
  const bool is_full = parts.size() == 3;
  JsonObject params;
  params.Text("hardware_class", parts[0]);
  if (parts.size() > 1) params.Text("region", parts[1]);
  absl::StatusOr<JsonValue> answer = session.Ask("instruments", params.Build());
  if (!answer.ok()) return answer.status();
  const absl::StatusOr<int64_t> now = MarketTime(session);
  if (!now.ok()) return now.status();
  const JsonValue* best = nullptr;
  for (const JsonValue& row : (*answer)["instruments"].items()) {
    if (is_full) {
      if (row["symbol"].text() == name) return row;
      continue;
    }
    if (row["state"].text() != "open" || row["gate"].integer() < *now + kTimeLeftMin) continue;
    if (best == nullptr || row["window_start"].integer() < (*best)["window_start"].integer()) {
      best = &row;
    }
  }
  if (best != nullptr) return *best;
  return absl::NotFoundError(absl::StrCat("no open instrument \"", name,
                                          "\"; `warpbook instruments` lists what is traded"));
}

}  // namespace warpbook::gateway
