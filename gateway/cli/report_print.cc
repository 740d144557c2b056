#include "gateway/cli/report_print.h"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "gateway/cli/print.h"
#include "schema/types/amounts.h"
#include "schema/types/decimal.h"

namespace warpbook::gateway {
namespace {

// An amount that the report has as text, in the smallest unit.
int64_t Units(const JsonValue& object, std::string_view name) {
  int64_t units = 0;
  return absl::SimpleAtoi(object[name].text(), &units) ? units : 0;
}

int64_t UtokOf(const JsonValue& object, const std::string& name) {
  return Units(object, name + "_utok");
}

std::string Tok(int64_t utok) { return GroupDigits(FormatTokens(Tokens(utok))); }

// What is shown of credits: whole micro-USD, rounded down.
int64_t MicroUsd(int64_t credits) {
  constexpr int64_t kCredits = kCreditsPerUsd / kMicroUsdPerUsd;
  return credits / kCredits - (credits % kCredits < 0 ? 1 : 0);
}

std::string Usd(int64_t micro_usd) { return FormatDecimal(micro_usd, 6, 6); }

// "2026-12-01T14:00:05Z" as tables show times.
std::string TimeCell(const JsonValue& time) {
  if (time.is_null()) return "-";
  return absl::StrReplaceAll(time.text(), {{"T", " "}, {"Z", ""}});
}

absl::Status AddsUp(bool adds_up) {
  return adds_up ? absl::OkStatus() : absl::DataLossError("the numbers do not add up");
}

// ---- Statement ----

// A holding of a member, and the unit that it is shown in.
struct Column {
  const char* title;
  const char* name;
  bool is_tok;
};
constexpr std::array<Column, 5> kColumns = {{{"TOK", "tokens", true},
                                             {"free USD", "free", false},
                                             {"locked USD", "locked", false},
                                             {"escrow USD", "escrow", false},
                                             {"owed USD", "owed", false}}};

// In micro-TOK and credits, or what of them is shown.
using Holdings = std::array<int64_t, kColumns.size()>;

Holdings ReadHoldings(const JsonValue& object) {
  Holdings amounts{};
  for (size_t i = 0; i < kColumns.size(); ++i) {
    const std::string name = kColumns[i].name;
    amounts[i] = kColumns[i].is_tok ? UtokOf(object, name) : Units(object, name);
  }
  return amounts;
}

Holdings Shown(const Holdings& amounts) {
  Holdings shown = amounts;
  for (size_t i = 0; i < kColumns.size(); ++i) {
    if (!kColumns[i].is_tok) shown[i] = MicroUsd(amounts[i]);
  }
  return shown;
}

Holdings operator-(const Holdings& a, const Holdings& b) {
  Holdings difference{};
  for (size_t i = 0; i < a.size(); ++i) difference[i] = a[i] - b[i];
  return difference;
}

Holdings operator+(const Holdings& a, const Holdings& b) {
  Holdings sum{};
  for (size_t i = 0; i < a.size(); ++i) sum[i] = a[i] + b[i];
  return sum;
}

std::vector<std::string> ShownCells(const Holdings& shown) {
  std::vector<std::string> cells;
  for (size_t i = 0; i < kColumns.size(); ++i) {
    cells.push_back(kColumns[i].is_tok ? FormatTokens(Tokens(shown[i])) : Usd(shown[i]));
  }
  return cells;
}

// As `cells`, grouped; of a movement nothing where nothing moves.
std::vector<std::string> TableCells(const Holdings& shown, bool is_movement) {
  std::vector<std::string> cells = ShownCells(shown);
  for (size_t i = 0; i < cells.size(); ++i) {
    cells[i] = is_movement && shown[i] == 0 ? "" : GroupDigits(cells[i]);
    if (is_movement && shown[i] > 0) cells[i].insert(0, "+");
  }
  return cells;
}

std::string WhatOf(const JsonValue& movement) {
  const std::string kind = absl::StrReplaceAll(movement["kind"].text(), {{"_", "-"}});
  if (movement.Has("reference")) return absl::StrCat(kind, " (", movement["reference"].text(), ")");
  if (!movement.Has("lease")) {
    const int64_t transfers = movement["transfers"].integer();
    return kind == "orders" ? absl::StrCat(kind, " (", transfers, " moves)") : kind;
  }
  return absl::StrCat(kind, " of lease ", movement["lease"].text(), ", ", movement["symbol"].text(),
                      ", with ", movement["counterparty"].text());
}

// Whether opening and movements make closing, and each balance on the way.
bool StatementAddsUp(const JsonValue& report) {
  Holdings balances = ReadHoldings(report["opening"]);
  for (const JsonValue& movement : report["movements"].items()) {
    balances = balances + ReadHoldings(movement["change"]);
    if (balances != ReadHoldings(movement["balances"])) return false;
  }
  return balances == ReadHoldings(report["closing"]);
}

std::string Quoted(const std::string& field) {
  if (field.find_first_of(",\"\r\n") == std::string::npos) return field;
  return absl::StrCat("\"", absl::StrReplaceAll(field, {{"\"", "\"\""}}), "\"");
}

void PrintCsvRow(std::vector<std::string> cells, const Holdings& shown, const Holdings& exact,
                 std::ostream& out) {
  for (std::string& cell : ShownCells(shown)) cells.push_back(std::move(cell));
  for (size_t i = 0; i < kColumns.size(); ++i) {
    if (!kColumns[i].is_tok) cells.push_back(absl::StrCat(exact[i]));
  }
  for (std::string& cell : cells) cell = Quoted(cell);
  out << absl::StrJoin(cells, ",") << "\r\n";
}

// ---- Lease ----

void PrintLeaseFacts(const JsonValue& report, std::ostream& out) {
  const JsonValue& terms = report["terms"];
  const JsonValue& life = report["life"];
  out << "lease " << report["lease"].text() << ", " << report["symbol"].text() << ", "
      << life["state"].text() << "\n";
  const auto party = [](const JsonValue& who) {
    return absl::StrCat("account ", who["account"].text(), " (owner ", who["owner"].text(), ")");
  };
  Table table({"", ""});
  table.Add({"buyer", party(report["buyer"])});
  table.Add(
      {"provider", absl::StrCat(party(report["provider"]), ", node ", report["node"].text())});
  table.Add(
      {"terms", absl::StrCat(terms["gpus"].integer(), " GPUs for ", terms["minutes"].integer(),
                             " minutes at ", terms["price"].text(), " USD per GPU-hour, ",
                             terms["tier"].text(), ", ", terms["assurance"].text())});
  if (terms["resold_gpus"].integer() != 0) {
    table.Add({"resold", absl::StrCat(terms["resold_gpus"].integer(), " GPUs")});
  }
  if (terms["price"].text() != terms["provider_price"].text()) {
    table.Add({"provider's price", absl::StrCat(terms["provider_price"].text(), " USD")});
  }
  for (const JsonValue& leg : report["legs"].items()) {
    table.Add({"resold by", absl::StrCat("account ", leg["trader"].text(), " at ",
                                         leg["difference"].text(), " USD per GPU-hour more")});
  }
  table.Add({"traded", TimeCell(life["traded_at"])});
  table.Add({"delivery", absl::StrCat(TimeCell(life["delivery_start"]), " to ",
                                      TimeCell(life["delivery_end"]))});
  table.Add({"started", TimeCell(life["started_at"])});
  table.Add({"delivered", absl::StrCat(report["delivered_minutes"].integer(), " of ",
                                       terms["minutes"].integer(), " minutes")});
  table.Add({"completed", life["completed"].flag() ? "by the buyer" : "not by the buyer"});
  table.Add({"settled", TimeCell(life["settled_at"])});
  table.Print(out);
}

void PrintLeaseSettlement(const JsonValue& settlement, std::ostream& out) {
  Table table({"settlement", ">TOK"});
  for (const auto& [title, name] :
       std::initializer_list<std::pair<const char*, const char*>>{{"gross", "gross"},
                                                                  {"provider", "provider_paid"},
                                                                  {"fee", "fee_paid"},
                                                                  {"retired", "retired_in_all"}}) {
    table.Add({title, Tok(UtokOf(settlement, name))});
  }
  table.Print(out);
}

void PrintLeaseTransfers(const JsonValue& report, std::ostream& out) {
  Table table({"time (UTC)", ">event", "from", "to", ">amount", ""});
  for (const JsonValue& transfer : report["transfers"].items()) {
    const auto side = [&transfer](const std::string& name) {
      const JsonValue& account = transfer[name + "_account"];
      return transfer[name].text() + (account.is_null() ? "" : " of " + account.text());
    };
    const bool is_tok = transfer.Has("amount_utok");
    table.Add({TimeCell(transfer["time"]), transfer["event"].text(), side("from"), side("to"),
               GroupDigits(transfer["amount"].text()), is_tok ? "TOK" : "credits"});
  }
  table.Print(out);
}

}  // namespace

absl::Status PrintStatement(const JsonValue& report, std::ostream& out) {
  out << "account " << report["account"].text() << " (owner " << report["owner"].text() << "), "
      << TimeCell(report["from"]) << " to " << TimeCell(report["to"]) << " UTC\n";
  std::vector<std::string> titles = {"time (UTC)", "what"};
  for (const Column& column : kColumns) titles.push_back(absl::StrCat(">", column.title));
  Table table(titles);
  const auto add = [&table](const std::string& time, const std::string& what, const Holdings& shown,
                            bool is_movement) {
    std::vector<std::string> cells = {time, what};
    for (std::string& cell : TableCells(shown, is_movement)) cells.push_back(std::move(cell));
    table.Add(std::move(cells));
  };
  const Holdings opening = Shown(ReadHoldings(report["opening"]));
  add("", "opening balance", opening, false);
  Holdings before = opening;
  for (const JsonValue& movement : report["movements"].items()) {
    const Holdings after = Shown(ReadHoldings(movement["balances"]));
    add(TimeCell(movement["time"]), WhatOf(movement), after - before, true);
    before = after;
  }
  const Holdings closing = Shown(ReadHoldings(report["closing"]));
  add("", absl::StrCat("sum of ", report["movements"].items().size(), " movements"),
      closing - opening, true);
  add("", "closing balance", closing, false);
  table.Print(out);
  return AddsUp(StatementAddsUp(report));
}

absl::Status PrintStatementCsv(const JsonValue& report, std::ostream& out) {
  out << "time,event,what,lease,symbol,counterparty,reference,tok,free_usd,locked_usd,escrow_usd,"
         "owed_usd,free_credits,locked_credits,escrow_credits,owed_credits\r\n";
  const Holdings opening = ReadHoldings(report["opening"]);
  PrintCsvRow({report["from"].text(), "", "opening", "", "", "", ""}, Shown(opening), opening, out);
  Holdings before = Shown(opening);
  for (const JsonValue& movement : report["movements"].items()) {
    const Holdings after = Shown(ReadHoldings(movement["balances"]));
    PrintCsvRow({movement["time"].text(), movement["first_event"].text(), movement["kind"].text(),
                 movement["lease"].text(), movement["symbol"].text(),
                 movement["counterparty"].text(), movement["reference"].text()},
                after - before, ReadHoldings(movement["change"]), out);
    before = after;
  }
  const Holdings closing = ReadHoldings(report["closing"]);
  PrintCsvRow({report["to"].text(), "", "closing", "", "", "", ""}, Shown(closing), closing, out);
  return AddsUp(StatementAddsUp(report));
}

absl::Status PrintLease(const JsonValue& report, std::ostream& out) {
  PrintLeaseFacts(report, out);
  out << "\n";
  if (report.Has("settlement")) {
    PrintLeaseSettlement(report["settlement"], out);
    out << "\n";
  }
  PrintLeaseTransfers(report, out);
  const JsonValue& escrow = report["escrow"];
  out << "\nescrow " << GroupDigits(escrow["paid_in"].text()) << " credits ("
      << escrow["paid_in_usd"].text() << " USD)";
  int64_t sum = 0;
  for (const std::string part :
       {"consumed", "burned", "gains", "refunded", "owed", "to_resales", "left"}) {
    const int64_t units = Units(escrow, part);
    sum += units;
    // Only what there is of the last two, which a settled lease has not.
    if (units == 0 && (part == "to_resales" || part == "left")) continue;
    out << (part == "consumed" ? " = " : " + ") << part << " " << GroupDigits(units);
  }
  const bool adds_up = escrow["adds_up"].flag() && sum == Units(escrow, "paid_in");
  out << (adds_up ? ": adds up\n" : ": DOES NOT ADD UP\n");
  return AddsUp(adds_up);
}

absl::Status PrintSupply(const JsonValue& report, std::ostream& out) {
  const JsonValue& tokens = report["tokens"];
  const auto utok = [&tokens](const std::string& name) { return UtokOf(tokens, name); };
  const int64_t existing = utok("supply") + utok("vault");
  out << "at " << TimeCell(report["market_time"]) << " UTC of the market\n";
  Table table({"", ">TOK", ""});
  const auto add = [&](const std::string& title, int64_t amount, const std::string& note = "") {
    table.Add({title, Tok(amount), note});
  };
  add("  genesis", utok("genesis"));
  add("+ emitted", utok("emitted"));
  add("- retired", utok("retired"), "for ever");
  add("= in existence", existing);
  add("- vault", utok("vault"), "burned for credits; pays for work");
  add("= circulating supply", utok("supply"));
  for (const std::string part : {"outside", "members", "fee"}) add("    " + part, utok(part));
  add("burned for credits", utok("burned"));
  add("re-minted to providers", utok("reminted_provider"));
  add("re-minted as fees", utok("reminted_fee"));
  add("deposited", utok("deposited"));
  add("withdrawn", utok("withdrawn"));
  add("cap", utok("cap"));
  add("pool left", utok("pool_left"), "to be emitted");
  add("emission a day, at most", utok("daily_emission_at_most"));
  const JsonValue& bound = report["bound"];
  add("supply at most", UtokOf(bound, "supply_at_most"),
      "until the end of " + bound["until_end_of"].text());
  table.Print(out);
  const JsonValue& price = report["price"];
  if (price.is_null()) {
    out << "no price of TOK now\n";
  } else {
    out << "1 TOK = " << price["median"].text() << " USD (burned at " << price["low"].text()
        << ", paid at " << price["high"].text() << "); the vault covers "
        << FormatDecimal(report["coverage"]["bps"].integer(), 2, 2) << "% of "
        << GroupDigits(report["coverage"]["debt_usd"].text())
        << " USD of credits: " << report["coverage"]["state"].text() << "\n";
  }
  return AddsUp(utok("genesis") + utok("emitted") - utok("retired") == existing &&
                utok("outside") + utok("members") + utok("fee") == utok("supply") &&
                existing <= utok("cap"));
}

void PrintDisclosures(const JsonValue& report, std::ostream& out) {
  out << "at " << TimeCell(report["market_time"]) << " UTC of the market\n";
  const JsonValue& work = report["delivered_work"];
  Table genesis({"genesis", ">TOK"});
  for (const JsonValue& row : report["genesis"].items()) {
    const std::string account = row.Has("account") ? " of " + row["account"].text() : "";
    genesis.Add({row["holding"].text() + account, Tok(UtokOf(row, "amount"))});
  }
  genesis.Print(out);
  out << "\nwork delivered in " << work["days"].integer()
      << " days: " << GroupDigits(work["verified_usd"].text()) << " USD by "
      << work["providers"].integer() << " providers; the ten largest have "
      << FormatDecimal(work["largest_ten_bps"].integer(), 2, 2) << "%, Herfindahl index "
      << FormatDecimal(work["herfindahl_bps"].integer(), 4, 4) << "\nbonded "
      << Tok(UtokOf(report["bonds"], "bonded")) << " TOK, slashed "
      << Tok(UtokOf(report["slashes"], "slashed")) << " TOK\n"
      << report["put"].text() << "\n\n";
  Table classes({"hardware class", ">watts", ">electricity", ">index", ">last", ""});
  for (const JsonValue& row : report["hardware_classes"].items()) {
    classes.Add({row["hardware_class"].text(), Cell(row["tdp_watts"]),
                 Cell(row["electricity_floor"]), Cell(row["index_price"]), Cell(row["last_price"]),
                 row["below_floor"].flag() ? "below its electricity" : ""});
  }
  classes.Print(out);
  out << "USD per GPU-hour; electricity at " << report["tariff_usd_per_kwh"].text()
      << " USD per kWh and 125% of the GPU's watts\n";
}

}  // namespace warpbook::gateway
