// The memory of client order ids against maps: random accounts that place and finish orders with
// ids of few and of many shapes, over a time that forgets them.
#include <doctest/doctest.h>

#include <algorithm>
#include <deque>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "engine/core/accounts.h"
#include "engine/core/client_order_ids.h"

namespace warpbook::engine {
namespace {

ClientOrderId Id(std::string_view text) { return *ClientOrderId::Parse(text); }

TEST_CASE("A client order id is the same after it was packed") {
  std::mt19937_64 random(1);
  for (int i = 0; i < 10'000; ++i) {
    std::string text(1 + random() % 32, ' ');
    for (char& c : text) c = static_cast<char>(0x21 + random() % 94);
    const PackedClientOrderId packed(Id(text));
    std::array<uint8_t, 32> bytes;
    packed.CopyTo(bytes.data());
    REQUIRE(ClientOrderId::FromBytes(bytes.data()) == Id(text));
    text.back() = text.back() == 'a' ? 'b' : 'a';
    REQUIRE(packed != PackedClientOrderId(Id(text)));
  }
}

TEST_CASE("The index of handles finds what is in it and nothing else") {
  std::mt19937_64 random(2);
  HandleIndex index;
  std::vector<uint64_t> hash_of(200'000);
  // One in four shares its hash with others, so that homes are crowded.
  for (uint64_t& hash : hash_of) {
    hash = random() % 4 == 0 ? random() % 20'000 * 0x9e3779b97f4a7c15 : random();
  }
  const auto hash = [&](uint32_t handle) { return hash_of[handle]; };
  std::vector<uint32_t> in, out;
  for (uint32_t handle = 1; handle < hash_of.size(); ++handle) out.push_back(handle);
  std::ranges::shuffle(out, random);
  for (int i = 0; i < 600'000; ++i) {
    const bool adds = in.empty() || (!out.empty() && random() % 100 < (i < 400'000 ? 70 : 20));
    std::vector<uint32_t>& from = adds ? out : in;
    std::swap(from[random() % from.size()], from.back());
    const uint32_t handle = from.back();
    const auto same = [&](uint32_t other) { return other == handle; };
    REQUIRE(index.Find(hash_of[handle], same) == (adds ? 0 : handle));
    if (adds) {
      index.Insert(hash_of[handle], handle, hash);
    } else {
      index.Erase(hash_of[handle], handle);
    }
    from.pop_back();
    (adds ? in : out).push_back(handle);
    REQUIRE(index.size() == in.size());
  }
  for (const uint32_t handle : in) {
    REQUIRE(index.Find(hash_of[handle], [&](uint32_t other) { return other == handle; }) == handle);
  }
}

TEST_CASE("A handle costs at most 7 bytes in the index once there are many") {
  std::mt19937_64 random(3);
  HandleIndex index;
  std::vector<uint64_t> hash_of(1'000'001);
  for (uint64_t& hash : hash_of) hash = random();
  for (uint32_t handle = 1; handle < hash_of.size(); ++handle) {
    index.Insert(hash_of[handle], handle, [&](uint32_t other) { return hash_of[other]; });
    if (handle > 50'000 && handle % 1'000 == 0) REQUIRE(index.bytes() <= 7 * handle + 65'536);
  }
}

// What the class promises, from maps.
class ExpectedIds {
 public:
  struct Entry {
    uint64_t order = 0, content = 0;
    bool live = true;
    int64_t finished = 0;
    uint64_t number = 0;  // the how manieth to finish
  };
  using Key = std::pair<uint64_t, std::string>;  // account, id

  ExpectedIds(size_t keep, int64_t young) : keep_(keep), young_(young) {}
  void Finish(const Key& key, int64_t now) {
    Entry& entry = entries[key];
    entry.live = false;
    entry.finished = now;
    entry.number = ++finished_;
  }
  void Forget(int64_t now) {
    std::erase_if(entries, [&](const auto& candidate) {
      const auto& [key, entry] = candidate;
      if (entry.live || now - entry.finished <= young_) return false;
      size_t later = 0;
      for (auto at = entries.lower_bound({key.first, ""});
           at != entries.end() && at->first.first == key.first; ++at) {
        if (!at->second.live && at->second.number > entry.number) ++later;
      }
      return later >= keep_;
    });
  }
  std::map<Key, Entry> entries;

 private:
  size_t keep_;
  int64_t young_;
  uint64_t finished_ = 0;
};

// The market's side of it: accounts and orders.
struct Orders {
  std::vector<Account> accounts = std::vector<Account>(5);
  std::map<uint64_t, std::unique_ptr<Order>> live;
  uint64_t last_id = 0;

  Orders() {
    for (size_t i = 0; i < accounts.size(); ++i) accounts[i].id = AccountId(i + 1);
  }
  Order& Place(uint64_t account) {
    auto order = std::make_unique<Order>();
    order->id = OrderId(++last_id);
    order->account = &accounts[account - 1];
    return *live.emplace(last_id, std::move(order)).first->second;
  }
  void Remove(uint64_t id) { live.erase(id); }
};

void Compare(const ClientOrderIds& ids, const ExpectedIds& expected, const Orders& orders) {
  REQUIRE(ids.size() == expected.entries.size());
  std::map<uint64_t, std::map<uint64_t, ExpectedIds::Key>> finished;  // by account, in order
  for (const auto& [key, entry] : expected.entries) {
    const auto found = ids.Find(AccountId(key.first), Id(key.second));
    REQUIRE(found);
    REQUIRE(found->order.value() == entry.order);
    REQUIRE(found->content == entry.content);
    REQUIRE(found->live == entry.live);
    if (entry.live) REQUIRE(ids.IdOf(*orders.live.at(entry.order)) == Id(key.second));
    if (!entry.live) finished[key.first][entry.number] = key;
  }
  for (const Account& account : orders.accounts) {
    auto at = finished[account.id.value()].begin();
    ids.ForEachFinished(account.id, [&](const ClientOrderIds::Finished& got) {
      REQUIRE(at != finished[account.id.value()].end());
      REQUIRE(got.id == Id(at->second.second));
      REQUIRE(got.finished.micros() == expected.entries.at(at->second).finished);
      ++at;
    });
    REQUIRE(at == finished[account.id.value()].end());
    REQUIRE(ids.finished_count(account.id) == finished[account.id.value()].size());
  }
}

TEST_CASE("Client order ids are remembered as maps say") {
  for (const uint64_t seed : {1, 2, 3, 4, 5, 6}) {
    CAPTURE(seed);
    std::mt19937_64 random(seed);
    const size_t keep = random() % 8;
    const auto young = static_cast<int64_t>(random() % 40);
    Orders orders;
    ClientOrderIds ids(static_cast<uint32_t>(keep), young, seed);
    ExpectedIds expected(keep, young);
    int64_t now = 0;
    for (int i = 0; i < 5'000; ++i) {
      now += random() % 3 == 0 ? static_cast<int64_t>(random() % 10) : 0;
      ids.ForgetOld(Timestamp(now));
      expected.Forget(now);
      const ExpectedIds::Key key = {1 + random() % 5, std::to_string(random() % 60)};
      const auto found = ids.Find(AccountId(key.first), Id(key.second));
      REQUIRE(found.has_value() == expected.entries.contains(key));
      if (!found) {
        Order& order = orders.Place(key.first);
        const uint64_t content = random() >> (64 - kFingerprintBits);
        ids.Add(order, Id(key.second), content);
        expected.entries[key] = {order.id.value(), content, true, 0, 0};
      } else if (found->live) {
        ids.Finish(*orders.live.at(found->order.value()), Timestamp(now));
        orders.Remove(found->order.value());
        expected.Finish(key, now);
        expected.Forget(now);
      }
      if (i % 20 == 0) Compare(ids, expected, orders);
    }
    Compare(ids, expected, orders);
  }
}

TEST_CASE("Client order ids that were written down are remembered and forgotten as before") {
  std::mt19937_64 random(9);
  Orders orders;
  ClientOrderIds ids(3, 50, 1);
  int64_t now = 0;
  const auto step = [&](ClientOrderIds& target, uint64_t choice) {
    const AccountId account(1 + choice % 5);
    const ClientOrderId id = Id(std::to_string(choice / 5 % 40));
    target.ForgetOld(Timestamp(now));
    if (target.Find(account, id)) return true;
    Order& order = orders.Place(account.value());
    target.Add(order, id, choice >> (64 - kFingerprintBits));
    target.Finish(order, Timestamp(now));
    orders.Remove(order.id.value());
    return false;
  };
  for (int i = 0; i < 500; ++i) {
    now += static_cast<int64_t>(random() % 5);
    step(ids, random());
  }
  ClientOrderIds restored(3, 50, 2);
  for (const Account& account : orders.accounts) {
    ids.ForEachFinished(account.id, [&](const ClientOrderIds::Finished& finished) {
      REQUIRE(restored.AddFinished(account.id, finished));
      REQUIRE(!restored.AddFinished(account.id, finished));
    });
  }
  restored.Restored(Timestamp(now));
  REQUIRE(restored.size() == ids.size());
  for (int i = 0; i < 2'000; ++i) {
    now += static_cast<int64_t>(random() % 5);
    const uint64_t choice = random();
    REQUIRE(step(ids, choice) == step(restored, choice));
    REQUIRE(restored.size() == ids.size());
  }
}

}  // namespace
}  // namespace warpbook::engine
