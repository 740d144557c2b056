// The vocabularies are stored in journals and spoken in the API: values and words are pinned here.
#include "schema/types/enums.h"

#include <doctest/doctest.h>

#include <set>
#include <string_view>
#include <vector>

namespace warpbook {
namespace {

// The words in the order of their values, the value of each, and no word for the value after.
template <typename E>
void CheckWords(const std::vector<std::string_view>& words) {
  CHECK(EnumNames<E>::kNames.size() == words.size());
  for (size_t value = 0; value < words.size(); ++value) {
    const auto e = static_cast<E>(value);
    CHECK(IsValid(e));
    CHECK(Name(e) == words[value]);
    CHECK(ParseName<E>(words[value]) == e);
  }
  for (size_t value = words.size(); value < 256; ++value) {
    CHECK_FALSE(IsValid(static_cast<E>(value)));
    CHECK(Name(static_cast<E>(value)) == "invalid");
  }
  CHECK(std::set<std::string_view>(words.begin(), words.end()).size() == words.size());
  for (const std::string_view word : {"", "invalid", "BUY", "Gtc", " buy", "buy "}) {
    CHECK_FALSE(ParseName<E>(word).has_value());
  }
}

TEST_CASE("Every word has its value, and no other word has one") {
  CheckWords<Side>({"buy", "sell"});
  CheckWords<OrderType>({"limit", "market"});
  CheckWords<TimeInForce>({"gtc", "gtd", "ioc", "fok"});
  CheckWords<Tier>({"premium", "standard", "economy"});
  CheckWords<Assurance>({"attested", "verified", "listed"});
  CheckWords<SelfTradePrevention>({"cancel_newest", "cancel_oldest", "cancel_both", "decrement"});
  CheckWords<InstrumentState>({"open", "halted", "gate_closed", "closed"});
  CheckWords<CancelReason>({"requested", "ioc_remainder", "expired", "gate_closed", "self_trade",
                            "min_fill", "amended_filled", "capacity_reduced", "limit_reduced",
                            "downgraded", "disconnected", "timer"});
  CheckWords<LeaseState>(
      {"reserved", "active", "delivered", "failed", "settled", "resold", "disputed"});
  CheckWords<DisputeVerdict>({"none", "founded", "unfounded"});
  CheckWords<AccountKind>({"member", "operator", "settlement"});
  CheckWords<CreditBucket>(
      {"issued", "free", "locked", "escrow", "owed", "consumed", "burned", "clearing"});
  CheckWords<RequestKind>({"deposit", "top_up", "withdrawal"});
}

TEST_CASE("The enumerators have the values of their words") {
  CHECK(Name(Side::kSell) == "sell");
  CHECK(Name(OrderType::kMarket) == "market");
  CHECK(Name(TimeInForce::kGtd) == "gtd");
  CHECK(Name(TimeInForce::kIoc) == "ioc");
  CHECK(Name(TimeInForce::kFok) == "fok");
  CHECK(Name(Tier::kPremium) == "premium");
  CHECK(Name(Tier::kEconomy) == "economy");
  CHECK(Name(Assurance::kAttested) == "attested");
  CHECK(Name(Assurance::kListed) == "listed");
  CHECK(Name(SelfTradePrevention::kCancelOldest) == "cancel_oldest");
  CHECK(Name(SelfTradePrevention::kCancelBoth) == "cancel_both");
  CHECK(Name(SelfTradePrevention::kDecrement) == "decrement");
  CHECK(Name(InstrumentState::kHalted) == "halted");
  CHECK(Name(InstrumentState::kGateClosed) == "gate_closed");
  CHECK(Name(CancelReason::kIocRemainder) == "ioc_remainder");
  CHECK(Name(CancelReason::kExpired) == "expired");
  CHECK(Name(CancelReason::kGateClosed) == "gate_closed");
  CHECK(Name(CancelReason::kSelfTrade) == "self_trade");
  CHECK(Name(CancelReason::kBelowMinFill) == "min_fill");
  CHECK(Name(CancelReason::kAmendedToFilled) == "amended_filled");
  CHECK(Name(CancelReason::kCapacityReduced) == "capacity_reduced");
  CHECK(Name(CancelReason::kLimitReduced) == "limit_reduced");
  CHECK(Name(CancelReason::kDowngraded) == "downgraded");
  CHECK(Name(CancelReason::kDisconnected) == "disconnected");
  CHECK(Name(CancelReason::kTimer) == "timer");
  CHECK(Name(LeaseState::kActive) == "active");
  CHECK(Name(LeaseState::kDelivered) == "delivered");
  CHECK(Name(LeaseState::kFailed) == "failed");
  CHECK(Name(LeaseState::kSettled) == "settled");
  CHECK(Name(LeaseState::kResold) == "resold");
  CHECK(Name(LeaseState::kDisputed) == "disputed");
  CHECK(Name(DisputeVerdict::kFounded) == "founded");
  CHECK(Name(AccountKind::kOperator) == "operator");
  CHECK(Name(AccountKind::kSettlement) == "settlement");
  CHECK(Name(CreditBucket::kLocked) == "locked");
  CHECK(Name(CreditBucket::kEscrow) == "escrow");
  CHECK(Name(CreditBucket::kOwed) == "owed");
  CHECK(Name(CreditBucket::kConsumed) == "consumed");
  CHECK(Name(CreditBucket::kBurned) == "burned");
  CHECK(Name(CreditBucket::kClearing) == "clearing");
  CHECK(Name(RequestKind::kTopUp) == "top_up");
  CHECK(Name(RequestKind::kWithdrawal) == "withdrawal");
}

TEST_CASE("Scopes are single bits, and members have the first three") {
  CHECK(static_cast<uint32_t>(Scope::kRead) == 1);
  CHECK(static_cast<uint32_t>(Scope::kTrade) == 2);
  CHECK(static_cast<uint32_t>(Scope::kProvide) == 4);
  CHECK(static_cast<uint32_t>(Scope::kOperate) == 8);
  CHECK(static_cast<uint32_t>(Scope::kSettle) == 16);
  CHECK(kMemberScopes == 7);
}

}  // namespace
}  // namespace warpbook
