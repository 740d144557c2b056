// Snapshots: an engine restored in the middle answers all that follows as the one that went on;
// what is damaged or foreign is refused by a sentence. The random test restores its engines, too.
#include <doctest/doctest.h>
#include <xxhash.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <initializer_list>
#include <iterator>
#include <span>
#include <string>
#include <vector>

#include "engine/core/engine.h"
#include "tests/engine/core/differential.h"
#include "tests/engine/core/random_market.h"
#include "tests/engine/core/record_text.h"

namespace warpbook::engine {
namespace {

constexpr uint32_t kRules = 3;
using Bytes = std::vector<std::byte>;

std::string FaultOf(const Bytes& bytes, const EngineLimits& limits = {}, uint32_t rules = kRules) {
  const auto restored = Engine::FromSnapshot(bytes, limits, rules);
  return restored.ok() ? "" : std::string(restored.status().message());
}

void Apply(Engine& engine, std::string_view line, int64_t time_us, wire::RecordWriter& events) {
  wire::CommandRecord command = ParseCommand(line);
  command.mutable_header().mutate_sequence(engine.last_sequence().value() + 1);
  command.mutable_header().mutate_time_us(time_us);
  engine.Apply(command.view(), 0, events);
}

// None of them may be refused.
void ApplyAll(Engine& engine, std::initializer_list<const char*> lines, int64_t minutes = 0) {
  wire::RecordWriter events;
  const int64_t time = kScenarioStart + minutes * kMicrosPerMinute;
  for (const char* line : lines) Apply(engine, line, time, events);
  for (const wire::RecordView event : wire::Records(events.bytes())) {
    REQUIRE(event.type() != wire::RecordType::kCommandRejected);
  }
  engine.CheckInvariants();
}

// A small market with a bit of everything, as the golden snapshot has it.
std::unique_ptr<Engine> SmallMarket() {
  auto engine = std::make_unique<Engine>();
  ApplyAll(
      *engine,
      {"RegisterSystemKey public_key=op kind=operator",
       "RegisterSystemKey public_key=st kind=settlement",
       "OpenAccount public_key=a",
       "OpenAccount public_key=b",
       "AddKey from=3 public_key=c scopes=1",
       "RequestTopUp from=3 burn_utok=1",
       "PostTopUp from=2 number=1 request_sequence=6 credits=1000000000",
       "RegisterNode from=4 device_key=d gpus=16 class_id=1 region_id=1",
       "SetCapacity from=1 node_id=1 gpus=16 assurance=verified",
       "SetBondedLimit from=1 target_account_id=4 limit=1000000000",
       "OpenInstrument window_start_us=T+60m window_minutes=60 gate_minutes=3 tick=1000"
       " band_low=1000 band_high=100000 class_id=1 region_id=1",
       "OpenInstrument window_start_us=T+120m window_minutes=60 gate_minutes=3 tick=1000"
       " band_low=1000 band_high=100000 class_id=1 region_id=1",
       "PlaceOrder from=3 instrument_id=1 gpus=4 price=10000 min_assurance=2 client_order_id=one",
       "PlaceOrder from=3 instrument_id=1 gpus=4 price=9000 min_assurance=2 tier=economy"
       " time_in_force=gtd expires_us=T+5m",
       "PlaceOrder from=3 instrument_id=1 gpus=2 price=11000 min_assurance=2"
       " time_in_force=ioc client_order_id=two",
       "PlaceOrder from=4 instrument_id=1 gpus=2 price=10000 min_assurance=2 side=sell node_id=1",
       "PlaceOrder from=4 instrument_id=1 gpus=3 price=20000 min_assurance=2 side=sell node_id=1",
       "SetInstrumentHalt from=1 instrument_id=2 halted=1",
       "RequestTopUp from=3 burn_utok=5",
       "RequestDeposit from=1 target_account_id=4 amount_utok=7 reference=wire",
       "RequestWithdrawal from=1 target_account_id=4 amount_utok=3 reference=wire-2",
       "RevokeKey from=3 public_key=c",
       "VerifyOwner from=1 owner_id=2 verified=1"});
  return engine;
}

// And with resales: lease 3 was resold at a gain and then at a loss, what is left of lease 1 is
// offered.
std::unique_ptr<Engine> MarketWithResales() {
  auto engine = SmallMarket();
  ApplyAll(
      *engine,
      {"OpenAccount public_key=e", "RequestTopUp from=5 burn_utok=1",
       "PostTopUp from=2 number=2 request_sequence=25 credits=1000000000",
       "PlaceOrder from=5 instrument_id=1 gpus=1 price=12000 min_assurance=2",
       "PlaceOrder from=3 instrument_id=1 gpus=1 price=12000 min_assurance=2 side=sell lease_id=1",
       "PlaceOrder from=5 instrument_id=1 gpus=1 price=10000 min_assurance=2 side=sell lease_id=2",
       "PlaceOrder from=3 instrument_id=1 gpus=1 price=15000 min_assurance=2 side=sell "
       "lease_id=1"});
  return engine;
}

// And after the window: lease 1 is disputed and judged, lease 3 is settled and owed by two payers,
// and the owner of account 5 is large.
std::unique_ptr<Engine> MarketWithDisputes() {
  auto engine = MarketWithResales();
  ApplyAll(*engine, {"StartLease from=4 lease_id=1", "StartLease from=4 lease_id=3"}, 60);
  ApplyAll(*engine,
           {"CloseInstrument instrument_id=1", "DisputeLease from=3 lease_id=1",
            "JudgeLease from=1 lease_id=1 verdict=founded share=2500 reason=probe",
            "SettleLease from=2 number=3 lease_id=3 verified_weight=600000 owed=600000",
            "MarkOwner from=2 number=4 owner_id=3 large=1",
            "BeginProbe from=4 node_id=1 nonce=n expires_us=T+125m",
            "DecideProbe node_id=1 probe_id=38 gpus=16 valid_until_us=T+300m share=10000",
            "BeginProbe from=4 node_id=1 nonce=n expires_us=T+125m",
            "CallProbe node_id=1 due_us=T+130m"},
           120);
  return engine;
}

// Makes the two hashes right again after its bytes were changed.
void MakeHashesRight(Bytes& bytes) {
  const uint64_t state_hash =
      XXH3_64bits(bytes.data() + kSnapshotHeaderSize, bytes.size() - kSnapshotHeaderSize);
  const uint64_t length = bytes.size() - kSnapshotHeaderSize;
  std::memcpy(bytes.data() + 40, &length, 8);
  std::memcpy(bytes.data() + 48, &state_hash, 8);
  const uint64_t header_hash = XXH3_64bits(bytes.data(), 56);
  std::memcpy(bytes.data() + 56, &header_hash, 8);
}

TEST_CASE("An engine restored anywhere goes on as if nothing had been") {
  for (uint64_t seed = 1; seed <= 6; ++seed) {
    CAPTURE(seed);
    RandomMarket market(seed);
    Differential differential(market.limits());
    Engine unbroken(market.limits());
    wire::RecordWriter events;
    for (size_t i = 1; i <= 2'000; ++i) {
      wire::CommandRecord command = market.Next(differential.reference());
      REQUIRE(!differential.Apply(command));
      command.mutable_header().mutate_sequence(i);
      events.Clear();
      unbroken.Apply(command.view(), 0, events);
      const auto restored_events = differential.events();
      REQUIRE(std::ranges::equal(events.bytes(), restored_events));
      if (i % 25 != 0) continue;
      const auto fault = differential.Restore();
      REQUIRE_MESSAGE(!fault, *fault);
      const Engine& restored = differential.engine();
      REQUIRE(restored.StateHash() == unbroken.StateHash());
      REQUIRE(restored.event_hash() == unbroken.event_hash());
      REQUIRE(restored.last_event_sequence() == unbroken.last_event_sequence());
      REQUIRE(restored.last_time() == unbroken.last_time());
      REQUIRE(restored.settlement_number() == unbroken.settlement_number());
    }
  }
}

TEST_CASE(
    "The page in front and the pieces behind it are the snapshot; its state hash is the engine's") {
  const auto engine = MarketWithResales();
  const Bytes whole = engine->WriteSnapshot(kRules);
  Bytes pieces;
  const SnapshotHeader header =
      engine->WriteSnapshot(kRules, [&](std::span<const std::byte> piece) {
        pieces.insert(pieces.end(), piece.begin(), piece.end());
      });
  pieces.insert(pieces.begin(), header.begin(), header.end());
  CHECK(pieces == whole);
  const auto info = ReadSnapshotHeader(whole);
  REQUIRE(info.ok());
  CHECK(info->rules_version == kRules);
  CHECK(info->last_sequence == engine->last_sequence());
  CHECK(info->last_event_sequence == engine->last_event_sequence());
  CHECK(info->event_hash == engine->event_hash());
  CHECK(info->state_hash == engine->StateHash());
  CHECK(info->length == whole.size() - kSnapshotHeaderSize);
}

TEST_CASE("An empty engine has a snapshot") {
  const Engine engine;
  const Bytes bytes = engine.WriteSnapshot(kRules);
  const auto restored = Engine::FromSnapshot(bytes, {}, kRules);
  REQUIRE(restored.ok());
  CHECK((*restored)->StateHash() == engine.StateHash());
  wire::RecordWriter events;
  Apply(**restored, "OpenAccount public_key=a", kScenarioStart, events);
}

TEST_CASE("A snapshot with any byte changed, or cut anywhere, is refused") {
  const Bytes good = MarketWithDisputes()->WriteSnapshot(kRules);
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
  CHECK(FaultOf(longer) == "the snapshot is damaged: its state has " +
                               std::to_string(longer.size() - kSnapshotHeaderSize) +
                               " bytes instead of " +
                               std::to_string(good.size() - kSnapshotHeaderSize));
}

// Some commands that touch whatever of orders and leases there is.
void Exercise(Engine& engine) {
  wire::RecordWriter events;
  for (const int64_t minutes : {1, 10, 70, 120, 125, 200}) {
    const int64_t time = kScenarioStart + minutes * kMicrosPerMinute;
    if (time < engine.last_time().micros()) continue;
    for (const char* line :
         {"PlaceOrder from=4 instrument_id=1 gpus=3 price=9000 min_assurance=2 side=sell node_id=1",
          "PlaceOrder from=3 instrument_id=1 gpus=1 price=12000 min_assurance=2 side=sell "
          "lease_id=3",
          "CloseInstrument instrument_id=1", "DisputeLease from=3 lease_id=1",
          "SettleLease from=2 number=3 lease_id=3",
          "SettleLease from=2 number=5 lease_id=1 verdict=founded",
          "PayDeferred from=2 number=6 lease_id=3 consumed=600000"}) {
      Apply(engine, line, time, events);
    }
    engine.CheckInvariants();
  }
}

void ChangeEveryByte(const Bytes& good) {
  size_t refused = 0, taken = 0;
  for (size_t i = kSnapshotHeaderSize; i < good.size(); ++i) {
    for (const auto change : std::initializer_list<uint8_t>{0x01, 0x02, 0x10, 0x7f, 0x80, 0xff}) {
      Bytes bad = good;
      bad[i] ^= std::byte{change};
      MakeHashesRight(bad);
      const auto restored = Engine::FromSnapshot(bad, {}, kRules);
      ++(restored.ok() ? taken : refused);
      if (!restored.ok()) continue;
      (*restored)->CheckInvariants();
      Exercise(**restored);
    }
  }
  CHECK(refused > 4'000);
  CHECK(taken > 100);
}

TEST_CASE("A changed snapshot whose hashes were made right is refused or gives a sound engine") {
  const Bytes good = MarketWithResales()->WriteSnapshot(kRules);
  ChangeEveryByte(good);
  ChangeEveryByte(MarketWithDisputes()->WriteSnapshot(kRules));
  // Cut, with the length made right.
  for (size_t size = kSnapshotHeaderSize; size < good.size(); ++size) {
    Bytes bad(good.begin(), good.begin() + static_cast<int64_t>(size));
    MakeHashesRight(bad);
    REQUIRE(FaultOf(bad) != "");
  }
}

TEST_CASE("A refusal says what is wrong, and where") {
  const auto engine = SmallMarket();
  const Bytes good = engine->WriteSnapshot(kRules);
  CHECK(FaultOf(Bytes(100)) ==
        "the snapshot is damaged: it has 100 bytes, less than its first page of 4096");
  CHECK(FaultOf(Bytes(5'000)) == "this is no snapshot: it does not begin with WARPSNAP");
  CHECK(FaultOf(good, {}, kRules + 1) ==
        "the snapshot is of rules version 3, this program has version 4");
  EngineLimits limits;
  limits.nodes_max = 3;
  CHECK(FaultOf(good, limits) ==
        "the snapshot is of other limits: nodes_max is 4000000 in it, and 3 here");
  Bytes other_format = good;
  other_format[8] = std::byte{99};
  MakeHashesRight(other_format);
  CHECK(FaultOf(other_format) == "the snapshot is of format 99, this program reads format " +
                                     std::to_string(kSnapshotFormat));
  Bytes damaged = good;
  damaged.back() ^= std::byte{1};
  CHECK(FaultOf(damaged) == "the snapshot is damaged: its state does not match its hash");
  Bytes longer = good;
  longer.push_back(std::byte{0});
  MakeHashesRight(longer);
  CHECK(FaultOf(longer) == "the snapshot is damaged: at byte " +
                               std::to_string(good.size() - kSnapshotHeaderSize) +
                               " of the state, end: there is more behind it");
}

Bytes ReadWhole(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  const std::string text(std::istreambuf_iterator<char>(file), {});
  const auto* begin = reinterpret_cast<const std::byte*>(text.data());
  return Bytes(begin, begin + text.size());
}

// What the file holds; WARPBOOK_WRITE_GOLDEN=1 writes it anew.
Bytes Golden(const std::string& path, std::span<const std::byte> written) {
  if (std::getenv("WARPBOOK_WRITE_GOLDEN") != nullptr) {
    std::ofstream(path, std::ios::binary)
        .write(reinterpret_cast<const char*>(written.data()),
               static_cast<std::streamsize>(written.size()));
  }
  return ReadWhole(path);
}

TEST_CASE("A snapshot of the first format is refused: the engine replays its journal") {
  const Bytes old = ReadWhole(std::string(WARPBOOK_GOLDEN) + "/snapshot_v1");
  CHECK(FaultOf(old) == "the snapshot is of format 1, this program reads format 4");
}

// The file changes with kSnapshotFormat and kRulesVersion, and only then.
TEST_CASE("The golden snapshot opens, and is what is written today") {
  const auto engine = SmallMarket();
  const Bytes written = engine->WriteSnapshot(kRules);
  const Bytes golden = Golden(std::string(WARPBOOK_GOLDEN) + "/snapshot_v4", written);
  const auto restored = Engine::FromSnapshot(golden, {}, kRules);
  REQUIRE_MESSAGE(restored.ok(), std::string(restored.status().message()));
  CHECK((*restored)->StateHash() == engine->StateHash());
  CHECK((*restored)->last_sequence() == engine->last_sequence());
  CHECK(golden == written);
}

// A fuzzer that began with states of another format would only ever find them refused.
TEST_CASE("The fuzzer's seeds are states of today: the header is the fuzzer's own") {
  const std::string folder = std::string(WARPBOOK_GOLDEN) + "/../fuzz/corpus/snapshot/";
  const auto is_seed = [&](const std::string& name, const Bytes& snapshot) {
    const auto state = std::span(snapshot).subspan(kSnapshotHeaderSize);
    return std::ranges::equal(Golden(folder + name, state), state);
  };
  CHECK(is_seed("small_market", SmallMarket()->WriteSnapshot(kRules)));
  CHECK(is_seed("market_with_resales", MarketWithResales()->WriteSnapshot(kRules)));
  CHECK(is_seed("market_with_disputes", MarketWithDisputes()->WriteSnapshot(kRules)));
}

}  // namespace
}  // namespace warpbook::engine
