// Whatever bytes stand for a state, with hashes made right: they are refused, or they give an
// engine that answers commands, fails no CHECK and comes back from its own snapshot.
#define XXH_INLINE_ALL
#include <xxhash.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

#include "engine/core/engine.h"
#include "engine/core/state_fields.h"
#include "schema/base/check.h"
#include "schema/wire/record.h"

namespace {

using namespace warpbook;

constexpr uint32_t kRules = 1;

// Where the state names its last sequence: behind the limits.
size_t SequenceAt() {
  const auto nowhere = [](std::span<const std::byte>) {};
  StateWriter writer(nowhere);
  const engine::EngineLimits limits;
  engine::StreamLimits(writer, limits);
  writer.Finish();
  return writer.length();
}

std::vector<std::byte> WithHeader(std::span<const std::byte> state) {
  static const size_t sequence_at = SequenceAt();
  uint64_t sequence = 0;
  if (state.size() >= sequence_at + 8) std::memcpy(&sequence, state.data() + sequence_at, 8);
  engine::SnapshotInfo info;
  info.rules_version = kRules;
  info.last_sequence = Sequence(sequence);
  info.length = state.size();
  info.state_hash = XXH3_64bits(state.data(), state.size());
  const engine::SnapshotHeader header = engine::MakeSnapshotHeader(info);
  std::vector<std::byte> bytes(header.begin(), header.end());
  bytes.insert(bytes.end(), state.begin(), state.end());
  return bytes;
}

template <typename T>
void Apply(engine::Engine& engine, T command, uint64_t account, Timestamp time) {
  command.mutable_header().mutate_account_id(account);
  command.mutable_header().mutate_sequence(engine.last_sequence().value() + 1);
  command.mutable_header().mutate_time_us(time.micros());
  wire::RecordWriter events;
  engine.Apply(wire::CommandRecord(command).view(), 0, events);
}

// Orders of each of the first accounts that meet what rests, amends, cancels; then time passes.
void GoOn(engine::Engine& engine) {
  Timestamp time = engine.last_time();
  for (int round = 0; round < 4; ++round) {
    for (uint64_t account = 1; account <= 5; ++account) {
      for (const uint8_t side : {uint8_t{0}, uint8_t{1}}) {
        wire::PlaceOrder place;
        place.mutate_instrument_id(1 + static_cast<uint32_t>(round % 2));
        place.mutate_side(side);
        place.mutate_gpus(3);
        place.mutate_price(side == 0 ? 50'000 : 5'000);
        place.mutate_min_assurance(static_cast<uint8_t>(Assurance::kListed));
        place.mutate_node_id(side);
        place.mutable_client_order_id()->Mutate(0, 'a');
        Apply(engine, place, account, time);
      }
      wire::AmendOrder amend;
      amend.mutate_order_id(account);
      amend.mutate_gpus(2);
      Apply(engine, amend, account, time);
      wire::CancelOrder cancel;
      cancel.mutable_client_order_id()->Mutate(0, 'a');
      Apply(engine, cancel, account, time);
    }
    const Timestamp later = time.PlusMinutes(50);
    if (later < Timestamp(int64_t{1} << 60)) time = later;
    wire::CloseInstrument close;
    close.mutate_instrument_id(1 + static_cast<uint32_t>(round % 2));
    Apply(engine, close, 0, time);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto bytes = WithHeader(std::as_bytes(std::span(data, size)));
  auto restored = engine::Engine::FromSnapshot(bytes, {}, kRules);
  if (!restored.ok()) return 0;
  engine::Engine& engine = **restored;
  // What was read is what is written: nothing in the bytes is ignored.
  WARPBOOK_CHECK(engine.WriteSnapshot(kRules) == bytes);
  GoOn(engine);
  const std::vector<std::byte> again = engine.WriteSnapshot(kRules);
  const auto second = engine::Engine::FromSnapshot(again, {}, kRules);
  WARPBOOK_CHECK(second.ok() && (*second)->StateHash() == engine.StateHash());
  return 0;
}
