// A journal as text, for people: one line per record, with the struct's name and fields.
//
//   17 2026-12-01T14:00:00.000000Z PlaceOrder account_id=3 tag=9 price=2500000 ...
//   17 2026-12-01T14:00:00.000000Z   OrderAccepted event_sequence=41 account_id=3 ...
//
// Events are indented under their command and carry its sequence and time.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "schema/base/file.h"
#include "schema/wire/record.h"

namespace warpbook::journal {

// The struct's name and its fields as name=value, header fields first, padding left out. A byte
// array that holds text is quoted, another one is hexadecimal, zeros are "-".
std::string FormatRecord(wire::RecordView record);

// Gives the lines of the durable commands from..to (both included) and their events.
absl::Status DumpJournal(FileSystem& files, const std::string& directory, uint64_t from,
                         uint64_t to, const std::function<void(std::string_view)>& print_line);

}  // namespace warpbook::journal
