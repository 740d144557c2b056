// How settlement's JSON says amounts and times: decimal strings in the smallest unit, and the same
// for people beside them.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "schema/base/json_object.h"
#include "schema/types/amounts.h"
#include "schema/types/timestamp.h"
#include "settlement/ledger/accounts.h"

namespace warpbook::settlement {

// "burned_utok": "12500000", "burned": "12.5"
void AddTokens(JsonObject& object, const std::string& name, Tokens tokens);
// "free": "60000000", "free_usd": "1.00" (rounded down to micro-USD)
void AddCredits(JsonObject& object, const std::string& name, Credits credits);
// As AddTokens or AddCredits, by what the holding holds.
void AddHolding(JsonObject& object, const std::string& name, Holding holding, int64_t amount);

// "2026-12-01T14:00:05Z"; whole seconds, rounded down.
std::string UtcText(Timestamp time);

// "[a,b]" of values already written.
std::string JsonArray(std::span<const std::string> values);

}  // namespace warpbook::settlement
