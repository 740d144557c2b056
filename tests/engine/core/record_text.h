// Commands and events as lines of text, by the field names of schema/wire:
//   PlaceOrder from=3 instrument_id=1 side=sell gpus=8 price=10000 client_order_id=abc
// Fields that are zero are left out when printing. Values: integers, the words of enums and of
// refusals, texts for 32-byte fields (or x and hex digits), and T+90s or T+5m for times after
// kScenarioStart.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "schema/wire/record.h"

namespace warpbook::engine {

// 2026-12-01T00:00:00Z.
inline constexpr int64_t kScenarioStart = 1'796'083'200'000'000;

std::string FormatRecord(wire::RecordView record);
// Every record of a buffer, one per line.
std::string FormatRecords(std::span<const std::byte> records);

// Parses a command; CHECKs that the line is one. `from` and `tag` are fields of its header.
wire::CommandRecord ParseCommand(std::string_view line);

// Whether a record is of the type that the line begins with and has the values it names.
bool MatchesLine(wire::RecordView record, std::string_view line);

}  // namespace warpbook::engine
