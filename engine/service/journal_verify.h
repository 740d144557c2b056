// VerifyJournal: re-executes a journal from its beginning, the archive included, and proves it:
// every event is what the engine gives, byte for byte, every checkpoint's hashes included, and
// every snapshot holds the engine as it was at its sequence. Reads what is durable, without a lock,
// also beside a running writer.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "engine/core/engine.h"
#include "schema/base/file.h"
#include "schema/types/ids.h"
#include "schema/types/timestamp.h"

namespace warpbook::engine {

struct JournalProof {
  Sequence last_sequence;
  Timestamp last_time;
  uint64_t events = 0;
  uint64_t event_hash = 0;
  uint64_t state_hash = 0;
  size_t snapshots = 0;  // that were compared
};

// DataLoss where the journal is damaged, of another version of the rules (kRulesVersion), or its
// events, or a snapshot, are not what the engine gives.
absl::StatusOr<JournalProof> VerifyJournal(FileSystem& files, const std::string& directory,
                                           const EngineLimits& limits = {});

}  // namespace warpbook::engine
