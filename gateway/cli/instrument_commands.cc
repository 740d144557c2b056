#include <iostream>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "gateway/cli/commands.h"
#include "gateway/cli/print.h"
#include "gateway/cli/session.h"
#include "gateway/cli/symbols.h"
#include "schema/base/json_object.h"

namespace warpbook::gateway {
namespace {

absl::Status PrintInstruments(CliSession& session, const std::string& hardware_class,
                              const std::string& region) {
  const absl::StatusOr<JsonValue> answer = session.Call(
      "instruments",
      JsonObject().TextIfAny("hardware_class", hardware_class).TextIfAny("region", region).Build());
  if (!answer.ok() || session.json()) return answer.status();
  const absl::StatusOr<int64_t> now = MarketTime(session);
  if (!now.ok()) return now.status();
  Table table({"symbol", "state", "gate closes (UTC)", ">tick", ">lowest", ">highest"});
  for (const JsonValue& row : (*answer)["instruments"].items()) {
    table.Add({Cell(row["symbol"]), Cell(row["state"]), FormatTime(row["gate"].integer()),
               Cell(row["tick"]), Cell(row["band_low"]), Cell(row["band_high"])});
  }
  std::cout << "the market's time is " << FormatTime(*now) << " UTC\n";
  if (table.empty()) {
    std::cout << "no instruments\n";
  } else {
    table.Print(std::cout);
  }
  return absl::OkStatus();
}

void AddHaltCommand(Command& instrument, const std::string& word, const std::string& done,
                    const std::string& description) {
  Command command = instrument.Add(word, description);
  const auto symbol = std::make_shared<std::string>();
  command.Text("symbol,--symbol", *symbol, "The instrument's full symbol").Required();
  OnRunWithSession(command, std::make_shared<ClientOptions>(), Speaker::kOperator,
                   [symbol, word, done](CliSession& session) {
                     const absl::Status status =
                         session
                             .Call(absl::StrCat("instrument.", word),
                                   JsonObject().Text("symbol", *symbol).Build())
                             .status();
                     if (status.ok() && !session.json()) {
                       std::cout << *symbol << " is " << done << "\n";
                     }
                     return status;
                   });
}

}  // namespace

void AddInstrumentCommands(Command& root) {
  struct Filter {
    std::string hardware_class, region;
  };
  Command instruments = root.Add("instruments", "What is traded");
  const auto filter = std::make_shared<Filter>();
  instruments.Text("class,--class", filter->hardware_class, "Of this hardware class alone");
  instruments.Text("region,--region", filter->region, "In this region alone");
  OnRunWithSession(instruments, std::make_shared<ClientOptions>(), Speaker::kPublic,
                   [filter](CliSession& session) {
                     return PrintInstruments(session, filter->hardware_class, filter->region);
                   });

  Command instrument = root.Add("instrument", "Halt and resume trading (operator)");
  AddHaltCommand(instrument, "halt", "halted", "Take cancels only");
  AddHaltCommand(instrument, "resume", "open", "Take orders again");
}

}  // namespace warpbook::gateway
