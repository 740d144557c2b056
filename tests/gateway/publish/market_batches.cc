#include "tests/gateway/publish/market_batches.h"

#include <doctest/doctest.h>
#include <xxhash.h>

#include <cstring>
#include <random>
#include <string>
#include <utility>

#include "engine/core/engine.h"
#include "gateway/publish/market_snapshot.h"
#include "tests/engine/core/differential.h"
#include "tests/engine/core/random_market.h"
#include "tests/engine/core/record_text.h"

namespace warpbook::gateway {
namespace {

// Whether the command speaks of a class or a region that the catalogue of the tests lacks.
bool IsForeign(wire::RecordView command) {
  const auto is_foreign = [](const auto& named) {
    return named.class_id() > 2 || named.region_id() > 2;
  };
  if (command.type() == wire::RecordType::kOpenInstrument) {
    return is_foreign(command.as<wire::OpenInstrument>());
  }
  return command.type() == wire::RecordType::kRegisterNode &&
         is_foreign(command.as<wire::RegisterNode>());
}

constexpr const char* kLackingCatalogueText = R"(
[market]
windows_ahead = 2
notice_seconds = 120
gate_minutes = 3
[region us-east]
id = 1
[class B200-SXM]
id = 3
memory_gb = 192
memory_gb_per_s = 8000
tdp_watts = 1000
window_minutes = 60
tradable = yes
tick = 0.02
band_low = 1.00
band_high = 8.00
reference_price = 4.50
)";

struct TimedLine {
  int64_t minutes;  // after kScenarioStart
  const char* line;
};
constexpr TimedLine kSmallMarket[] = {
    {0, "RegisterSystemKey public_key=op kind=operator"},
    {0, "RegisterSystemKey public_key=st kind=settlement"},
    {0, "OpenAccount public_key=a"},
    {0, "OpenAccount public_key=b"},
    {0, "AddKey from=3 public_key=c scopes=1"},
    {0, "RequestTopUp from=3 burn_utok=1"},
    {0, "PostTopUp from=2 number=1 request_sequence=6 credits=1000000000"},
    {0, "RequestDeposit from=1 target_account_id=4 amount_utok=7 reference=wire"},
    {0, "PostDeposit from=2 number=2 request_sequence=8"},
    {0, "RequestTopUp from=4 burn_utok=3"},
    {0, "PostTopUp from=2 number=3 request_sequence=10 credits=500000000"},
    {0, "RequestWithdrawal from=1 target_account_id=4 amount_utok=2 reference=wire-2"},
    {0, "PostWithdrawal from=2 number=4 request_sequence=12"},
    {0, "AddKey from=4 public_key=f scopes=3"},
    {0, "RevokeKey from=4 public_key=f"},
    {0, "VerifyOwner from=1 owner_id=2 verified=1"},
    {0, "RegisterNode from=4 device_key=d gpus=16 class_id=1 region_id=1"},
    {0, "RegisterNode from=4 device_key=e gpus=8 class_id=2 region_id=2"},
    {0, "SetCapacity from=1 node_id=1 gpus=12 assurance=verified"},
    {0, "SetBondedLimit from=1 target_account_id=4 limit=1000000000"},
    {0,
     "OpenInstrument window_start_us=T+60m window_minutes=60 gate_minutes=3 tick=1000"
     " band_low=1000 band_high=100000 class_id=1 region_id=1"},
    {0,
     "OpenInstrument window_start_us=T+120m window_minutes=60 gate_minutes=3 tick=1000"
     " band_low=1000 band_high=100000 class_id=1 region_id=1"},
    {0,
     "OpenInstrument window_start_us=T+1m window_minutes=10 gate_minutes=3 tick=2000"
     " band_low=2000 band_high=100000 class_id=2 region_id=2"},
    {0, "PlaceOrder from=3 instrument_id=1 gpus=6 price=10000 min_assurance=2 client_order_id=one"},
    {0,
     "PlaceOrder from=3 instrument_id=1 gpus=4 price=9000 min_assurance=2 tier=economy"
     " time_in_force=gtd expires_us=T+50m"},
    {0, "PlaceOrder from=4 instrument_id=1 gpus=4 price=10000 min_assurance=2 side=sell node_id=1"},
    {0, "PlaceOrder from=4 instrument_id=1 gpus=3 price=20000 min_assurance=2 side=sell node_id=1"},
    {0,
     "PlaceOrder from=3 instrument_id=1 gpus=3 price=12000 min_assurance=2 side=sell lease_id=1"},
    {0, "PlaceOrder from=4 instrument_id=1 gpus=1 price=12000 min_assurance=2 time_in_force=ioc"},
    {1, "SetInstrumentHalt from=1 instrument_id=2 halted=1"},
    {12, "CloseInstrument instrument_id=3"},
    {12, "RequestTopUp from=3 burn_utok=5"},
    {12, "CancelOrder from=4 order_id=4"},
    {12, "SetOrderGuard from=3 mode=session session=70000"},
    {12, "SetOrderGuard from=4 mode=account session=7"},
    {12, "SetOrderGuard from=4 mode=timer deadline_us=9000"},
    {12, "SetOrderGuard from=3 mode=timer deadline_us=8000"},
};

}  // namespace

