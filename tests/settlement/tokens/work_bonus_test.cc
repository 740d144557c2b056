#include "settlement/tokens/work_bonus.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <random>
#include <vector>

#include "settlement/tokens/money_flow.h"

namespace warpbook::settlement {
namespace {

std::vector<OwnerWork> Work(std::initializer_list<int64_t> grosses) {
  std::vector<OwnerWork> work;
  for (const int64_t gross : grosses) {
    work.push_back({OwnerId(work.size() + 1), Tokens(gross)});
  }
  return work;
}

TEST_CASE("The bonus goes by gross, at most a tenth of it and 4% of the gross to one owner") {
  // A tenth each of what twenty equal owners' gross leaves: 5% of 1,000.
  CHECK(WorkBonus(Tokens(1'000), std::vector<OwnerWork>(20, {OwnerId(1), Tokens(100'000)})) ==
        std::vector<Tokens>(20, Tokens(50)));
  // By share 900, 90 and 10; a tenth is 100.
  CHECK(WorkBonus(Tokens(1'000), Work({900'000, 90'000, 10'000})) ==
        std::vector<Tokens>{Tokens(100), Tokens(90), Tokens(10)});
  // 4% of 2,499 is 99.96.
  CHECK(WorkBonus(Tokens(1'000'000), Work({2'499, 0, 25})) ==
        std::vector<Tokens>{Tokens(99), Tokens(0), Tokens(1)});
  CHECK(WorkBonus(Tokens(0), Work({5, 7})) == std::vector<Tokens>(2, Tokens(0)));
  CHECK(WorkBonus(Tokens(1'000), {}).empty());
  CHECK(WorkBonus(Tokens(1'000), Work({0, 0})) == std::vector<Tokens>(2, Tokens(0)));
}

TEST_CASE("What waits as owed counts for the bonus when it is paid, and once") {
  CHECK(PaidGross(SettleUnearned(Credits(1'000), Credits(5))) == Tokens(0));
  // D = 9,500,000, of which the vault holds a third and one unit more.
  const auto first = Settle({Credits(1'200'000'000), Credits(0), Credits(1'200'000'000)},
                            TokenPrice(2'000'000), {.vault = Tokens(3'166'667)});
  REQUIRE(first);
  REQUIRE(first->consumed == Credits(400'000'042));
  CHECK(PaidGross(*first) == Tokens(3'333'333));  // of 10,000,000
  // The rest at half the price: 799,999,958 credits.
  const auto rest =
      Settle({first->owed, Credits(0), first->owed}, TokenPrice(1'000'000), {.vault = kMaxTokens});
  REQUIRE(rest);
  CHECK(PaidGross(*rest) == Tokens(13'333'332));
  CHECK(PaidGross(*rest) == rest->gross);
  // What is too small to be paid for counts whole, as it is consumed.
  const auto dust =
      Settle({Credits(120), Credits(0), Credits(120)}, TokenPrice(2'000'000), {.vault = Tokens(0)});
  REQUIRE(dust);
  CHECK(PaidGross(*dust) == Tokens(1));
}

// Whatever the price does between burning and paying at one moment's prices, and by however many
// owners the work is done: what comes back, bonus included, is less than what was burned.
TEST_CASE("Who trades with oneself for the bonus loses") {
  std::mt19937_64 random(7);
  for (int round = 0; round < 2'000; ++round) {
    const size_t owners = round % 2 == 0 ? 1 : 10;
    std::vector<OwnerWork> work;
    std::vector<Tokens> burned(owners, Tokens(0)), back(owners, Tokens(0));
    for (size_t i = 0; i < owners; ++i) work.push_back({OwnerId(i + 1), Tokens(0)});
    // A path of prices, on which everybody trades with oneself now and then.
    int64_t low = 1 + static_cast<int64_t>(random() % 100'000'000);
    for (int step = 0; step < 40; ++step) {
      low = std::clamp<int64_t>(low + static_cast<int64_t>(random() % (low + 1)) - low / 2, 1,
                                1'000'000'000);
      const TokenPrice high(low + static_cast<int64_t>(random() % 3) * low / 100);
      const size_t owner = random() % owners;
      const Tokens burn(1'000'000 + static_cast<int64_t>(random() % 1'000'000'000'000));
      const auto credits = TopUpCredits(burn, TokenPrice(low));
      REQUIRE(credits);
      const auto settled = Settle({*credits, Credits(0), *credits}, high, {.vault = kMaxTokens});
      if (*credits == Credits(0) || !settled) continue;
      burned[owner] += burn;
      back[owner] += settled->provider;
      work[owner].gross += settled->gross;
    }
    const Tokens budget(static_cast<int64_t>(random() % 93'000'000'000));
    const std::vector<Tokens> bonus = WorkBonus(budget, work);
    Tokens all(0);
    for (size_t i = 0; i < owners; ++i) {
      CHECK(bonus[i].value() * 100 <= work[i].gross.value() * 4);
      CHECK(bonus[i].value() * 10 <= budget.value());
      if (burned[i] > Tokens(0)) CHECK(back[i] + bonus[i] < burned[i]);
      all += bonus[i];
    }
    CHECK(all <= budget);
  }
}

}  // namespace
}  // namespace warpbook::settlement
