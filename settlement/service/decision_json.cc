#include "settlement/service/decision_json.h"

#include "schema/base/json_object.h"

namespace warpbook::settlement {

std::string DecisionParameters(const Decision& decision) {
  JsonObject object;
  // Amounts are decimal strings, as ids are.
  const auto amount = [&object](std::string_view key, int64_t value) {
    object.Text(key, std::to_string(value));
  };
  object.Integer("number", static_cast<int64_t>(decision.number));
  object.Text("decision", Name(decision.kind));
  const auto payment = [&] {
    const Settlement& figures = decision.settlement;
    object.Id("lease", decision.lease.value());
    amount("consumed", figures.consumed.value());
    amount("gross_utok", figures.gross.value());
    amount("provider_utok", figures.provider.value());
    amount("fee_utok", figures.fee.value());
    amount("retire_utok", figures.retire.value());
    amount("emitted_utok", figures.emitted.value());
  };
  const EpochTotals& epoch = decision.epoch;
  switch (decision.kind) {
    case DecisionKind::kSettleLease:
      payment();
      amount("verified_weight", decision.weight);
      amount("burned", decision.settlement.burned.value());
      amount("owed", decision.settlement.owed.value());
      object.Integer("delivered_minutes", decision.delivered.value());
      object.Text("verdict", warpbook::Name(decision.verdict));
      break;
    case DecisionKind::kPayDeferred:
      payment();
      break;
    case DecisionKind::kCloseEpoch:
      object.Integer("day", epoch.day);
      amount("budget_utok", epoch.budget.value());
      amount("emitted_utok", epoch.emitted.value());
      amount("bonus_utok", epoch.bonus.value());
      amount("gross_utok", epoch.gross.value());
      amount("retire_utok", epoch.retire.value());
      break;
    case DecisionKind::kPayBonus:
      object.Integer("day", epoch.day).Id("account", decision.account.value());
      amount("gross_utok", epoch.gross.value());
      amount("bonus_utok", epoch.bonus.value());
      break;
    case DecisionKind::kMarkOwner:
      object.Id("owner", decision.owner.value()).Flag("large", decision.large);
      break;
    case DecisionKind::kPostTopUp:
      amount("credits", decision.credits.value());
      object.Id("request", decision.request.value());
      break;
    case DecisionKind::kRefuseRequest:
      object.Integer("reason", static_cast<uint16_t>(decision.reason));
      object.Id("request", decision.request.value());
      break;
    case DecisionKind::kPostDeposit:
    case DecisionKind::kPostWithdrawal:
      object.Id("request", decision.request.value());
      break;
  }
  return object.Build();
}

}  // namespace warpbook::settlement
