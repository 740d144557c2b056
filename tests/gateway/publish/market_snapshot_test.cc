// Market snapshots: a gateway restored in the middle says all that follows as the one that went on.
#include "gateway/publish/market_snapshot.h"

#include <doctest/doctest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "engine/service/window_scheduler.h"
#include "gateway/publish/market_follower.h"
#include "tests/gateway/publish/market_batches.h"
#include "tests/gateway/support/picture.h"
#include "tests/gateway/support/test_gateway.h"

namespace warpbook::gateway {
namespace {

const ManualClock kClock(1);
const GatewayLimits kLimits;

// A publisher, and what all channels say from some point on.
class Listening {
 public:
  explicit Listening(const Catalogue& catalogue) : publisher(catalogue, kClock) {}

  // Every private channel of every account, each on a connection of its own, and every public
  // one on one more. Connections are numbered from `first` on.
  void ListenToAll(uint64_t first) {
    const MarketState& state = publisher.state();
    TestPeer& all = Connect(first);
    for (const InstrumentId instrument : state.open_instruments()) {
      for (const Channel channel :
           {Channel::kBook, Channel::kOrders, Channel::kTrades, Channel::kTicker}) {
        Listen(first, all, {.channel = channel, .instrument = instrument});
      }
      for (const CandleInterval interval : kCandleIntervals) {
        Listen(first, all,
               {.channel = Channel::kCandles, .instrument = instrument, .interval = interval});
      }
    }
    Listen(first, all, {.channel = Channel::kInstruments});
    for (uint64_t account = 1; account <= state.accounts().size(); ++account) {
      TestPeer& peer = Connect(first + account);
      for (const Channel channel : {Channel::kExecutions, Channel::kBalances, Channel::kLeases}) {
        publisher.private_feed().Subscribe(first + account, peer, channel, AccountId(account));
        publisher.private_feed().SendFirst(first + account, channel, publisher.last_time_us());
      }
    }
  }
  // All that was said to these connections.
  std::string Heard(uint64_t first) const {
    std::string heard;
    for (auto peer = peers_.lower_bound(first);
         peer != peers_.end() && peer->first < first + kConnections; ++peer) {
      for (const std::string& message : peer->second->messages) heard += message + "\n";
    }
    return heard;
  }
  static constexpr uint64_t kConnections = 1'000;  // room for those of one call

  Publisher publisher;

 private:
  TestPeer& Connect(uint64_t id) {
    auto& peer = peers_[id] = std::make_unique<TestPeer>(id, false, kLimits.client);
    publisher.AddConnection(id, *peer);
    return *peer;
  }
  void Listen(uint64_t id, TestPeer& peer, const Topic& topic) {
    publisher.public_feed().Subscribe(id, peer, topic);
    publisher.public_feed().SendSnapshot(id, topic, publisher.last_time_us());
  }
  std::map<uint64_t, std::unique_ptr<TestPeer>> peers_;
};

// Which of them the batches hold: what the random market must have had to be worth the name.
struct Happened {
  std::map<wire::RecordType, uint64_t> events;
  std::map<InstrumentState, uint64_t> states;

