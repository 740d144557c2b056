#include "settlement/service/report.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "schema/base/json_object.h"
#include "schema/types/arithmetic.h"
#include "schema/types/decimal.h"
#include "settlement/service/supply_json.h"

namespace warpbook::settlement {
namespace {

// GPU-minutes as GPU-hours with two decimals, rounded down.
std::string GpuHours(int64_t gpu_minutes) {
  return FormatDecimal(MulDivDown(gpu_minutes, 100, 60).value_or(0), 2, 2);
}

}  // namespace

std::vector<Finding> FindingsOf(const Audit& audit) {
  std::vector<Finding> findings;
  for (const auto& invariant : AllInvariants()) {
    // What could not be checked is no success, unless there is nothing in the ledger yet.
    const bool checked = invariant->IsChecked(audit.figures);
    const bool holds = checked ? invariant->Holds(audit.figures) : IsEmpty(audit.figures);
    findings.push_back({!holds    ? Finding::Verdict::kFail
                        : checked ? Finding::Verdict::kPass
                                  : Finding::Verdict::kNone,
                        std::string(invariant->name()), invariant->Describe(audit.figures)});
  }
  return findings;
}

std::string TextOf(const Finding& finding) {
  const absl::string_view word = finding.verdict == Finding::Verdict::kPass   ? "PASS"
                                 : finding.verdict == Finding::Verdict::kFail ? "FAIL"
                                                                              : "NONE";
  return absl::StrCat(word, "  ", finding.name, ": ", finding.detail, "\n");
}

bool AllHold(const std::vector<Finding>& findings) {
  return std::ranges::none_of(
      findings, [](const Finding& finding) { return finding.verdict == Finding::Verdict::kFail; });
}

std::string TotalOf(const std::vector<Finding>& findings) {
  std::vector<std::string> failing, holding;
  for (const Finding& finding : findings) {
    (finding.verdict == Finding::Verdict::kFail ? failing : holding).push_back(finding.name);
  }
  const std::string held = absl::StrCat(holding.size(), " of ", findings.size(),
                                        " hold: ", absl::StrJoin(holding, "; "), "\n");
  if (failing.empty()) return "TOTAL " + held;
  return absl::StrCat("TOTAL ", failing.size(), " of ", findings.size(),
                      " fail: ", absl::StrJoin(failing, "; "), ". ", held);
}

std::string AuditText(const Audit& audit, bool* all_hold) {
  const std::vector<Finding> findings = FindingsOf(audit);
  *all_hold = AllHold(findings);
  std::string text = absl::StrCat("ledger at sequence ", audit.cursor.sequence.value(), ", event ",
                                  audit.cursor.event.value(), "\n");
  for (const Finding& finding : findings) text += TextOf(finding);
  return text;
}

std::string SummaryJson(const Summary& summary) {
  JsonObject leases;
  int64_t fills = 0;
  for (const auto& [state, count] : summary.leases) {
    leases.Integer(state, count);
    fills += count;
  }

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
  object.Raw("tokens", TokensObject(summary.totals, summary.counters).Build());
  object.Raw("credits", CreditsObject(summary.totals).Build());
  return object.Build();
}

}  // namespace warpbook::settlement
