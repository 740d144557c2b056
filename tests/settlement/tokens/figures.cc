// Answers questions about the token rules, one on each line of standard input, so that an oracle
// that shares nothing with them can ask (oracle_test.py):
//
//   prices NOW LATER (PRICE TIME)x5 ...            what each price.set leaves, LATER micros later
//   topup BURN LOW
//   settle NOTIONAL SURCHARGE VERIFIED HIGH VAULT EMISSION EMISSION_FIRST
//   deferred HIGH VAULT EMISSION EMISSION_FIRST OWED...
//   pool LEFT DAYS
//   emission BUDGET SPENT
//   bonus BUDGET GROSS...
//   coverage VAULT MEDIAN DEBT
//   state BEFORE BPS
//   index REFERENCE (OWNER PRICE NOTIONAL)...
//
// A settlement is verified, consumed, burned, refunded, owed, gross, the gross that counts for the
// bonus, provider, fee, retire and emitted. What there is none of is "none".
#include <array>
#include <cstdint>
#include <iostream>
#include <sstream>
#include <string>
#include <vector>

#include "settlement/tokens/class_index.h"
#include "settlement/tokens/coverage.h"
#include "settlement/tokens/funding.h"
#include "settlement/tokens/money_flow.h"
#include "settlement/tokens/prices.h"
#include "settlement/tokens/supply.h"
#include "settlement/tokens/work_bonus.h"

namespace warpbook::settlement {
namespace {

class Question {
 public:
  explicit Question(const std::string& line) : in_(line) { in_ >> name_; }
  const std::string& name() const { return name_; }
  int64_t Number() {
    int64_t number = 0;
    in_ >> number;
    return number;
  }
  std::vector<int64_t> Rest() {
    std::vector<int64_t> numbers;
    for (int64_t number = 0; in_ >> number;) numbers.push_back(number);
    return numbers;
  }
  Funds ReadFunds() {
    const Tokens vault(Number()), emission(Number());
    return {vault, emission, Number() != 0};
  }

 private:
  std::istringstream in_;
  std::string name_;
};

void Print(const Settlement& settled) {
  for (const Credits part :
       {settled.verified, settled.consumed, settled.burned, settled.refunded, settled.owed}) {
    std::cout << part.value() << ' ';
  }
  for (const Tokens part :
       {settled.gross, PaidGross(settled), settled.provider, settled.fee, settled.retire}) {
    std::cout << part.value() << ' ';
  }
  std::cout << settled.emitted.value();
}

void AnswerPrices(Question& question) {
  PriceState state;
  const std::vector<int64_t> numbers = question.Rest();
  constexpr size_t kSize = 2 + 2 * kPriceFeeds;
  for (size_t i = 0; i + kSize <= numbers.size(); i += kSize) {
    std::array<PriceFeed, kPriceFeeds> feeds;
    for (size_t feed = 0; feed < kPriceFeeds; ++feed) {
      feeds[feed] = {TokenPrice(numbers[i + 2 + 2 * feed]), Timestamp(numbers[i + 3 + 2 * feed])};
    }
    TakePrices(state, feeds, Timestamp(numbers[i]));
    const auto quote = QuotePrices(state, Timestamp(numbers[i]).PlusMicros(numbers[i + 1]));
    if (!quote) {
      std::cout << "none ; ";
      continue;
    }
    std::cout << quote->median.value() << ' ' << quote->low.value() << ' ' << quote->high.value()
              << " ; ";
  }
}

void AnswerIndex(Question& question) {
  const Price reference(question.Number());
  const std::vector<int64_t> numbers = question.Rest();
  std::vector<DeliveredWork> work;
  for (size_t i = 0; i + 3 <= numbers.size(); i += 3) {
    work.push_back({OwnerId(static_cast<uint64_t>(numbers[i])), Price(numbers[i + 1]),
                    Credits(numbers[i + 2])});
  }
  std::cout << ClassIndex(work, reference).value();
}

void Answer(Question& question) {
  if (question.name() == "prices") {
    AnswerPrices(question);
  } else if (question.name() == "index") {
    AnswerIndex(question);
  } else if (question.name() == "topup") {
    const Tokens burn(question.Number());
    const auto credits = TopUpCredits(burn, TokenPrice(question.Number()));
    credits ? void(std::cout << credits->value()) : void(std::cout << "none");
  } else if (question.name() == "pool") {
    const Tokens left(question.Number());
    std::cout << DailyEmission(left).value() << ' '
              << EmissionBound(left, question.Number()).value();
  } else if (question.name() == "settle") {
    EarnedEscrow escrow;
    escrow.notional = Credits(question.Number());
    escrow.surcharge = Credits(question.Number());
    escrow.verified = Credits(question.Number());
    const TokenPrice high(question.Number());
    const auto settled = Settle(escrow, high, question.ReadFunds());
    settled ? Print(*settled) : void(std::cout << "none");
  } else if (question.name() == "deferred") {
    const TokenPrice high(question.Number());
    Funds funds = question.ReadFunds();
    std::vector<DeferredPayment> payments;
    for (const int64_t owed : question.Rest()) {
      payments.push_back({LeaseId(payments.size() + 1), Credits(owed)});
    }
    for (const DeferredSettlement& paid : PayDeferred(payments, high, funds)) {
      std::cout << paid.lease.value() << ' ';
      Print(paid.settlement);
      std::cout << " ; ";
    }
    std::cout << funds.vault.value() << ' ' << funds.emission.value();
  } else if (question.name() == "emission") {
    EmissionDay day;
    day.budget = Tokens(question.Number());
    day.spent = Tokens(question.Number());
    std::cout << day.LeftForSettlements().value() << ' ' << day.LeftForBonus().value();
  } else if (question.name() == "bonus") {
    const Tokens budget(question.Number());
    std::vector<OwnerWork> work;
    for (const int64_t gross : question.Rest()) {
      work.push_back({OwnerId(work.size() + 1), Tokens(gross)});
    }
    for (const Tokens bonus : WorkBonus(budget, work)) std::cout << bonus.value() << ' ';
  } else if (question.name() == "coverage") {
    const Tokens vault(question.Number());
    const TokenPrice median(question.Number());
    const Credits debt(question.Number());
    std::cout << CoverageBps(vault, median, debt) << ' '
              << SurplusToRetire(vault, median, debt).value();
  } else if (question.name() == "state") {
    const auto before = static_cast<CoverageState>(question.Number());
    std::cout << static_cast<int>(NextCoverageState(before, question.Number()));
  } else {
    std::cout << "what is " << question.name() << '?';
  }
  std::cout << '\n';
}

}  // namespace
}  // namespace warpbook::settlement

int main() {
  for (std::string line; std::getline(std::cin, line);) {
    warpbook::settlement::Question question(line);
    warpbook::settlement::Answer(question);
  }
  return 0;
}
