#include "engine/service/journal_verify.h"

#include <memory>
#include <optional>

#include "absl/strings/str_cat.h"
#include "engine/service/engine_service.h"
#include "engine/service/replayer.h"
#include "schema/journal/format.h"
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
    const std::string fault = journal::RulesVersionFault((*batch)->rules_version, kRulesVersion);
    if (!fault.empty()) {
      return absl::DataLossError(absl::StrCat("the journal in ", directory, " from sequence ",
                                              (*batch)->first_sequence, " on: ", fault));
    }
    const absl::Status replayed = replayer.Replay(**batch);
    if (!replayed.ok()) return replayed;
  }
  engine.CheckInvariants();
  return JournalProof{engine.last_sequence(), engine.last_time(), replayer.events(),
                      engine.event_hash(), engine.StateHash()};
}

}  // namespace warpbook::engine
