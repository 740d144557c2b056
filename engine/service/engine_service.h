// EngineService: the engine as a running service. One sequencer thread owns the engine: it takes
// commands from the ports, stamps sequence and time, applies them, and hands batches of commands
// and events to the journal thread. Nothing leaves before it is durable: a batch is published to
// the ports after its fdatasync. While one batch syncs, the next is gathered.
//
// Life: Recover (replays the journal) -> CreatePort, once per gateway thread -> Start -> Stop.
// One thread, the owner's, calls all of them. A write or sync of the journal that fails ends the
// process with one clear sentence: what was not synced cannot be known (5-journal of the design).
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/core/engine.h"
#include "engine/service/engine_port.h"
#include "engine/service/snapshotter.h"
#include "schema/base/clock.h"
#include "schema/catalogue/catalogue.h"
#include "schema/types/ids.h"
#include "schema/types/public_key.h"
#include "schema/types/timestamp.h"

namespace warpbook {
class FileSystem;
class Metrics;
}  // namespace warpbook

namespace warpbook::engine {

// Stored in every segment; raised whenever the same commands would give other events.
inline constexpr uint32_t kRulesVersion = 8;

// The exit status of a process whose journal failed (EX_IOERR).
inline constexpr int kJournalFailedExitStatus = 74;

// Every queue of the service, and what happens when it is full.
struct ServiceLimits {
  // Commands waiting in a port. Full: TrySubmit takes fewer.
  size_t port_commands_max = 8'192;
  // Bytes of durable batches that a port's owner has not polled. Beyond it the port is lost
  // (EnginePort::lost): a reader that stands still must not stop the exchange.
  size_t port_event_bytes_max = size_t{256} << 20;
  // Questions for history of a port that have no answer yet, or whose answer was not polled, each
  // of which holds a page. Beyond it AskHistory takes none.
  size_t port_history_requests_max = 64;
  // A batch is closed when it holds this many commands, or with the command that reaches this many
  // bytes. Full while the batch before it is being synced: commands wait in the ports.
  uint32_t batch_commands_max = 4'096;
  size_t batch_bytes_max = size_t{1} << 20;
  // With less than this free on the journal's disk nothing new is taken (kStorageLow): room for
  // eight segments of refusals, cancels and settlement. 0: none.
  uint64_t disk_reserve_bytes = uint64_t{512} << 20;
};

class EngineService {
 public:
  struct Options {
    std::string journal_directory;  // made if it is not there
    Catalogue catalogue;
    // Their accounts are opened by command at each start.
    std::optional<PublicKey> operator_key, settlement_key;
    // 1: the machine's clock. More: a market that runs that many times as fast (for trials).
    int64_t clock_factor = 1;
    EngineLimits limits;
    ServiceLimits service_limits;
    uint64_t segment_size = uint64_t{64} << 20;
    // None are made, and none are started from, where this is nullopt: the whole journal is
    // replayed.
    std::optional<SnapshotOptions> snapshots;
    FileSystem* file_system = nullptr;  // null: the machine's; not owned
    Metrics* metrics = nullptr;         // null: nothing is counted; not owned
  };

  // What recovery found.
  struct RecoverySummary {
    Sequence last_sequence;
    Sequence snapshot_sequence;  // that of the snapshot it started from; 0: of none
    Timestamp last_time;
    uint64_t epoch = 0;         // of this start
    std::string repair_note;    // what was cut and where it was kept; empty: the end was clean
    std::string snapshot_note;  // which snapshots could not be used and why; empty: none
  };

  // Locks and recovers the journal: loads the newest snapshot that can be used and replays what is
  // behind it. `on_restored` is given what a follower wrote into that snapshot (SnapshotOptions); a
  // snapshot that it refuses, unchanged, is not used. `on_replayed` sees each replayed batch in
  // order; what it refuses is the answer, and nothing is changed. Fails with one
  // sentence where another process owns the journal, where it is damaged (file, offset, reason;
  // nothing is changed), or where the replay gives other events than were journaled (the sequence).
  // Long replays log their progress.
  static absl::StatusOr<std::unique_ptr<EngineService>> Recover(
      Options options, std::function<absl::Status(const DurableBatch&)> on_replayed,
      std::function<absl::Status(std::span<const std::byte>)> on_restored = nullptr);

  virtual ~EngineService() = default;

  // A port for one thread, before Start only (CHECKed), so that it misses nothing. It may outlive
  // the service: it then takes no command and gives what was published to it.
  virtual std::unique_ptr<EnginePort> CreatePort() = 0;

  // Starts the threads. The first commands are those of the exchange itself (system keys, windows,
  // a tick); they are durable, and every port has them, when this returns: a gateway that takes
  // what its port has before it serves knows the keys that may log on.
  // FailedPrecondition where the engine refuses one of those keys.
  virtual absl::Status Start() = 0;

  // Ends the service: no further command is taken, those taken are applied, a Tick with a full
  // checkpoint closes the epoch, everything is synced and published, the threads end, and a
  // snapshot of all that is made, if there are any. Once.
  virtual absl::Status Stop() = 0;

  // The market's time, which never falls. Any thread.
  virtual const Clock& market_clock() const = 0;

  virtual const RecoverySummary& recovery() const = 0;

  // The engine itself: before Start and after Stop only (CHECKed).
  virtual const Engine& engine() const = 0;
};

}  // namespace warpbook::engine
