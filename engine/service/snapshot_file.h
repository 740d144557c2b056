// Snapshot files: the engine's state at a sequence, and a follower's at the same one (follower.h).
// One file each, `journal`/snapshots/<sequence>.snapshot, written under a temporary name, synced,
// renamed, and synced with its directory: a file with a snapshot's name is whole.
//
//   page 0, little-endian, zeros behind:
//     0  magic, WRPBSNF1                24  u64 bytes of the engine's part
//     8  u32 format: 1                  32  u64 bytes of the follower's part; 0: there is none
//    12  u32 rules version              40  u32 CRC-32C of the 40 bytes before
//    16  u64 sequence
//   page 1  the engine's part (engine/core/snapshot.h), then the follower's
// Both parts carry hashes of their own.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/core/engine.h"
#include "engine/service/follower.h"
#include "schema/base/file.h"

namespace warpbook::engine {

// How a snapshot is written beside a running exchange, whose journal syncs to the same disk: in
// small pieces, each synced, with rests between them. Without `stop` nobody else needs the disk: at
// once.
struct SnapshotPace {
  // Rest for so many times the time that a piece took: the disk is the journal's for four fifths.
  static constexpr int kRest = 4;
  const std::atomic<bool>* stop = nullptr;  // gives it up
};

// Writes the snapshot of an engine and, unless null, of a follower that has applied the same.
// CancelledError where it was given up.
absl::Status WriteSnapshotFile(FileSystem& files, const std::string& journal_directory,
                               const Engine& engine, const Follower* follower,
                               uint32_t rules_version, const SnapshotPace& pace = {});

// A snapshot as it was read. Its parts are not judged yet.
struct SnapshotFile {
  std::vector<std::byte> bytes;
  uint32_t rules_version = 0;
  Sequence sequence;
  std::span<const std::byte> engine, follower;  // of `bytes`
};
// DataLoss, naming the file, where it is not whole.
absl::StatusOr<SnapshotFile> ReadSnapshotFile(FileSystem& files,
                                              const std::string& journal_directory,
                                              uint64_t sequence);

}  // namespace warpbook::engine
