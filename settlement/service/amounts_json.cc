#include "settlement/service/amounts_json.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/time.h"
#include "schema/types/decimal.h"

namespace warpbook::settlement {

void AddTokens(JsonObject& object, const std::string& name, Tokens tokens) {
  object.Text(name + "_utok", std::to_string(tokens.value()));
  object.Text(name, FormatTokens(tokens));
}

void AddCredits(JsonObject& object, const std::string& name, Credits credits) {
  object.Text(name, std::to_string(credits.value()));
  object.Text(name + "_usd", FormatUsd(credits));
}

void AddHolding(JsonObject& object, const std::string& name, Holding holding, int64_t amount) {
  if (InfoOf(holding).asset == Asset::kTok) {
    AddTokens(object, name, Tokens(amount));
  } else {
    AddCredits(object, name, Credits(amount));
  }
}

std::string UtcText(Timestamp time) {
  return absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", absl::FromUnixMicros(time.micros()),
                          absl::UTCTimeZone());
}

std::string JsonArray(std::span<const std::string> values) {
  return absl::StrCat("[", absl::StrJoin(values, ","), "]");
}

}  // namespace warpbook::settlement
