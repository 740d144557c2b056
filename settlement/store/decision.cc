#include "settlement/store/decision.h"

namespace warpbook::settlement {
namespace {

constexpr std::array<std::string_view, 9> kNames = {
    "post_deposit", "post_top_up", "refuse_request", "settle_lease", "post_withdrawal",
    "pay_deferred", "close_epoch", "pay_bonus",      "mark_owner"};

// What is paid, by a SettleLease or a PayDeferred.
template <typename Command>
Settlement PaymentOf(const Command& command) {
  Settlement paid;
  paid.consumed = Credits(command.consumed());
  paid.gross = Tokens(command.gross_utok());
  paid.provider = Tokens(command.provider_utok());
  paid.fee = Tokens(command.fee_utok());
  paid.retire = Tokens(command.retire_utok());
  paid.emitted = Tokens(command.emitted_utok());
  return paid;
}

Decision SettleLeaseDecision(const wire::SettleLease& command) {
  Decision decision;
  decision.number = command.number();
  decision.kind = DecisionKind::kSettleLease;
  decision.lease = LeaseId(command.lease_id());
  decision.weight = command.verified_weight();
  decision.settlement = PaymentOf(command);
  decision.settlement.verified = Credits(command.consumed()) + Credits(command.owed());
  decision.settlement.burned = Credits(command.burned());
  decision.settlement.owed = Credits(command.owed());
  decision.delivered = Minutes(command.delivered_minutes());
  decision.verdict = static_cast<DisputeVerdict>(command.verdict());
  return decision;
}

Decision CloseEpochDecision(const wire::CloseEpoch& command) {
  Decision decision;
  decision.number = command.number();
  decision.kind = DecisionKind::kCloseEpoch;
  decision.epoch = {command.day(),
                    Tokens(command.budget_utok()),
                    Tokens(command.emitted_utok()),
                    Tokens(command.bonus_utok()),
                    Tokens(command.gross_utok()),
                    Tokens(command.retire_utok())};
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
    case wire::RecordType::kPayDeferred: {
      const auto& pay = command.as<wire::PayDeferred>();
      decision.number = pay.number();
      decision.kind = DecisionKind::kPayDeferred;
      decision.lease = LeaseId(pay.lease_id());
      decision.settlement = PaymentOf(pay);
      return decision;
    }
    case wire::RecordType::kCloseEpoch:
      return CloseEpochDecision(command.as<wire::CloseEpoch>());
    case wire::RecordType::kPayBonus: {
      const auto& pay = command.as<wire::PayBonus>();
      decision.number = pay.number();
      decision.kind = DecisionKind::kPayBonus;
      decision.account = AccountId(pay.account_id());
      decision.epoch.day = pay.day();
      decision.epoch.gross = Tokens(pay.gross_utok());
      decision.epoch.bonus = Tokens(pay.bonus_utok());
      return decision;
    }
    case wire::RecordType::kMarkOwner: {
      const auto& mark = command.as<wire::MarkOwner>();
      decision.number = mark.number();
      decision.kind = DecisionKind::kMarkOwner;
      decision.owner = OwnerId(mark.owner_id());
      decision.large = mark.large() != 0;
      return decision;
    }
    default:
      return std::nullopt;
  }
}

}  // namespace warpbook::settlement
