// Snapshotter: makes snapshots of the journal beside the running engine, keeps the newest of them,
// makes the account indexes of sealed segments, and archives the segments that nobody needs any
// more. It shares nothing with the sequencer but the disk: it loads the newest snapshot, replays
// what is sealed behind it in an engine of its own (and so proves it: every event is compared),
// writes the next snapshot and lets go of its memory, which meanwhile is as much again as the
// engine's.
//
// SnapshotThread runs one now and then, at a low priority.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/core/engine.h"
#include "engine/service/follower.h"
#include "schema/base/file.h"
#include "schema/journal/account_indexer.h"

namespace warpbook::engine {

class EngineMetrics;

struct SnapshotOptions {
  // A snapshot is made when so many bytes of sealed segments are behind the last one: a start
  // replays them and the segment that is being written at most.
  uint64_t bytes_between = uint64_t{256} << 20;
  // The newest ones that are kept; at least 2, so that a damaged one is no loss.
  uint32_t kept = 2;
  // Segments with younger commands are not archived: sessions resume from them.
  int64_t resume_horizon_micros = 24 * 60 * kMicrosPerMinute;
  // What is part of each snapshot beside the engine; null: nothing.
  std::function<std::unique_ptr<Follower>()> make_follower;
};

// An engine as the newest snapshot that can be used has it, or a new one.
struct LoadedState {
  std::unique_ptr<Engine> engine;
  Sequence sequence;  // 0: there was no snapshot
  std::string note;   // a sentence for each newer one that could not be used, with the reason
  std::vector<uint64_t> unusable;  // by sequence: those of them that never can be
};
// `read_follower` (null: nobody asks for that part) takes the follower's bytes; what it refuses,
// which must leave it as it was, makes the snapshot one that cannot be used.
absl::StatusOr<LoadedState> LoadNewestSnapshot(
    FileSystem& files, const std::string& journal_directory, const EngineLimits& limits,
    uint64_t index_secret,
    const std::function<absl::Status(std::span<const std::byte>)>& read_follower);

class Snapshotter {
 public:
  Snapshotter(FileSystem& files, std::string journal_directory, const EngineLimits& limits,
              SnapshotOptions options);

  // Makes one of all that is sealed if enough is; says of which sequence. CancelledError where
  // `stop` came first. Makes the account indexes that are missing too; that they cannot be made is
  // no failure, and is told once on standard error.
  absl::StatusOr<std::optional<Sequence>> MakeIfDue(const std::atomic<bool>& stop);
  // Makes one of all that is durable unless there is one: at the end of a clean stop, for the next
  // start, also one by other rules.
  // `stop` as in MakeIfDue; null: it is made as fast as can be.
  absl::StatusOr<std::optional<Sequence>> MakeLast(const std::atomic<bool>* stop = nullptr);

 private:
  // The last sequence that is in a sealed segment, and the bytes of those behind the snapshot.
  struct Sealed {
    Sequence sequence;
    uint64_t bytes = 0;
  };
  absl::StatusOr<Sealed> FindSealed(Sequence snapshot) const;
  absl::StatusOr<Sequence> NewestSnapshot() const;
  absl::Status Make(Sequence up_to, const std::atomic<bool>* stop);
  // Those that could not be used do not count among those that are kept: they get other names.
  absl::Status SetAside(const std::vector<uint64_t>& unusable) const;
  absl::Status DropOldSnapshots() const;
  void IndexAccounts(const std::atomic<bool>& stop);
  absl::Status Archive(Timestamp now) const;

  FileSystem& files_;
  const std::string directory_;
  const EngineLimits limits_;
  const SnapshotOptions options_;
  journal::AccountIndexer account_indexer_;
  bool indexing_failed_ = false;  // the last time
};

// The thread's niceness: a tenth of a core where everything is busy, so that it is not starved.
inline constexpr int kSnapshotNice = 10;

class SnapshotThread {
 public:
  // Tells `metrics`, unless it is null, what became of each one.
  explicit SnapshotThread(std::unique_ptr<Snapshotter> snapshotter,
                          EngineMetrics* metrics = nullptr);
  ~SnapshotThread() { Stop(); }
  SnapshotThread(const SnapshotThread&) = delete;
  SnapshotThread& operator=(const SnapshotThread&) = delete;

  // Ends the thread; what it was making is given up.
  void Stop();
  // After Stop, with the journal closed.
  void MakeLast();

 private:
  void Run();

  const std::unique_ptr<Snapshotter> snapshotter_;
  EngineMetrics* const metrics_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::atomic<bool> stopping_ = false;
  std::thread thread_;
};

}  // namespace warpbook::engine
