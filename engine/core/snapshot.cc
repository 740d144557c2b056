#include "engine/core/snapshot.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <algorithm>
#include <cstring>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "engine/core/engine.h"
#include "engine/core/engine_impl.h"
#include "engine/core/state_reader.h"
#include "engine/core/state_writer.h"

namespace warpbook::engine {
namespace {

constexpr char kMagic[8] = {'W', 'A', 'R', 'P', 'S', 'N', 'A', 'P'};
constexpr size_t kHashAt = 56;

struct HeaderFields {
  char magic[8];
  uint32_t format;
  uint32_t rules_version;
  uint64_t last_sequence;
  uint64_t last_event_sequence;
  uint64_t event_hash;
  uint64_t length;
  uint64_t state_hash;
  uint64_t header_hash;
};
static_assert(sizeof(HeaderFields) == kHashAt + sizeof(uint64_t));

absl::Status Damaged(absl::string_view what) {
  return absl::DataLossError(absl::StrCat("the snapshot is damaged: ", what));
}

}  // namespace

SnapshotHeader MakeSnapshotHeader(const SnapshotInfo& info) {
  HeaderFields fields = {};
  std::memcpy(fields.magic, kMagic, sizeof kMagic);
  fields.format = info.format;
  fields.rules_version = info.rules_version;
  fields.last_sequence = info.last_sequence.value();
  fields.last_event_sequence = info.last_event_sequence.value();
  fields.event_hash = info.event_hash;
  fields.length = info.length;
  fields.state_hash = info.state_hash;
  fields.header_hash = XXH3_64bits(&fields, kHashAt);
  SnapshotHeader header = {};
  std::memcpy(header.data(), &fields, sizeof fields);
  return header;
}

absl::StatusOr<SnapshotInfo> ReadSnapshotHeader(std::span<const std::byte> bytes) {
  if (bytes.size() < kSnapshotHeaderSize) {
    return Damaged(absl::StrCat("it has ", bytes.size(), " bytes, less than its first page of ",
                                kSnapshotHeaderSize));
  }
  HeaderFields fields;
  std::memcpy(&fields, bytes.data(), sizeof fields);
  if (std::memcmp(fields.magic, kMagic, sizeof kMagic) != 0) {
    return absl::DataLossError("this is no snapshot: it does not begin with WARPSNAP");
  }
  const auto padding = bytes.first(kSnapshotHeaderSize).subspan(sizeof fields);
  if (fields.header_hash != XXH3_64bits(&fields, kHashAt) ||
      !std::ranges::all_of(padding, [](std::byte byte) { return byte == std::byte{0}; })) {
    return Damaged("its first page does not match its hash");
  }
  if (fields.format != kSnapshotFormat) {
    return absl::FailedPreconditionError(absl::StrCat("the snapshot is of format ", fields.format,
                                                      ", this program reads format ",
                                                      kSnapshotFormat));
  }
  return SnapshotInfo{fields.format,
                      fields.rules_version,
                      Sequence(fields.last_sequence),
                      EventSequence(fields.last_event_sequence),
                      fields.event_hash,
                      fields.length,
                      fields.state_hash};
}

SnapshotHeader Engine::WriteSnapshot(uint32_t rules_version, SnapshotSink sink) const {
  StateWriter writer(sink);
  WriteState(impl_->state, writer);
  return MakeSnapshotHeader({kSnapshotFormat, rules_version, last_sequence(), last_event_sequence(),
                             event_hash(), writer.length(), writer.hash()});
}

std::vector<std::byte> Engine::WriteSnapshot(uint32_t rules_version) const {
  std::vector<std::byte> bytes(kSnapshotHeaderSize);
  const SnapshotHeader header =
      WriteSnapshot(rules_version, [&bytes](std::span<const std::byte> piece) {
        bytes.insert(bytes.end(), piece.begin(), piece.end());
      });
  std::ranges::copy(header, bytes.begin());
  return bytes;
}

absl::StatusOr<std::unique_ptr<Engine>> Engine::FromSnapshot(std::span<const std::byte> bytes,
                                                             const EngineLimits& limits,
                                                             uint32_t rules_version,
                                                             uint64_t index_secret) {
  const absl::StatusOr<SnapshotInfo> info = ReadSnapshotHeader(bytes);
  if (!info.ok()) return info.status();
  if (info->rules_version != rules_version) {
    return absl::FailedPreconditionError(
        absl::StrCat("the snapshot is of rules version ", info->rules_version,
                     ", this program has version ", rules_version));
  }
  const auto state_bytes = bytes.subspan(kSnapshotHeaderSize);
  if (state_bytes.size() != info->length) {
    return Damaged(
        absl::StrCat("its state has ", state_bytes.size(), " bytes instead of ", info->length));
  }
  if (XXH3_64bits(state_bytes.data(), state_bytes.size()) != info->state_hash) {
    return Damaged("its state does not match its hash");
  }
  auto engine = std::make_unique<Engine>(limits, index_secret);
  State& state = engine->impl_->state;
  const StateReading reading = ReadState(state_bytes, state);
  if (reading.fault == StateFault::kOtherLimits) {
    return absl::FailedPreconditionError(
        absl::StrCat("the snapshot is of other limits: ", reading.sentence));
  }
  if (reading.fault != StateFault::kNone) return Damaged(reading.sentence);
  if (state.last_sequence != info->last_sequence) {
    return Damaged("its first page names another sequence than its state");
  }
  engine->impl_->events.Restore(info->last_event_sequence, info->event_hash);
  return engine;
}

}  // namespace warpbook::engine
