#include "settlement/service/report.h"

#include "absl/strings/str_cat.h"
#include "gateway/client/json_object.h"
#include "schema/types/arithmetic.h"
#include "schema/types/decimal.h"

namespace warpbook::settlement {
namespace {

using gateway::JsonObject;

void AddTokens(JsonObject& object, const std::string& name, Tokens tokens) {
  object.Text(name + "_utok", std::to_string(tokens.value()));
  object.Text(name, FormatTokens(tokens));
}

void AddCredits(JsonObject& object, const std::string& name, Credits credits) {
  object.Text(name, std::to_string(credits.value()));
  object.Text(name + "_usd", FormatUsd(credits));
}

// GPU-minutes as GPU-hours with two decimals, rounded down.
std::string GpuHours(int64_t gpu_minutes) {
  return FormatDecimal(MulDivDown(gpu_minutes, 100, 60).value_or(0), 2, 2);
}

}  // namespace

std::string AuditText(const Audit& audit, bool* all_hold) {
  std::string text = absl::StrCat("ledger at sequence ", audit.cursor.sequence.value(), ", event ",
                                  audit.cursor.event.value(), "\n");
  *all_hold = true;
  for (const auto& invariant : AllInvariants()) {
    // What could not be checked is no success, unless there is nothing in the ledger yet.
    const bool checked = invariant->IsChecked(audit.figures);
    const bool holds = checked ? invariant->Holds(audit.figures) : IsEmpty(audit.figures);
    *all_hold = *all_hold && holds;
    absl::StrAppend(&text,
                    !holds    ? "FAIL  "
                    : checked ? "PASS  "
                              : "NONE  ",
                    std::string(invariant->name()), ": ", invariant->Describe(audit.figures), "\n");
  }
  return text;
}

std::string SummaryJson(const Summary& summary) {
  const auto total = [&summary](Holding holding) {
    return summary.totals[static_cast<size_t>(holding)];
  };
  JsonObject leases;
  int64_t fills = 0;
  for (const auto& [state, count] : summary.leases) {
    leases.Integer(state, count);
    fills += count;
  }
  JsonObject tokens;
  AddTokens(tokens, "supply", Tokens(-total(Holding::kIssuance)) - Tokens(total(Holding::kVault)));
  AddTokens(tokens, "vault", Tokens(total(Holding::kVault)));
  AddTokens(tokens, "outside", Tokens(total(Holding::kOutside)));
  AddTokens(tokens, "members", Tokens(total(Holding::kTokens)));
  AddTokens(tokens, "fee", Tokens(total(Holding::kFee)));
  const SupplyCounters& counters = summary.counters;
  AddTokens(tokens, "genesis", counters.genesis);
  AddTokens(tokens, "emitted", counters.emitted);
  AddTokens(tokens, "deposited", counters.deposited);
  AddTokens(tokens, "withdrawn", counters.withdrawn);
  AddTokens(tokens, "burned", counters.burned);
  AddTokens(tokens, "reminted_provider", counters.reminted_provider);
  AddTokens(tokens, "reminted_fee", counters.reminted_fee);
  AddTokens(tokens, "retired", counters.retired);
  JsonObject credits;
  AddCredits(credits, "issued", Credits(-total(Holding::kIssued)));
  AddCredits(credits, "free", Credits(total(Holding::kFree)));
  AddCredits(credits, "locked", Credits(total(Holding::kLocked)));
  AddCredits(credits, "escrow", Credits(total(Holding::kEscrow)));
  AddCredits(credits, "owed", Credits(total(Holding::kOwed)));
  AddCredits(credits, "consumed", Credits(total(Holding::kConsumed)));
  AddCredits(credits, "burned", Credits(total(Holding::kBurned)));

  JsonObject object;
  object.Integer("sequence", static_cast<int64_t>(summary.cursor.sequence.value()));
  object.Integer("event_sequence", static_cast<int64_t>(summary.cursor.event.value()));
  object.Integer("market_time_us", summary.cursor.market_time.micros());
  object.Integer("decisions", static_cast<int64_t>(summary.cursor.decision_number));
  object.Integer("fills", fills).Raw("leases", leases.Build());
  object.Text("gpu_hours_sold", GpuHours(summary.gpu_minutes_sold));
  object.Text("gpu_hours_resold", GpuHours(summary.gpu_minutes_resold));
  object.Text("gpu_hours_delivered", GpuHours(summary.gpu_minutes_delivered));
  object.Integer("deposits", summary.deposits).Integer("withdrawals", summary.withdrawals);
  object.Integer("top_ups", summary.top_ups);
  object.Raw("tokens", tokens.Build()).Raw("credits", credits.Build());
  return object.Build();
}

}  // namespace warpbook::settlement
