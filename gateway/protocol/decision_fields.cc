#include "gateway/protocol/decision_fields.h"

#include <limits>

namespace warpbook::gateway {
namespace {

constexpr Need kRequired = Need::kRequired;
constexpr Need kOptional = Need::kOptional;
constexpr int64_t kInt32Max = std::numeric_limits<int32_t>::max();
constexpr int64_t kDecisionNumberMax = 9'007'199'254'740'991;  // 2^53 - 1

LeaseId LeaseOf(FieldReader& fields) {
  return fields.Identifier<LeaseId>("lease", kRequired).value_or(LeaseId());
}

Credits CreditAmount(FieldReader& fields, std::string_view name) {
  return Credits(fields.Decimal(name, 0, kRequired).value_or(0));
}

Tokens MicroTokens(FieldReader& fields, std::string_view name) {
  return Tokens(fields.Decimal(name, 0, kRequired).value_or(0));
}

Sequence RequestSequence(FieldReader& fields) {
  return fields.Identifier<Sequence>("request", kRequired).value_or(Sequence());
}

// What is paid, of a settlement or of a deferred payment.
template <typename Decision>
void ReadPayment(FieldReader& fields, Decision& decision) {
  decision.consumed = CreditAmount(fields, "consumed");
  decision.gross = MicroTokens(fields, "gross_utok");
  decision.provider = MicroTokens(fields, "provider_utok");
  decision.fee = MicroTokens(fields, "fee_utok");
  decision.retire = MicroTokens(fields, "retire_utok");
  decision.emitted = MicroTokens(fields, "emitted_utok");
}

int32_t Day(FieldReader& fields) {
  return static_cast<int32_t>(fields.Integer("day", 0, kInt32Max, kRequired).value_or(0));
}

SettleLeaseDecision ReadSettleLease(FieldReader& fields) {
  SettleLeaseDecision decision;
  decision.lease = LeaseOf(fields);
  decision.verified_weight = CreditAmount(fields, "verified_weight").value();
  ReadPayment(fields, decision);
  decision.burned = CreditAmount(fields, "burned");
  decision.owed = CreditAmount(fields, "owed");
  decision.delivered_minutes = Minutes(static_cast<int32_t>(
      fields.Integer("delivered_minutes", 0, kInt32Max, kRequired).value_or(0)));
  decision.verdict =
      fields.Word<DisputeVerdict>("verdict", kOptional).value_or(DisputeVerdict::kNone);
  return decision;
}

PayDeferredDecision ReadPayDeferred(FieldReader& fields) {
  PayDeferredDecision decision;
  decision.lease = LeaseOf(fields);
  ReadPayment(fields, decision);
  return decision;
}

CloseEpochDecision ReadCloseEpoch(FieldReader& fields) {
  return {.day = Day(fields),
          .budget = MicroTokens(fields, "budget_utok"),
          .emitted = MicroTokens(fields, "emitted_utok"),
          .bonus = MicroTokens(fields, "bonus_utok"),
          .gross = MicroTokens(fields, "gross_utok"),
          .retire = MicroTokens(fields, "retire_utok")};
}

PayBonusDecision ReadPayBonus(FieldReader& fields) {
  return {.day = Day(fields),
          .account = fields.Identifier<AccountId>("account", kRequired).value_or(AccountId()),
          .gross = MicroTokens(fields, "gross_utok"),
          .bonus = MicroTokens(fields, "bonus_utok")};
}

MarkOwnerDecision ReadMarkOwner(FieldReader& fields) {
  return {.owner = fields.Identifier<OwnerId>("owner", kRequired).value_or(OwnerId()),
          .large = fields.Bool("large", kRequired).value_or(false)};
}

}  // namespace

SettlementSubmitRequest ReadSettlementSubmit(FieldReader& fields) {
  SettlementSubmitRequest request;
  request.number =
      static_cast<uint64_t>(fields.Integer("number", 1, kDecisionNumberMax, kRequired).value_or(1));
  const auto node = fields.Node("decision", FieldNode::Kind::kString, kRequired);
  if (!node) return request;
  const std::string_view decision = fields.TextOf(*node);
  if (decision == "post_deposit") {
    request.decision = PostDepositDecision{.request = RequestSequence(fields)};
  } else if (decision == "post_withdrawal") {
    request.decision = PostWithdrawalDecision{.request = RequestSequence(fields)};
  } else if (decision == "post_top_up") {
    request.decision = PostTopUpDecision{.request = RequestSequence(fields),
                                         .credits = CreditAmount(fields, "credits")};
  } else if (decision == "refuse_request") {
    request.decision = RefuseRequestDecision{
        .request = RequestSequence(fields),
        .reason = static_cast<uint16_t>(
            fields.Integer("reason", 1, std::numeric_limits<uint16_t>::max(), kRequired)
                .value_or(1))};
  } else if (decision == "settle_lease") {
    request.decision = ReadSettleLease(fields);
  } else if (decision == "pay_deferred") {
    request.decision = ReadPayDeferred(fields);
  } else if (decision == "close_epoch") {
    request.decision = ReadCloseEpoch(fields);
  } else if (decision == "pay_bonus") {
    request.decision = ReadPayBonus(fields);
  } else if (decision == "mark_owner") {
    request.decision = ReadMarkOwner(fields);
  } else {
    fields.Refuse(RejectReason::kUnknownValue, "decision",
                  "one of post_deposit post_withdrawal post_top_up refuse_request settle_lease"
                  " pay_deferred close_epoch pay_bonus mark_owner");
  }
  return request;
}

}  // namespace warpbook::gateway
