// Delivery of market data a few connections at a time: whatever comes in between, every listener
// sees each topic whole from its snapshot on, and nothing is kept that nobody is still to get.
#include "gateway/publish/subscriptions.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

namespace warpbook::gateway {
namespace {

constexpr Topic kBook = {.channel = Channel::kBook, .instrument = InstrumentId(1)};
constexpr std::array<Topic, 3> kTopics = {
    kBook,
    {.channel = Channel::kTrades, .instrument = InstrumentId(1)},
    {.channel = Channel::kBook, .instrument = InstrumentId(2)},
};

// A message: the encoding that it was made for, the topic, the kind and the number.
std::string Text(Encoding encoding, size_t topic, const char* kind, uint64_t number) {
  return std::to_string(static_cast<int>(encoding)) + std::to_string(topic) + kind +
         std::to_string(number);
}

class Listener final : public Subscriber {
 public:
  explicit Listener(Encoding encoding) : encoding_(encoding) {}
  Encoding encoding() const override { return encoding_; }
  void Send(std::string_view message) override { Take(message); }
  bool SendPublic(const SharedMessage& message) override {
    if (is_full) return false;
    CHECK(message->encoding == encoding_);
    Take(message->payload);
    return true;
  }
  void OnLogonEnded() override {}

  bool is_full = false;
  std::map<size_t, uint64_t> last;  // by topic; of those that it is subscribed to and has not ended
  std::vector<std::string> texts;

 private:
  void Take(std::string_view text) {
    texts.emplace_back(text);
    REQUIRE(text.size() > 3);
    CHECK(text[0] - '0' == static_cast<int>(encoding_));
    const auto topic = static_cast<size_t>(text[1] - '0');
    const uint64_t number = std::stoull(std::string(text.substr(3)));
    switch (text[2]) {
      case 's':
        last[topic] = number;
        return;
      case 'u':
        REQUIRE(last.contains(topic));
        CHECK(number == last[topic] + 1);
        last[topic] = number;
        return;
      default:
        CHECK(text[2] == 'e');
        last.erase(topic);
    }
  }

  const Encoding encoding_;
};

// Subscriptions, and what its listeners must come to.
struct Broadcaster {
  void Broadcast(size_t topic) {
    ++numbers[topic];
    subscriptions.Broadcast(kTopics[topic], [&](Encoding encoding) {
      return Text(encoding, topic, "u", numbers[topic]);
    });
  }
  void Snapshot(uint64_t id, size_t topic) {
    subscriptions.SendSnapshot(id, kTopics[topic], [&](Encoding encoding) {
      return Text(encoding, topic, "s", numbers[topic]);
    });
  }
  void Subscribe(uint64_t id, Listener& listener, size_t topic) {
    subscriptions.Add(id, listener, kTopics[topic]);
    Snapshot(id, topic);
  }
  void DeliverAll() {
    while (subscriptions.has_undelivered()) subscriptions.Deliver(1);
  }