  void Add(const Batches& batches) {
    for (const engine::DurableBatch& batch : batches) {
      for (const wire::RecordView record : wire::Records(batch.records)) {
        ++events[record.type()];
        if (record.type() != wire::RecordType::kInstrumentStateChanged) continue;
        ++states[static_cast<InstrumentState>(record.as<wire::InstrumentStateChanged>().state())];
      }
    }
  }
};

Bytes GoldenBytes(int format) {
  std::ifstream file(std::string(WARPBOOK_GOLDEN) + "/market_snapshot_v" + std::to_string(format),
                     std::ios::binary);
  const std::string text(std::istreambuf_iterator<char>(file), {});
  const auto* begin = reinterpret_cast<const std::byte*>(text.data());
  return Bytes(begin, begin + text.size());
}

}  // namespace

TEST_CASE("A gateway restored anywhere says what follows as the one that went on") {
  constexpr size_t kWriteEvery = 8, kRestoreEvery = 64;
  const Catalogue catalogue = TestCatalogue();
  Happened happened;
  for (uint64_t seed = 1; seed <= 40; ++seed) {
    CAPTURE(seed);
    const Batches batches = RandomBatches(seed, 1'500);
    happened.Add(batches);
    Listening live(catalogue);
    std::map<uint64_t, std::unique_ptr<Listening>> restored;  // by their first connection
    for (size_t i = 0; i < batches.size(); ++i) {
      live.publisher.Publish(batches[i]);
      for (const auto& [first, other] : restored) other->publisher.Publish(batches[i]);
      if (i % kWriteEvery != 0) continue;
      const Bytes bytes = WriteMarket(live.publisher);
      auto other = std::make_unique<Listening>(catalogue);
      const absl::Status read = ReadMarket(bytes, other->publisher);
      REQUIRE_MESSAGE(read.ok(), std::string(read.message()));
      REQUIRE(WriteMarket(other->publisher) == bytes);
      REQUIRE(other->publisher.last_sequence() == live.publisher.last_sequence());
      REQUIRE(WholePictureOf(other->publisher.state()) == WholePictureOf(live.publisher.state()));
      if (i % kRestoreEvery != 0) continue;
      const uint64_t first = i * Listening::kConnections;
      live.ListenToAll(first);
      other->ListenToAll(first);
      restored.emplace(first, std::move(other));
    }
    REQUIRE(restored.size() > 4);
    const Bytes end = WriteMarket(live.publisher);
    for (const auto& [first, other] : restored) {
      CHECK(WriteMarket(other->publisher) == end);
      CHECK(other->Heard(first) == live.Heard(first));
      CHECK(WholePictureOf(other->publisher.state()) == WholePictureOf(live.publisher.state()));
    }
  }
  for (const wire::RecordType type :
       {wire::RecordType::kOrderAmended, wire::RecordType::kOrderCancelled,
        wire::RecordType::kTradeExecuted, wire::RecordType::kLeaseResold,
        wire::RecordType::kLeaseSettled, wire::RecordType::kRequestDecided,
        wire::RecordType::kKeyAdded, wire::RecordType::kCapacitySet}) {
    CAPTURE(static_cast<int>(type));
    CHECK(happened.events[type] >= 20);
  }
  CHECK(happened.states[InstrumentState::kHalted] >= 20);
  CHECK(happened.states[InstrumentState::kClosed] >= 20);
}

TEST_CASE("A gateway to which nothing has happened has a snapshot") {
  const Catalogue catalogue = TestCatalogue();
  const Batches batches = SmallMarketBatches();
  Publisher empty(catalogue, kClock), restored(catalogue, kClock);
  REQUIRE(ReadMarket(WriteMarket(empty), restored).ok());
  CHECK(WriteMarket(restored) == WriteMarket(empty));
  for (const auto& batch : batches) {
    empty.Publish(batch);
    restored.Publish(batch);
  }
  CHECK(WriteMarket(restored) == WriteMarket(empty));
}

TEST_CASE("What a follower writes is the market of the gateway that saw the same batches") {
  const Catalogue catalogue = TestCatalogue();
  const Batches batches = SmallMarketBatches();
  Publisher publisher(catalogue, kClock);
  MarketFollower follower(catalogue);
  const auto bytes_of = [](const engine::Follower& from) {
    Bytes bytes;
    from.Write([&](std::span<const std::byte> piece) {
      bytes.insert(bytes.end(), piece.begin(), piece.end());
    });
    return bytes;
  };
  for (size_t i = 0; i < batches.size(); ++i) {
    publisher.Publish(batches[i]);
    if (i == batches.size() / 2) {
      MarketFollower restored(catalogue);
      REQUIRE(restored.Read(bytes_of(follower)).ok());
      for (size_t j = i; j < batches.size(); ++j) REQUIRE(restored.Apply(batches[j]).ok());
      for (size_t j = i; j < batches.size(); ++j) REQUIRE(follower.Apply(batches[j]).ok());
      CHECK(bytes_of(restored) == bytes_of(follower));
    } else if (i < batches.size() / 2) {
      REQUIRE(follower.Apply(batches[i]).ok());
    }
  }
  CHECK(bytes_of(follower) == WriteMarket(publisher));

  const Catalogue other = LackingCatalogue();
  MarketFollower lacking(other);
  CHECK(absl::IsFailedPrecondition(lacking.Read(bytes_of(follower))));
  absl::Status applied;
  for (size_t i = 0; i < batches.size() && applied.ok(); ++i) applied = lacking.Apply(batches[i]);
  CHECK(absl::IsFailedPrecondition(applied));
}

TEST_CASE("What outlives its instrument stays: a lease's terms, and a symbol that was taken over") {
  constexpr int64_t kClosedMax = MarketState::kClosedInstrumentsKept;
  TestGateway gateway;
  const Catalogue& catalogue = gateway.exchange.catalogue();
  AccountId buyer_id, seller_id;
  TestPeer& buyer = gateway.Member(&buyer_id);
  TestPeer& seller = gateway.Member(&seller_id);
  gateway.Fund(buyer, buyer_id, 1'000 * kCreditsPerUsd);
  const std::string node = gateway.ApprovedNode(seller, seller_id, Ed25519PrivateKey::Generate());
  const std::string order = R"({"symbol":")" + std::string(kTestSymbol) +
                            R"(","order_type":"limit","price":"2.50","gpus":4,"side":)";
  CHECK(gateway.ReasonOf(seller, "order.place", order + R"("sell","node":")" + node + "\"}") == 0);
  CHECK(gateway.ReasonOf(buyer, "order.place", order + R"("buy"})") == 0);

