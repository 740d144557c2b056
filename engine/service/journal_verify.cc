#include "engine/service/journal_verify.h"

#include <memory>
#include <optional>

#include "engine/service/replayer.h"
#include "schema/journal/tail_reader.h"

namespace warpbook::engine {

absl::StatusOr<JournalProof> VerifyJournal(FileSystem& files, const std::string& directory,
                                           const EngineLimits& limits) {
  absl::StatusOr<std::unique_ptr<journal::TailReader>> reader =
      journal::TailReader::Open(files, directory, 1);
  if (!reader.ok()) return reader.status();
  Engine engine(limits);
  Replayer replayer(engine);
  while (true) {
    const absl::StatusOr<std::optional<journal::BatchView>> batch = (*reader)->Next();
    if (!batch.ok()) return batch.status();
    if (!batch->has_value()) break;
    const absl::Status replayed = replayer.Replay(**batch);
    if (!replayed.ok()) return replayed;
  }
  engine.CheckInvariants();
  return JournalProof{engine.last_sequence(), engine.last_time(), replayer.events(),
                      engine.event_hash(), engine.StateHash()};
}

}  // namespace warpbook::engine
