// Bytes that are no market snapshot: refused by a sentence, and nothing has happened.
#include <doctest/doctest.h>

#include <cstring>
#include <initializer_list>
#include <random>
#include <string>

#include "gateway/publish/market_fields.h"
#include "gateway/publish/market_snapshot.h"
#include "tests/gateway/publish/market_batches.h"
#include "tests/gateway/support/direct_exchange.h"
#include "tests/gateway/support/picture.h"

namespace warpbook::gateway {
namespace {

const ManualClock kClock(1);
const Catalogue kCatalogue = TestCatalogue();

Bytes SmallMarket() {
  Publisher publisher(kCatalogue, kClock);
  for (const auto& batch : SmallMarketBatches()) publisher.Publish(batch);
  return WriteMarket(publisher);
}

// "": they are taken. What is refused leaves the publisher as it was.
std::string FaultOf(const Bytes& bytes) {
  static const Bytes nothing = WriteMarket(Publisher(kCatalogue, kClock));
  Publisher publisher(kCatalogue, kClock);
  const absl::Status read = ReadMarket(bytes, publisher);
  if (read.ok()) return "";
  REQUIRE(WriteMarket(publisher) == nothing);
  REQUIRE(!read.message().empty());
  return std::string(read.message());
}

}  // namespace

TEST_CASE("A market snapshot with any byte changed, or cut anywhere, is refused") {
  const Bytes good = SmallMarket();
  REQUIRE(FaultOf(good) == "");
  for (size_t i = 0; i < good.size(); ++i) {
    for (const auto change : std::initializer_list<uint8_t>{0x01, 0x80}) {
      Bytes bad = good;
      bad[i] ^= std::byte{change};
      REQUIRE(FaultOf(bad) != "");
    }
  }
  for (size_t size = 0; size < good.size(); ++size) {
    REQUIRE(FaultOf(Bytes(good.begin(), good.begin() + static_cast<int64_t>(size))) != "");
  }
  Bytes longer = good;
  longer.push_back(std::byte{0});
  REQUIRE(FaultOf(longer) != "");
}

TEST_CASE(
    "A changed market snapshot whose hash was made right is refused or can be answered from") {
  const Bytes good = SmallMarket();
  size_t refused = 0, taken = 0;
  for (size_t i = 0; i + 8 < good.size(); ++i) {
    for (const auto change : std::initializer_list<uint8_t>{0x01, 0x02, 0x10, 0x7f, 0x80, 0xff}) {
      Bytes bad = good;
      bad[i] ^= std::byte{change};
      MakeHashRight(bad);
      Publisher publisher(kCatalogue, kClock);
      const absl::Status read = ReadMarket(bad, publisher);
      ++(read.ok() ? taken : refused);
      if (!read.ok()) continue;
      // What was read is what is written: nothing in the bytes is ignored.
      REQUIRE(WriteMarket(publisher) == bad);
      REQUIRE(!WholePictureOf(publisher.state()).empty());
    }
  }
  CHECK(refused > 2'000);
  CHECK(taken > 100);
  for (size_t size = 8; size < good.size(); ++size) {
    Bytes bad(good.begin(), good.begin() + static_cast<int64_t>(size));
    MakeHashRight(bad);
    REQUIRE(FaultOf(bad) != "");
  }
}

TEST_CASE("Parts of market snapshots put together at random are refused or can be answered from") {
  const Bytes good = SmallMarket();
  std::mt19937_64 random(1);
  const auto place = [&] { return static_cast<int64_t>(12 + random() % (good.size() - 20)); };
  for (int i = 0; i < 20'000; ++i) {
    Bytes bad = good;
    const int64_t from = place(), to = place();
    const int64_t count = std::min<int64_t>(static_cast<int64_t>(random() % 120),
                                            static_cast<int64_t>(good.size()) - 8 - from);
    if (random() % 2 == 0) {
      bad.erase(bad.begin() + from, bad.begin() + from + count);
    } else {
      bad.insert(bad.begin() + to, good.begin() + from, good.begin() + from + count);
    }
    MakeHashRight(bad);
    Publisher publisher(kCatalogue, kClock);
    if (!ReadMarket(bad, publisher).ok()) continue;
    REQUIRE(WriteMarket(publisher) == bad);
    REQUIRE(!WholePictureOf(publisher.state()).empty());
  }
}

TEST_CASE("A refusal of a market snapshot says what is wrong, and where") {
  const Bytes good = SmallMarket();
  CHECK(FaultOf({}) == "the market snapshot is damaged: it has only 0 bytes");
  CHECK(FaultOf(Bytes(100)) == "this is no market snapshot: it does not begin with WARPMRKT");
  Bytes damaged = good;
  damaged.back() ^= std::byte{1};
  CHECK(FaultOf(damaged) == "the market snapshot is damaged: it does not match its hash");
  Bytes other_format = good;
  other_format[8] = std::byte{99};
  MakeHashRight(other_format);
  CHECK(FaultOf(other_format) == "the market snapshot is of format 99, this program reads format " +
                                     std::to_string(kMarketSnapshotFormat));
  // The accounts are counted behind the format, the last sequence, its time and what the channel
  // instruments has counted.
  Bytes many = good;
  const uint64_t count = uint64_t{1} << 60;
  std::memcpy(many.data() + 36, &count, sizeof count);
  MakeHashRight(many);
  CHECK(FaultOf(many) ==
        "the market snapshot is damaged: at byte 32 of the state, account: there are more than "
        "bytes for them");
  Bytes longer = good;
  longer.push_back(std::byte{0});
  MakeHashRight(longer);
  CHECK(FaultOf(longer) == "the market snapshot is damaged: at byte " +
                               std::to_string(good.size() - 20) +
                               " of the state, end: there is more behind it");
}

TEST_CASE("The terms of an instrument that is forgotten are there for a lease, or refused") {
  const InstrumentTerms terms{.id = InstrumentId(1),
                              .class_id = ClassId(1),
                              .region_id = RegionId(1),
                              .symbol = {},
                              .window_start = Timestamp(kTestWindowMicros),
                              .gate = Timestamp(kTestWindowMicros),
                              .tick = Price(1'000),
                              .band_low = Price(1'000),
                              .band_high = Price(2'000),
                              .window_minutes = Minutes(60)};
  const Bytes good = SmallMarket();
  for (const bool is_forgotten : {false, true}) {
    Bytes bytes(good.begin(), good.begin() + 12);  // magic and format
    const auto sink = [&](std::span<const std::byte> piece) {
      bytes.insert(bytes.end(), piece.begin(), piece.end());
    };
    StateWriter writer(sink);
    const uint64_t none = 0, one = 1, sequence = 7;
    writer(sequence, int64_t{5}, none);
    writer(none, none);                 // accounts, nodes
    writer(is_forgotten ? none : one);  // closed instruments
    if (!is_forgotten) StreamTerms(writer, terms);
    writer(none);  // instruments
    writer(is_forgotten ? one : none);
    if (is_forgotten) StreamTerms(writer, terms);
    writer(none, none);        // leases, orders
    writer(none, none, none);  // finished orders, guards, timers
    writer.Finish();
    bytes.resize(bytes.size() + sizeof(uint64_t));
    MakeHashRight(bytes);
    if (is_forgotten) {
      CHECK(FaultOf(bytes).ends_with("terms: some are no lease's"));
    } else {
      CHECK(FaultOf(bytes) == "");
    }
  }
}

TEST_CASE("A market snapshot of classes or regions that the catalogue lacks is refused") {
  const Catalogue other = LackingCatalogue();
  Publisher publisher(other, kClock);
  const absl::Status read = ReadMarket(SmallMarket(), publisher);
  CHECK(absl::IsFailedPrecondition(read));
  CHECK(std::string(read.message()).starts_with("the catalogue lacks hardware class 1, "));
  CHECK(publisher.state().accounts().empty());
}

}  // namespace warpbook::gateway
