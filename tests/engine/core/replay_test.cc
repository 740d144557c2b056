#include <doctest/doctest.h>

#include <set>
#include <string>
#include <vector>

#include "engine/core/engine.h"
#include "tests/engine/core/differential.h"
#include "tests/engine/core/random_market.h"
#include "tests/engine/core/record_text.h"
#include "tests/support/dies.h"

namespace warpbook::engine {
namespace {

struct Recorded {
  EngineLimits limits;
  std::vector<wire::CommandRecord> commands;
};

Recorded Record(uint64_t seed, size_t count) {
  RandomMarket market(seed);
  Differential differential(market.limits());
  Recorded recorded{market.limits(), {}};
  for (size_t i = 0; i < count; ++i) {
    wire::CommandRecord command = market.Next(differential.reference());
    REQUIRE(!differential.Apply(command));
    command.mutable_header().mutate_sequence(i + 1);
    recorded.commands.push_back(command);
  }
  return recorded;
}

struct Outcome {
  std::vector<std::byte> events;
  uint64_t event_hash = 0;
  std::vector<uint64_t> state_hashes;
  EventSequence last_event;
  friend bool operator==(const Outcome&, const Outcome&) = default;
};

Outcome Replay(const Recorded& recorded, bool new_buffer_each = false) {
  Engine engine(recorded.limits);
  Outcome outcome;
  wire::RecordWriter events;
  for (const wire::CommandRecord& command : recorded.commands) {
    engine.Apply(command.view(), 0, events);
    if (new_buffer_each) {
      const std::vector<std::byte> part = events.Take();
      outcome.events.insert(outcome.events.end(), part.begin(), part.end());
    }
    if (engine.last_sequence().value() % 100 == 0) {
      outcome.state_hashes.push_back(engine.StateHash());
    }
  }
  if (!new_buffer_each) outcome.events = events.Take();
  outcome.event_hash = engine.event_hash();
  outcome.last_event = engine.last_event_sequence();
  return outcome;
}

TEST_CASE("The same commands give the same events and the same state, twice") {
  for (uint64_t seed = 1; seed <= 5; ++seed) {
    const Recorded recorded = Record(seed, 3'000);
    const Outcome first = Replay(recorded);
    CHECK(first == Replay(recorded));
    CHECK(first == Replay(recorded, /*new_buffer_each=*/true));
  }
}

TEST_CASE("The event hash does not depend on how commands are gathered into batches") {
  const Recorded recorded = Record(6, 1'000);
  Engine one(recorded.limits), other(recorded.limits);
  wire::RecordWriter events;
  uint32_t index = 0;
  for (const wire::CommandRecord& command : recorded.commands) {
    one.Apply(command.view(), 0, events);
    other.Apply(command.view(), ++index, events);
  }
  CHECK(one.event_hash() == other.event_hash());
  CHECK(one.StateHash() == other.StateHash());
}

uint64_t StateHashAfter(std::vector<const char*> lines) {
  Engine engine;
  wire::RecordWriter events;
  for (const char* line : lines) {
    wire::CommandRecord command = ParseCommand(line);
    command.mutable_header().mutate_sequence(engine.last_sequence().value() + 1);
    command.mutable_header().mutate_time_us(kScenarioStart);
    engine.Apply(command.view(), 0, events);
  }
  engine.CheckInvariants();
  return engine.StateHash();
}

TEST_CASE("The state hash tells apart states that differ in one command") {
  std::vector<const char*> lines = {
      "RegisterSystemKey public_key=op kind=operator",
      "RegisterSystemKey public_key=st kind=settlement",
      "OpenAccount public_key=a",
      "OpenAccount public_key=b",
      "RequestTopUp from=3 burn_utok=1",
      "PostTopUp from=2 number=1 request_sequence=5 credits=1000000000",
      "RegisterNode from=4 device_key=d gpus=16 class_id=1 region_id=1",
      "SetCapacity from=1 node_id=1 gpus=16 assurance=verified",
      "SetBondedLimit from=1 target_account_id=4 limit=1000000000",
      "OpenInstrument window_start_us=T+60m window_minutes=60 gate_minutes=3 tick=1000"
      " band_low=1000 band_high=100000 class_id=1 region_id=1",
      "PlaceOrder from=3 instrument_id=1 gpus=4 price=10000 min_assurance=2",
      "PlaceOrder from=4 instrument_id=1 gpus=4 price=20000 min_assurance=2 side=sell node_id=1",
      "RequestTopUp from=3 burn_utok=1",
  };
  const char* const last[] = {
      "Tick",
      "OpenAccount public_key=c",
      "OpenAccount public_key=d",
      "AddKey from=3 public_key=c scopes=1",
      "AddKey from=3 public_key=c scopes=2",
      "RequestTopUp from=3 burn_utok=1",
      "RequestTopUp from=3 burn_utok=2",
      "RequestTopUp from=3 burn_utok=2 tag=1",
      "PostTopUp from=2 number=2 request_sequence=13 credits=1",
      "PostTopUp from=2 number=2 request_sequence=13 credits=2",
      "RegisterNode from=4 device_key=e gpus=16 class_id=1 region_id=1",
      "RegisterNode from=4 device_key=e gpus=16 class_id=1 region_id=2",
      "SetCapacity from=1 node_id=1 gpus=15 assurance=verified",
      "SetCapacity from=1 node_id=1 gpus=16 assurance=attested",
      "SetBondedLimit from=1 target_account_id=4 limit=1000000001",
      "SetInstrumentHalt from=1 instrument_id=1 halted=1",
      "PlaceOrder from=3 instrument_id=1 gpus=4 price=10000 min_assurance=2",
      "PlaceOrder from=3 instrument_id=1 gpus=4 price=10000 min_assurance=1",
      "PlaceOrder from=3 instrument_id=1 gpus=4 price=10000 min_assurance=2 min_fill=2",
      "PlaceOrder from=3 instrument_id=1 gpus=4 price=10000 min_assurance=2 post_only=1",
      "PlaceOrder from=3 instrument_id=1 gpus=4 price=10000 min_assurance=2 client_order_id=a",
      "PlaceOrder from=3 instrument_id=1 gpus=4 price=10000 min_assurance=2 client_order_id=b",
      "PlaceOrder from=3 instrument_id=1 gpus=4 price=20000 min_assurance=2",
      "PlaceOrder from=3 instrument_id=1 gpus=4 price=10000 min_assurance=2"
      " self_trade_prevention=decrement",
      "PlaceOrder from=3 instrument_id=1 gpus=4 price=10000 min_assurance=2 time_in_force=gtd"
      " expires_us=T+5m",
      "AmendOrder from=3 order_id=1 gpus=3",
      "AmendOrder from=3 order_id=1 price=9000",
      "CancelOrder from=3 order_id=1",
  };
  std::set<uint64_t> hashes;
  for (const char* line : last) {
    CAPTURE(std::string(line));
    lines.push_back(line);
    CHECK(hashes.insert(StateHashAfter(lines)).second);
    lines.pop_back();
  }
}

TEST_CASE("A full checkpoint carries the hashes of the state and of the events before it") {
  const Recorded recorded = Record(8, 1'000);
  Engine engine(recorded.limits);
  wire::RecordWriter events;
  for (const wire::CommandRecord& command : recorded.commands) {
    engine.Apply(command.view(), 0, events);
  }
  wire::CommandRecord tick = ParseCommand("Tick checkpoint=2");
  tick.mutable_header().mutate_sequence(1'001);
  tick.mutable_header().mutate_time_us(engine.last_time().micros());
  events.Clear();
  engine.Apply(tick.view(), 0, events);
  const wire::Checkpoint* checkpoint = nullptr;
  for (const wire::RecordView event : wire::Records(events.bytes())) {
    if (event.type() == wire::RecordType::kCheckpoint) checkpoint = &event.as<wire::Checkpoint>();
  }
  REQUIRE(checkpoint != nullptr);
  CHECK(checkpoint->commands() == 1'001);
  CHECK(checkpoint->state_hash() == engine.StateHash());
  CHECK(checkpoint->event_hash() != engine.event_hash());
  CHECK(checkpoint->header().event_sequence() == engine.last_event_sequence().value());
  CHECK(checkpoint->issued() == engine.Totals().issued.value());
  CHECK(checkpoint->settlement_number() == engine.settlement_number());
}

TEST_CASE("A command out of sequence or back in time is the sequencer's bug") {
  const auto apply = [](uint64_t sequence, int64_t time) {
    Engine engine;
    wire::RecordWriter events;
    wire::CommandRecord tick = ParseCommand("Tick");
    tick.mutable_header().mutate_sequence(1);
    tick.mutable_header().mutate_time_us(kScenarioStart);
    engine.Apply(tick.view(), 0, events);
    tick.mutable_header().mutate_sequence(sequence);
    tick.mutable_header().mutate_time_us(time);
    engine.Apply(tick.view(), 0, events);
  };
  CHECK(!test::Dies([&] { apply(2, kScenarioStart); }));
  CHECK(test::Dies([&] { apply(1, kScenarioStart); }));
  CHECK(test::Dies([&] { apply(3, kScenarioStart); }));
  CHECK(test::Dies([&] { apply(2, kScenarioStart - 1); }));
}

}  // namespace
}  // namespace warpbook::engine
