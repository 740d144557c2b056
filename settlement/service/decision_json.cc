#include "settlement/service/decision_json.h"

#include "gateway/client/json_object.h"

namespace warpbook::settlement {

std::string DecisionParameters(const Decision& decision) {
  gateway::JsonObject object;
  // Amounts are decimal strings, as ids are.
  const auto amount = [&object](std::string_view key, int64_t value) {
    object.Text(key, std::to_string(value));
  };
  object.Integer("number", static_cast<int64_t>(decision.number));
  object.Text("decision", Name(decision.kind));
  if (decision.kind == DecisionKind::kSettleLease) {
    const Settlement& figures = decision.settlement;
    object.Id("lease", decision.lease.value());
    amount("verified_weight", decision.weight);
    amount("consumed", figures.consumed.value());
    amount("burned", figures.burned.value());
    amount("refunded", figures.refunded.value());
    amount("owed", figures.owed.value());
    amount("gross_utok", figures.gross.value());
    amount("provider_utok", figures.provider.value());
    amount("fee_utok", figures.fee.value());
    amount("retire_utok", figures.retire.value());
    object.Integer("delivered_minutes", decision.delivered.value());
    return object.Build();
  }
  object.Id("request", decision.request.value());
  if (decision.kind == DecisionKind::kPostTopUp) amount("credits", decision.credits.value());
  if (decision.kind == DecisionKind::kRefuseRequest) {
    object.Integer("reason", static_cast<uint16_t>(decision.reason));
  }
  return object.Build();
}

}  // namespace warpbook::settlement
