#include "gateway/cli/report_client.h"

#include <chrono>
#include <iostream>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "gateway/client/http_get.h"

namespace warpbook::gateway {
namespace {

// A statement over a long time takes settlement a while.
constexpr std::chrono::milliseconds kReportTimeout(30'000);

}  // namespace

void AddSettlementOptions(Command& command, ReportOptions& options) {
  options.address = kSettlementHttp;
  command.Text("--settlement", options.address, "Address of settlement's HTTP")
      .Environment("WARPBOOK_SETTLEMENT_HTTP");
  command.Flag("--json", options.json, "Print settlement's answer as it came");
}

std::string EncodeParameter(std::string_view text) {
  std::string encoded;
  for (const char c : text) {
    if (absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '.') {
      encoded.push_back(c);
    } else {
      absl::StrAppend(&encoded, "%", absl::Hex(static_cast<uint8_t>(c), absl::kZeroPad2));
    }
  }
  return encoded;
}

absl::StatusOr<JsonValue> AskReport(const ReportOptions& options, const std::string& target) {
  HttpGetOptions get;
  get.address = options.address;
  get.authorities_file = options.authorities;
  get.target = target;
  get.timeout = kReportTimeout;
  const absl::StatusOr<HttpResponse> response = HttpGet(get);
  if (!response.ok()) return response.status();
  absl::StatusOr<JsonValue> answer = JsonValue::Parse(response->body);
  if (!answer.ok()) {
    return absl::UnavailableError(
        absl::StrCat(options.address, " does not answer as settlement does"));
  }
  if (options.json) std::cout << response->body << std::endl;
  if (response->status == 200) return (*answer)["result"];
  const JsonValue& error = (*answer)["error"];
  const std::string& reason = error["data"]["reason"].text();
  return absl::FailedPreconditionError(absl::StrCat(error["message"].text(), " (",
                                                    error["code"].text(), ")",
                                                    reason.empty() ? "" : ": ", reason));
}

}  // namespace warpbook::gateway
