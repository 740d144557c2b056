#include "settlement/store/decision.h"

namespace warpbook::settlement {
namespace {

constexpr std::array<std::string_view, 5> kNames = {"post_deposit", "post_top_up", "refuse_request",
                                                    "settle_lease", "post_withdrawal"};

Decision SettleLeaseDecision(const wire::SettleLease& command) {
  Decision decision;
  decision.number = command.number();
  decision.kind = DecisionKind::kSettleLease;
  decision.lease = LeaseId(command.lease_id());
  decision.weight = command.verified_weight();
  decision.settlement.verified = Credits(command.consumed()) + Credits(command.owed());
  decision.settlement.consumed = Credits(command.consumed());
  decision.settlement.burned = Credits(command.burned());
  decision.settlement.refunded = Credits(command.refunded());
  decision.settlement.owed = Credits(command.owed());
  decision.settlement.gross = Tokens(command.gross_utok());
  decision.settlement.provider = Tokens(command.provider_utok());
  decision.settlement.fee = Tokens(command.fee_utok());
  decision.settlement.retire = Tokens(command.retire_utok());
  decision.delivered = Minutes(command.delivered_minutes());
  return decision;
}

}  // namespace

std::string_view Name(DecisionKind kind) { return kNames[static_cast<size_t>(kind)]; }

std::optional<DecisionKind> ParseDecisionKind(std::string_view word) {
  for (size_t i = 0; i < kNames.size(); ++i) {
    if (kNames[i] == word) return static_cast<DecisionKind>(i);
  }
  return std::nullopt;
}

std::optional<Decision> DecisionOf(wire::RecordView command) {
  Decision decision;
  switch (command.type()) {
    case wire::RecordType::kPostDeposit: {
      const auto& post = command.as<wire::PostDeposit>();
      decision.number = post.number();
      decision.kind = DecisionKind::kPostDeposit;
      decision.request = Sequence(post.request_sequence());
      return decision;
    }
    case wire::RecordType::kPostWithdrawal: {
      const auto& post = command.as<wire::PostWithdrawal>();
      decision.number = post.number();
      decision.kind = DecisionKind::kPostWithdrawal;
      decision.request = Sequence(post.request_sequence());
      return decision;
    }
    case wire::RecordType::kPostTopUp: {
      const auto& post = command.as<wire::PostTopUp>();
      decision.number = post.number();
      decision.kind = DecisionKind::kPostTopUp;
      decision.request = Sequence(post.request_sequence());
      decision.credits = Credits(post.credits());
      return decision;
    }
    case wire::RecordType::kRefuseRequest: {
      const auto& refuse = command.as<wire::RefuseRequest>();
      decision.number = refuse.number();
      decision.kind = DecisionKind::kRefuseRequest;
      decision.request = Sequence(refuse.request_sequence());
      decision.reason = static_cast<RejectReason>(refuse.reason());
      return decision;
    }
    case wire::RecordType::kSettleLease:
      return SettleLeaseDecision(command.as<wire::SettleLease>());
    default:
      return std::nullopt;
  }
}

}  // namespace warpbook::settlement
