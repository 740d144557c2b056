// Runs the named scenarios of the token rules' economy and prints what became of them:
//
//   economics_year --csv FOLDER [--seed 1] [--days 365]
//
// Two tables in Markdown on standard output, progress on standard error, and FOLDER/NAME.csv with a
// row for each day. Status 1, with what it was, where something does not hold.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <string>
#include <vector>

#include "schema/types/arithmetic.h"
#include "tests/simulation/economics/market.h"
#include "tests/simulation/violation.h"

namespace warpbook::economics {
namespace {

// Whole tokens with thousands set apart; rounded towards zero.
std::string Tok(int64_t utok) {
  std::string digits = std::to_string(utok / kMicroTokPerTok);
  const size_t first = digits.starts_with('-') ? 1 : 0;
  for (size_t i = digits.size(); i > first + 3;) digits.insert(i -= 3, ",");
  return digits;
}
std::string Tok(Tokens tokens) { return Tok(tokens.value()); }
std::string Percent(int64_t bps) {
  char text[32];
  std::snprintf(text, sizeof text, "%s%lld.%02lld", bps < 0 ? "-" : "",
                static_cast<long long>(std::abs(bps) / 100),
                static_cast<long long>(std::abs(bps) % 100));
  return text;
}
std::string Usd(Credits credits) { return Tok(credits.value() / 60); }

void WriteCsv(const std::string& path, const YearFigures& year) {
  std::ofstream file(path);
  file << "day,demand_usd,price_uusd,supply_utok,vault_utok,coverage_bps_min,owed_credits,"
          "burned_utok,reminted_utok,emitted_utok,retired_utok,bonus_utok\n";
  for (const DayRow& day : year.days) {
    const auto& c = day.counters;
    file << day.day << ',' << day.demand_usd << ',' << day.price.value() << ','
         << day.supply.value() << ',' << day.vault.value() << ',' << day.coverage_bps_min << ','
         << day.owed.value() << ',' << c.burned.value() << ','
         << (c.reminted_provider + c.reminted_fee).value() << ',' << c.emitted.value() << ','
         << c.retired.value() << ',' << day.bonus.value() << '\n';
  }
  if (!file.flush()) throw simulation::Violation("cannot write " + path);
}

void PrintYear(const Scenario& scenario, const YearFigures& year) {
  const auto& c = year.days.back().counters;
  const auto worst = std::ranges::min_element(year.days, {}, &DayRow::coverage_bps_min);
  std::printf("| %s | %s | %s | %s | %s (%s) | %s (%s) | %s | %lld | %s (%s) | %lld | %s (%s) |\n",
              scenario.name.c_str(), Tok(year.days.back().supply - year.supply_start).c_str(),
              Tok(c.burned).c_str(), Tok(c.reminted_provider + c.reminted_fee).c_str(),
              Tok(c.emitted).c_str(), Tok(year.bonus).c_str(), Tok(c.retired).c_str(),
              Tok(year.surplus_retired).c_str(), Percent(worst->coverage_bps_min).c_str(),
              static_cast<long long>(year.days_stressed), Usd(year.owed_max).c_str(),
              Usd(year.days.back().owed).c_str(), static_cast<long long>(year.wait_hours_max),
              Percent(year.pay_bps).c_str(), Percent(year.worst_hour_pay_bps).c_str());
}

// Of what was put in, in basis points: below zero is a loss.
int64_t GainBps(int64_t in, int64_t out) {
  return in == 0 ? 0 : static_cast<int64_t>((int128{out} - in) * 10'000 / in);
}

std::string Wash(const YearFigures& year) {
  const WashFigures& wash = year.wash;
  return Percent(GainBps(wash.worth.value(), wash.received.value())) + " | " +
         Percent(GainBps(wash.usd_in, wash.usd_out)) + " | " +
         Percent(GainBps(wash.burned.value(), wash.received.value()));
}

YearFigures Run(const Scenario& scenario, uint64_t seed, int64_t days, const std::string& what) {
  std::fprintf(stderr, "%s%s\n", scenario.name.c_str(), what.c_str());
  return RunScenario(scenario, seed, days);
}

void RunAll(const std::string& folder, uint64_t seed, int64_t days) {
  std::printf(
      "| year | supply, change in TOK | burned | re-minted | emitted (of it bonus) | retired (of "
      "it "
      "surplus) | coverage, least %% | days stressed | owed, most USD (at the end) | longest wait, "
      "h "
      "| pay, %% of what it says (worst hour) |\n|---|---|---|---|---|---|---|---|---|---|---|\n");
  for (const Scenario& scenario : NamedScenarios()) {
    const YearFigures year = Run(scenario, seed, days, "");
    WriteCsv(folder + "/" + scenario.name + ".csv", year);
    PrintYear(scenario, year);
    std::fflush(stdout);
  }
  std::printf(
      "\n| wash traders' gain, %% | one owner: at its settlements' prices | in USD | in TOK | ten "
      "owners: at their settlements' prices | in USD | in TOK |\n|---|---|---|---|---|---|---|\n");
  for (Scenario scenario : NamedScenarios()) {
    if (scenario.wash_owners > 0) continue;
    scenario.wash_usd = 50'000;
    std::string row = "| " + scenario.name;
    for (const int64_t owners : {1, 10}) {
      scenario.wash_owners = owners;
      row += " | " + Wash(Run(scenario, seed, days, ", wash traders: " + std::to_string(owners)));
    }
    std::printf("%s |\n", row.c_str());
    std::fflush(stdout);
  }
}

int Main(int argc, char** argv) {
  CLI::App app("Runs the named scenarios of the token rules' economy.");
  std::string folder;
  uint64_t seed = 1;
  int64_t days = kDaysPerYear;
  app.add_option("--csv", folder, "where the days go")->required()->check(CLI::ExistingDirectory);
  app.add_option("--seed", seed, "of all chance");
  app.add_option("--days", days, "of each scenario")->check(CLI::PositiveNumber);
  CLI11_PARSE(app, argc, argv);
  try {
    RunAll(folder, seed, days);
  } catch (const simulation::Violation& violation) {
    std::fprintf(stderr, "does not hold: %s\n", violation.what());
    return 1;
  }
  return 0;
}

}  // namespace
}  // namespace warpbook::economics

int main(int argc, char** argv) { return warpbook::economics::Main(argc, argv); }
