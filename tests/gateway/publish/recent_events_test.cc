#include "gateway/publish/recent_events.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstring>
#include <deque>
#include <map>
#include <random>
#include <vector>

namespace warpbook::gateway {
namespace {

using Kept = std::vector<std::byte>;

// Makes events, each other than all before it, and keeps them all.
class Maker {
 public:
  explicit Maker(uint64_t seed) : random_(seed) {}

  // The account's next event. One with a cause is three times as long.
  PrivateEvent Next(uint64_t account, bool has_cause) {
    writer_.Clear();
    std::vector<Made>& events = made_[account];
    const uint64_t sequence = events.size() + 1;
    auto& event = writer_.Add<wire::OrderFilled>(0);
    event.mutable_header().mutate_account_id(account);
    event.mutable_header().mutate_account_sequence(sequence);
    event.mutate_order_id(random_());
    const size_t cause_at = writer_.size();
    if (has_cause) writer_.Add<wire::TradeExecuted>(0).mutate_lease_id(random_());
    const auto bytes = writer_.bytes();
    events.push_back({{bytes.begin(), bytes.begin() + static_cast<int64_t>(cause_at)},
                      {bytes.begin() + static_cast<int64_t>(cause_at), bytes.end()},
                      static_cast<int64_t>(random_() >> 1)});
    return {.record = wire::RecordView(bytes.data()),
            .cause = has_cause ? wire::RecordView(bytes.data() + cause_at) : wire::RecordView(),
            .ts_us = events.back().ts_us};
  }
  uint64_t LastOf(uint64_t account) const {
    const auto found = made_.find(account);
    return found == made_.end() ? 0 : found->second.size();
  }
  bool Matches(uint64_t account, uint64_t sequence, const PrivateEvent& event) const {
    const Made& made = made_.at(account)[sequence - 1];
    const auto equal = [](const Kept& kept, wire::RecordView view) {
      return view.empty() ? kept.empty() : std::ranges::equal(kept, view.bytes());
    };
    return equal(made.record, event.record) && equal(made.cause, event.cause) &&
           made.ts_us == event.ts_us;
  }

 private:
  struct Made {
    Kept record, cause;
    int64_t ts_us = 0;
  };
  std::mt19937_64 random_;
  wire::RecordWriter writer_;
  std::map<uint64_t, std::vector<Made>> made_;
};

// What is there of an account is a run of events up to its last one, each as it was made.
uint64_t CheckAccount(const RecentEvents& recent, const Maker& maker, uint64_t account) {
  const uint64_t oldest = recent.OldestOf(AccountId(account));
  const uint64_t last = maker.LastOf(account);
  CHECK_FALSE(recent.Find(AccountId(account), 0));
  CHECK_FALSE(recent.Find(AccountId(account), last + 1));
  uint64_t count = 0;
  for (uint64_t sequence = 1; sequence <= last; ++sequence) {
    const auto found = recent.Find(AccountId(account), sequence);
    REQUIRE(found.has_value() == (oldest != 0 && sequence >= oldest));
    if (!found) continue;
    REQUIRE(maker.Matches(account, sequence, *found));
    ++count;
  }
  return count;
}

}  // namespace

TEST_CASE("Random events: each account's last ones are there as they came, within the bytes") {
  constexpr size_t kFillBytes = 32 + 8 + sizeof(wire::OrderFilled);
  for (uint64_t seed = 1; seed <= 40; ++seed) {
    CAPTURE(seed);
    std::mt19937_64 random(seed);
    const RecentEventsLimits limits{.events_per_account = size_t{8} << seed % 4,
                                    .bytes = 4'096 + 8 * (random() % 1'000)};
    RecentEvents recent(limits);
    Maker maker(seed);
    const uint64_t accounts = 1 + seed % 9;
    for (int i = 0; i < 400; ++i) {
      const uint64_t account = 1 + random() % accounts;
      recent.Add(maker.Next(account, random() % 3 == 0));
      // The newest is always there.
      REQUIRE(recent.Find(AccountId(account), maker.LastOf(account)));
    }
    uint64_t total = 0;
    for (uint64_t account = 1; account <= accounts + 1; ++account) {
      const uint64_t count = CheckAccount(recent, maker, account);
      CHECK(count <= limits.events_per_account);
      total += count;
    }
    CHECK(total * kFillBytes <= limits.bytes);
    CHECK(total >= 8);
  }
}

TEST_CASE("Of all accounts the oldest event goes first, and an account keeps so many at most") {
  Maker maker(1);
  RecentEvents recent({.events_per_account = 16, .bytes = 1 << 20});
  for (int i = 0; i < 16; ++i) recent.Add(maker.Next(1, false));
  CHECK(recent.OldestOf(AccountId(1)) == 1);
  recent.Add(maker.Next(1, false));
  CHECK(recent.OldestOf(AccountId(1)) == 2);

  RecentEvents small({.events_per_account = 4'096, .bytes = 4'096});
  Maker others(2);
  small.Add(others.Next(7, false));
  while (small.OldestOf(AccountId(7)) == 1) small.Add(others.Next(8, false));
  CHECK(small.OldestOf(AccountId(7)) == 0);
  CHECK(small.OldestOf(AccountId(8)) == 1);
  CHECK(others.LastOf(8) == 4'096 / (32 + 8 + sizeof(wire::OrderFilled)));
  // It comes back.
  small.Add(others.Next(7, true));
  CHECK(small.OldestOf(AccountId(7)) == 2);
}

TEST_CASE("Without bytes nothing is kept") {
  RecentEvents recent({.bytes = 0});
  Maker maker(1);
  recent.Add(maker.Next(1, true));
  CHECK(recent.OldestOf(AccountId(1)) == 0);
}

}  // namespace warpbook::gateway