  GatewayTally tally;
  Subscriptions subscriptions{tally};
  std::array<uint64_t, kTopics.size()> numbers = {};
};

}  // namespace

TEST_CASE("Connections are served in the order in which they came to be due, a few at a time") {
  Broadcaster broadcaster;
  std::vector<Listener> listeners(5, Listener(Encoding::kJson));
  for (size_t i = 0; i < listeners.size(); ++i) broadcaster.Subscribe(i + 1, listeners[i], 0);
  broadcaster.Broadcast(0);
  CHECK(broadcaster.subscriptions.Deliver(2));
  CHECK(listeners[1].last[0] == 1);
  CHECK(listeners[2].last[0] == 0);
  // Who is still to be served gets both in this round, the others the second in the next.
  broadcaster.Broadcast(0);
  CHECK(broadcaster.subscriptions.Deliver(2));
  CHECK(listeners[3].last[0] == 2);
  CHECK(listeners[0].last[0] == 1);
  CHECK_FALSE(broadcaster.subscriptions.Deliver(2));
  CHECK(broadcaster.subscriptions.has_undelivered());
  CHECK_FALSE(broadcaster.subscriptions.Deliver(5));
  for (Listener& listener : listeners) CHECK(listener.last[0] == 2);
  CHECK_FALSE(broadcaster.subscriptions.has_undelivered());
}

TEST_CASE("The last message of a topic comes behind what waits, and nothing comes behind it") {
  Broadcaster broadcaster;
  Listener listener(Encoding::kFlatBuffers);
  broadcaster.Subscribe(1, listener, 0);
  broadcaster.Broadcast(0);
  broadcaster.subscriptions.SendLast(kBook,
                                     [](Encoding encoding) { return Text(encoding, 0, "e", 2); });
  broadcaster.subscriptions.Drop(kBook);
  broadcaster.DeliverAll();
  CHECK(listener.texts == std::vector<std::string>{"10s0", "10u1", "10e2"});
}

TEST_CASE("What a listener was passed over in is counted when it is given a snapshot again") {
  Broadcaster broadcaster;
  Listener slow(Encoding::kJson), fast(Encoding::kJson);
  broadcaster.Subscribe(1, slow, 0);
  broadcaster.Subscribe(2, fast, 0);
  const auto& sent = broadcaster.tally.sent[static_cast<size_t>(Channel::kBook)];
  CHECK(sent == 2);
  slow.is_full = true;
  for (int i = 0; i < 3; ++i) broadcaster.Broadcast(0);
  broadcaster.DeliverAll();
  CHECK(sent == 5);  // the fast one's
  CHECK(broadcaster.tally.conflated == 0);
  slow.is_full = false;
  broadcaster.Snapshot(1, 0);
  CHECK(broadcaster.tally.conflated == 3);
  CHECK(sent == 6);
  broadcaster.Snapshot(1, 0);  // one that was asked for
  CHECK(broadcaster.tally.conflated == 3);
}

TEST_CASE("A message is kept until the end of the round that began after it, and no longer") {
  Broadcaster broadcaster;
  std::vector<Listener> listeners(3, Listener(Encoding::kJson));
  for (size_t i = 0; i < listeners.size(); ++i) broadcaster.Subscribe(i + 1, listeners[i], 0);
  struct Watcher final : Subscriber {
    Encoding encoding() const override { return Encoding::kJson; }
    void Send(std::string_view) override {}
    bool SendPublic(const SharedMessage& message) override {
      seen.push_back(message);
      return true;
    }
    void OnLogonEnded() override {}
    std::vector<std::weak_ptr<const Message>> seen;
  } watcher;
  broadcaster.subscriptions.Add(4, watcher, kBook);
  // Somebody is always due.
  for (int round = 0; round < 100; ++round) {
    broadcaster.Broadcast(0);
    while (broadcaster.subscriptions.Deliver(1)) broadcaster.Broadcast(0);
    std::erase_if(watcher.seen, [](const auto& seen) { return seen.expired(); });
    CHECK(watcher.seen.size() <= 8);
  }
  broadcaster.DeliverAll();
  for (const auto& seen : watcher.seen) CHECK(seen.expired());
}

TEST_CASE("Whatever happens in between, listeners see their topics whole") {
  for (uint64_t seed = 1; seed <= 200; ++seed) {
    CAPTURE(seed);
    std::mt19937_64 random(seed);
    const auto below = [&](uint64_t n) { return random() % n; };
    Broadcaster broadcaster;
    Subscriptions& subscriptions = broadcaster.subscriptions;
    std::map<uint64_t, Listener> listeners;
    uint64_t last_id = 0;
    for (int step = 0; step < 500; ++step) {
      const size_t topic = below(kTopics.size());
      const auto listener =
          listeners.empty()
              ? listeners.end()
              : std::next(listeners.begin(), static_cast<int64_t>(below(listeners.size())));
      switch (below(12)) {
        case 0:
          if (listeners.size() < 12) {
            listeners.emplace(++last_id, Listener(static_cast<Encoding>(below(kEncodingCount))));
          }
          break;
        case 1:
        case 2:
          if (listener == listeners.end()) break;
          if (subscriptions.Contains(listener->first, kTopics[topic])) {
            broadcaster.Snapshot(listener->first, topic);  // asked for anew
          } else if (!listener->second.is_full) {
            broadcaster.Subscribe(listener->first, listener->second, topic);
          }
          break;
        case 3:
          if (listener == listeners.end()) break;
          if (subscriptions.Remove(listener->first, kTopics[topic])) {
            listener->second.last.erase(topic);
          }
          break;
        case 4:
          if (listener == listeners.end() || below(4) != 0) break;
          subscriptions.RemoveConnection(listener->first);
          CHECK(subscriptions.CountOf(listener->first) == 0);
          listeners.erase(listener);
          break;
        case 5:
          if (below(8) != 0) break;
          subscriptions.SendLast(kTopics[topic], [&](Encoding encoding) {
            return Text(encoding, topic, "e", broadcaster.numbers[topic] + 1);
          });
          subscriptions.Drop(kTopics[topic]);
          for (auto& [id, other] : listeners) CHECK_FALSE(other.last.contains(topic));
          break;
        case 6:
          if (listener != listeners.end()) listener->second.is_full = below(2) == 0;
          break;
        case 7:
          if (listener == listeners.end() || listener->second.is_full) break;
          for (const Topic& missed : subscriptions.MissedBy(listener->first)) {
            broadcaster.Snapshot(
                listener->first,
                static_cast<size_t>(std::ranges::find(kTopics, missed) - kTopics.begin()));
          }
          break;
        case 8:
          subscriptions.Deliver(1 + below(6));
          break;
        default:
          broadcaster.Broadcast(topic);
      }
    }
    broadcaster.DeliverAll();
    for (auto& [id, listener] : listeners) {
      const std::vector<Topic> missed = subscriptions.MissedBy(id);
      for (size_t topic = 0; topic < kTopics.size(); ++topic) {
        if (!subscriptions.Contains(id, kTopics[topic])) continue;
        if (std::ranges::find(missed, kTopics[topic]) != missed.end()) continue;
        CHECK(listener.last[topic] == broadcaster.numbers[topic]);
      }
    }
  }
}

}  // namespace warpbook::gateway