Batches RandomBatches(uint64_t seed, size_t commands) {
  std::mt19937_64 random(seed);
  engine::RandomMarket market(seed);
  engine::Differential differential(market.limits());
  Batches batches;
  wire::RecordWriter records;
  engine::DurableBatch batch;
  size_t size = 1;
  for (size_t sequence = 1; sequence <= commands;) {
    wire::CommandRecord command = market.Next(differential.reference());
    if (IsForeign(command.view())) continue;
    REQUIRE(!differential.Apply(command));
    command.mutable_header().mutate_sequence(sequence);
    records.Append(command.view(), batch.command_count++);
    for (const wire::RecordView event : wire::Records(differential.events())) {
      records.Append(event, batch.command_count - 1);
    }
    if (sequence++ == commands || batch.command_count == size) {
      batch.first_sequence = sequence - batch.command_count;
      batch.records = records.Take();
      batches.push_back(std::exchange(batch, {}));
      size = 1 + random() % 6;
    }
  }
  return batches;
}

Batches SmallMarketBatches() {
  engine::Engine engine;
  Batches batches;
  for (const auto& [minutes, line] : kSmallMarket) {
    wire::CommandRecord command = engine::ParseCommand(line);
    const uint64_t sequence = engine.last_sequence().value() + 1;
    command.mutable_header().mutate_sequence(sequence);
    command.mutable_header().mutate_time_us(engine::kScenarioStart + minutes * kMicrosPerMinute);
    wire::RecordWriter records;
    records.Append(command.view(), 0);
    engine.Apply(command.view(), 0, records);
    batches.push_back({.first_sequence = sequence, .command_count = 1, .records = records.Take()});
    for (const wire::RecordView record : wire::Records(batches.back().records)) {
      REQUIRE_MESSAGE(record.type() != wire::RecordType::kCommandRejected, std::string(line));
    }
  }
  return batches;
}

Catalogue LackingCatalogue() {
  auto catalogue = ParseCatalogue(kLackingCatalogueText, "lacking");
  REQUIRE(catalogue.ok());
  return *std::move(catalogue);
}

Bytes WriteMarket(const Publisher& publisher) {
  Bytes bytes;
  WriteMarket(publisher, [&bytes](std::span<const std::byte> piece) {
    bytes.insert(bytes.end(), piece.begin(), piece.end());
  });
  return bytes;
}

void MakeHashRight(Bytes& bytes) {
  const size_t hash_at = bytes.size() - sizeof(uint64_t);
  const uint64_t hash = XXH3_64bits(bytes.data(), hash_at);
  std::memcpy(bytes.data() + hash_at, &hash, sizeof hash);
}

}  // namespace warpbook::gateway
