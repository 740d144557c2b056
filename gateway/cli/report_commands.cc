#include <iostream>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "gateway/cli/commands.h"
#include "gateway/cli/key_files.h"
#include "gateway/cli/report_client.h"
#include "gateway/cli/report_print.h"
#include "gateway/cli/session.h"

namespace warpbook::gateway {
namespace {

// What everybody may ask: of the gateway, or of settlement itself.
struct PublicReport {
  ClientOptions gateway;
  std::string settlement, date;
};

absl::StatusOr<JsonValue> AskPublic(const PublicReport& asked, const std::string& target) {
  ReportOptions options;
  options.json = asked.gateway.json;
  if (!asked.settlement.empty()) {
    options.address = asked.settlement;
    return AskReport(options, target);
  }
  options.address = asked.gateway.connect;
  options.authorities = asked.gateway.authorities;
  return AskReport(options, absl::StrCat("/api/v1", target));
}

void AddPublicOptions(Command& command, PublicReport& asked) {
  AddClientOptions(command, Speaker::kPublic, asked.gateway);
  command.Text("--settlement", asked.settlement,
               "Ask settlement's HTTP at this address instead of the gateway");
}

void AddSupply(Command& root) {
  Command supply = root.Add("supply", "The supply of TOK, and how much there can be by a day");
  const auto asked = std::make_shared<PublicReport>();
  AddPublicOptions(supply, *asked);
  supply.Text("--date", asked->date, "Bound the supply until this day's end, as 2027-01-01");
  supply.OnRun([asked] {
    const std::string date =
        asked->date.empty() ? "" : absl::StrCat("?date=", EncodeParameter(asked->date));
    const auto report = AskPublic(*asked, absl::StrCat("/supply", date));
    if (!report.ok() || asked->gateway.json) return Finish(report.status());
    return Finish(PrintSupply(*report, std::cout));
  });
}

void AddDisclosures(Command& root) {
  Command disclosures =
      root.Add("disclosures", "Genesis, providers' shares, bonds, electricity beside the market");
  const auto asked = std::make_shared<PublicReport>();
  AddPublicOptions(disclosures, *asked);
  disclosures.OnRun([asked] {
    const auto report = AskPublic(*asked, "/disclosures");
    if (report.ok() && !asked->gateway.json) PrintDisclosures(*report, std::cout);
    return Finish(report.status());
  });
}

struct StatementArguments {
  ReportOptions options;
  std::string account, from, to;
  bool csv = false;
};

absl::Status ShowStatement(const StatementArguments& asked) {
  const absl::StatusOr<AccountId> account = ResolveAccount(asked.account);
  if (!account.ok()) return account.status();
  const auto report = AskReport(asked.options, absl::StrCat("/statement?account=", account->value(),
                                                            "&from=", EncodeParameter(asked.from),
                                                            "&to=", EncodeParameter(asked.to)));
  if (!report.ok() || asked.options.json) return report.status();
  return asked.csv ? PrintStatementCsv(*report, std::cout) : PrintStatement(*report, std::cout);
}

void AddStatement(Command& root) {
  Command statement = root.Add(
      "statement", "What moved an account's tokens and credits over a time (where settlement is)");
  const auto asked = std::make_shared<StatementArguments>();
  AddSettlementOptions(statement, asked->options);
  statement.Text("account,--account", asked->account, "Account id, or the key file of one")
      .Required();
  statement.Text("--from", asked->from, "From this day or time (UTC): 2026-12-01, 2026-12-01T14:00")
      .Required();
  statement.Text("--to", asked->to, "To this day's end, or until before this time").Required();
  statement.Flag("--csv", asked->csv, "Comma-separated, for a spreadsheet");
  statement.OnRun([asked] { return Finish(ShowStatement(*asked)); });
}

}  // namespace

void AddReportCommands(Command& root) {
  AddSupply(root);
  AddDisclosures(root);
  AddStatement(root);
}

}  // namespace warpbook::gateway