  uint32_t last_instrument = 2;
  const auto open = [&](const char* hardware_class, Timestamp start, int32_t minutes) {
    auto command = engine::MakeOpenInstrument(catalogue, *catalogue.FindClass(hardware_class),
                                              *catalogue.FindRegion("us-east"), start);
    command.mutate_window_minutes(minutes);
    gateway.exchange.Apply(command);
    return ++last_instrument;
  };
  const auto close = [&](uint32_t instrument) {
    wire::CloseInstrument command;
    command.mutate_instrument_id(instrument);
    gateway.exchange.Apply(command);
  };
  const auto check_restored = [&] {
    gateway.Pump();
    const MarketState& state = gateway.publisher.state();
    auto restored = std::make_unique<Publisher>(catalogue, kClock);
    const Bytes bytes = WriteMarket(gateway.publisher);
    const absl::Status read = ReadMarket(bytes, *restored);
    REQUIRE_MESSAGE(read.ok(), std::string(read.message()));
    CHECK(WriteMarket(*restored) == bytes);
    CHECK(WholePictureOf(restored->state()) == WholePictureOf(state));
    CHECK(restored->state().closed_instruments() == state.closed_instruments());
    CHECK(restored->state().FindLease(LeaseId(1))->terms->symbol == kTestSymbol);
    for (const MarketState* one : {&state, &restored->state()}) {
      const InstrumentRow* instrument = one->FindInstrument(kTestSymbol);
      CHECK((instrument != nullptr && instrument->terms->id == InstrumentId(3)));
    }
    return restored;
  };

  // The window of the lease is over, and opened again as a longer one.
  gateway.exchange.clock().Set(kTestWindowMicros + 2 * kMicrosPerHour);
  close(1);
  close(2);
  REQUIRE(open("H100-SXM", Timestamp(kTestWindowMicros), 24 * 60) == 3);
  check_restored();
  // Windows of another class open and close, until that of the lease is forgotten.
  const auto open_and_close = [&] {
    const Timestamp start = Timestamp(gateway.exchange.clock().NowMicros());
    const uint32_t instrument = open("A100-SXM", start, 60);
    gateway.exchange.clock().Set(start.micros() + kMicrosPerHour);
    close(instrument);
  };
  for (int64_t closed = 2; closed <= kClosedMax; ++closed) open_and_close();
  const auto restored = check_restored();
  REQUIRE(restored->state().closed_instruments().size() == kClosedMax);
  REQUIRE(restored->state().FindInstrument(InstrumentId(1)) == nullptr);
  // The next one to close is one too many for both.
  open_and_close();
  const auto history = gateway.exchange.History();
  for (size_t i = history.size() - 2; i < history.size(); ++i) restored->Publish(*history[i]);
  gateway.Pump();
  CHECK(restored->state().FindInstrument(InstrumentId(2)) == nullptr);
  CHECK(WriteMarket(*restored) == WriteMarket(gateway.publisher));
}

TEST_CASE("A market snapshot of an earlier format is refused, so that the journal is replayed") {
  const Catalogue catalogue = TestCatalogue();
  for (uint32_t format = 1; format < kMarketSnapshotFormat; ++format) {
    Publisher publisher(catalogue, kClock);
    const absl::Status read = ReadMarket(GoldenBytes(static_cast<int>(format)), publisher);
    CHECK(absl::IsFailedPrecondition(read));
    CHECK(std::string(read.message()) ==
          "the market snapshot is of format " + std::to_string(format) +
              ", this program reads format " + std::to_string(kMarketSnapshotFormat));
    CHECK(publisher.last_sequence() == 0);
  }
}

// A file belongs to its format, and never changes: WARPBOOK_WRITE_GOLDEN=1 writes that of today's.
TEST_CASE("The golden market snapshot opens, and is what is written today") {
  const std::string path =
      std::string(WARPBOOK_GOLDEN) + "/market_snapshot_v" + std::to_string(kMarketSnapshotFormat);
  const Catalogue catalogue = TestCatalogue();
  Publisher publisher(catalogue, kClock), restored(catalogue, kClock);
  for (const auto& batch : SmallMarketBatches()) publisher.Publish(batch);
  const Bytes written = WriteMarket(publisher);
  if (std::getenv("WARPBOOK_WRITE_GOLDEN") != nullptr) {
    std::ofstream(path, std::ios::binary)
        .write(reinterpret_cast<const char*>(written.data()),
               static_cast<std::streamsize>(written.size()));
  }
  const Bytes golden = GoldenBytes(kMarketSnapshotFormat);
  const absl::Status read = ReadMarket(golden, restored);
  REQUIRE_MESSAGE(read.ok(), std::string(read.message()));
  CHECK(WholePictureOf(restored.state()) == WholePictureOf(publisher.state()));
  CHECK(golden == written);
}

}  // namespace warpbook::gateway
