// What the commands about settlement's reports share: where they are asked for, and the question.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "gateway/client/json_value.h"
#include "schema/base/command_line.h"

namespace warpbook::gateway {

// Where `warpbook-settlement serve --http` listens if nothing else is said.
inline constexpr const char* kSettlementHttp = "127.0.0.1:7402";

struct ReportOptions {
  std::string address;      // of the server that is asked
  std::string authorities;  // path of a PEM file, where it is by TLS; "": the system's
  bool json = false;
};

// --settlement (default kSettlementHttp, WARPBOOK_SETTLEMENT_HTTP) and --json.
void AddSettlementOptions(Command& command, ReportOptions& options);

// "a:b c" as it stands in a target's parameter.
std::string EncodeParameter(std::string_view text);

// Asks and gives the result; with --json the whole answer is printed as it came. A refusal is a
// FailedPrecondition with its message and code.
absl::StatusOr<JsonValue> AskReport(const ReportOptions& options, const std::string& target);

}  // namespace warpbook::gateway
