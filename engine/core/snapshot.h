// A snapshot: the engine's whole state in bytes. A page that says what it is, and behind it the
// bytes of the state (state_writer.h), of which the state hash is the hash.
//
// The page, little-endian, zeros behind:
//   0  magic, 8 bytes       24  u64 last event sequence     48  u64 state hash
//   8  u32 format           32  u64 running event hash      56  u64 XXH3-64 of the 56 bytes before
//  12  u32 rules version    40  u64 length of the state
//  16  u64 last sequence
// So every byte of a snapshot is under one of the two hashes, or is zero.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "schema/types/ids.h"

namespace warpbook::engine {

// Goes up with each change of what the bytes mean (state_fields.h).
inline constexpr uint32_t kSnapshotFormat = 4;

inline constexpr size_t kSnapshotHeaderSize = 4'096;
using SnapshotHeader = std::array<std::byte, kSnapshotHeaderSize>;

// Takes the bytes of a snapshot's state in order, in pieces. A fault of its own is its own to keep.
using SnapshotSink = absl::FunctionRef<void(std::span<const std::byte>)>;

// What the page says.
struct SnapshotInfo {
  uint32_t format = kSnapshotFormat;
  uint32_t rules_version = 0;
  Sequence last_sequence;
  EventSequence last_event_sequence;
  uint64_t event_hash = 0;
  uint64_t length = 0;  // of the state behind it
  uint64_t state_hash = 0;
};

SnapshotHeader MakeSnapshotHeader(const SnapshotInfo& info);
// DataLoss where the bytes do not begin with a whole page; FailedPrecondition where it is of
// another format. It says nothing of what is behind it.
absl::StatusOr<SnapshotInfo> ReadSnapshotHeader(std::span<const std::byte> bytes);

}  // namespace warpbook::engine
