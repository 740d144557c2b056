#include "engine/service/snapshotter.h"

#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "engine/service/engine_metrics.h"
#include "engine/service/engine_service.h"
#include "engine/service/replayer.h"
#include "engine/service/snapshot_file.h"
#include "schema/base/check.h"
#include "schema/base/log.h"
#include "schema/journal/archive.h"
#include "schema/journal/cursors.h"
#include "schema/journal/segment_reader.h"
#include "schema/journal/snapshot_names.h"
#include "schema/journal/tail_reader.h"
#include "schema/journal/watermark.h"

namespace warpbook::engine {
namespace {

constexpr std::chrono::seconds kLookInterval(1);
constexpr std::chrono::seconds kRetryInterval(60);  // after a failure

void Tell(const absl::Status& status) {
  Log(LogLevel::kWarning, "snapshot_failed",
      JsonObject().Text("detail", std::string(status.message())));
}

absl::StatusOr<std::unique_ptr<Engine>> LoadSnapshot(
    FileSystem& files, const std::string& journal_directory, uint64_t sequence,
    const EngineLimits& limits, uint64_t index_secret,
    const std::function<absl::Status(std::span<const std::byte>)>& read_follower) {
  const absl::StatusOr<SnapshotFile> file = ReadSnapshotFile(files, journal_directory, sequence);
  if (!file.ok()) return file.status();
  // Rules of another version are no fault here: whether anything must be executed by them is the
  // journal's to say.
  absl::StatusOr<std::unique_ptr<Engine>> engine =
      Engine::FromSnapshot(file->engine, limits, file->rules_version, index_secret);
  if (!engine.ok()) return engine;
  if ((*engine)->last_sequence() != file->sequence) {
    return absl::DataLossError("its engine is of another sequence");
  }
  if (read_follower == nullptr) return engine;
  if (file->follower.empty()) {
    return absl::FailedPreconditionError("it holds nothing for the gateway");
  }
  const absl::Status read = read_follower(file->follower);
  if (!read.ok()) return read;
  return engine;
}

}  // namespace

absl::StatusOr<LoadedState> LoadNewestSnapshot(
    FileSystem& files, const std::string& journal_directory, const EngineLimits& limits,
    uint64_t index_secret,
    const std::function<absl::Status(std::span<const std::byte>)>& read_follower) {
  const absl::StatusOr<std::vector<uint64_t>> sequences =
      journal::ListSnapshots(files, journal_directory);
  if (!sequences.ok()) return sequences.status();
  LoadedState loaded;
  for (size_t i = sequences->size(); i > 0; --i) {
    const uint64_t sequence = (*sequences)[i - 1];
    absl::StatusOr<std::unique_ptr<Engine>> engine =
        LoadSnapshot(files, journal_directory, sequence, limits, index_secret, read_follower);
    if (engine.ok()) {
      loaded.engine = *std::move(engine);
      loaded.sequence = Sequence(sequence);
      return loaded;
    }
    // Where it could not even be read, it may be good.
    if (absl::IsDataLoss(engine.status()) || absl::IsFailedPrecondition(engine.status())) {
      loaded.unusable.push_back(sequence);
    }
    absl::StrAppend(&loaded.note, loaded.note.empty() ? "" : "; ", "the snapshot of sequence ",
                    sequence, " cannot be used: ", engine.status().message());
  }
  loaded.engine = std::make_unique<Engine>(limits, index_secret);
  return loaded;
}

Snapshotter::Snapshotter(FileSystem& files, std::string journal_directory,
                         const EngineLimits& limits, SnapshotOptions options)
    : files_(files),
      directory_(std::move(journal_directory)),
      limits_(limits),
      options_(std::move(options)),
      account_indexer_(files, directory_) {
  WARPBOOK_CHECK(options_.kept >= 2);
}

absl::StatusOr<Sequence> Snapshotter::NewestSnapshot() const {
  const absl::StatusOr<std::vector<uint64_t>> sequences =
      journal::ListSnapshots(files_, directory_);
  if (!sequences.ok()) return sequences.status();
  return sequences->empty() ? Sequence() : Sequence(sequences->back());
}

absl::StatusOr<Snapshotter::Sealed> Snapshotter::FindSealed(Sequence snapshot) const {
  const absl::StatusOr<std::vector<uint64_t>> numbers = journal::ListSegments(files_, directory_);
  if (!numbers.ok()) return numbers.status();
  Sealed sealed;
  bool is_last = true;
  // From the newest on, which is the one that is being written: that it begins proves that all
  // before it is durable.
  for (size_t i = numbers->size(); i > 0; --i) {
    const absl::StatusOr<std::unique_ptr<journal::SegmentReader>> segment =
        journal::SegmentReader::Open(files_, directory_, (*numbers)[i - 1]);
    if (!segment.ok()) return segment.status();
    const uint64_t first_sequence = (*segment)->header().first_sequence;
    if (is_last) {
      sealed.sequence = Sequence(first_sequence - 1);
    } else {
      const absl::StatusOr<uint64_t> size = (*segment)->Size();
      if (!size.ok()) return size.status();
      sealed.bytes += *size;
    }
    is_last = false;
    if (first_sequence <= snapshot.value() + 1) break;
  }
  return sealed;
}

absl::StatusOr<std::optional<Sequence>> Snapshotter::MakeIfDue(const std::atomic<bool>& stop) {
  const absl::StatusOr<Sequence> newest = NewestSnapshot();
  if (!newest.ok()) return newest.status();
  const absl::StatusOr<Sealed> sealed = FindSealed(*newest);
  if (!sealed.ok()) return sealed.status();
  if (sealed->sequence <= *newest || sealed->bytes < options_.bytes_between) {
    // After a failure not before the next snapshot: each try reads a segment.
    if (!indexing_failed_) IndexAccounts(stop);
    return std::nullopt;
  }
  const absl::Status made = Make(sealed->sequence, &stop);
  if (!made.ok()) return made;
  return sealed->sequence;
}

absl::StatusOr<std::optional<Sequence>> Snapshotter::MakeLast(const std::atomic<bool>* stop) {
  const absl::StatusOr<Sequence> newest = NewestSnapshot();
  if (!newest.ok()) return newest.status();
  const absl::StatusOr<std::unique_ptr<journal::Watermark>> watermark =
      journal::Watermark::Open(files_, directory_);
  if (!watermark.ok()) return watermark.status();
  const Sequence durable((*watermark)->Load());
  if (durable <= *newest) return std::nullopt;
  const absl::Status made = Make(durable, stop);
  if (!made.ok()) return made;
  return durable;
}

absl::Status Snapshotter::Make(Sequence up_to, const std::atomic<bool>* stop) {
  std::unique_ptr<Follower> follower;
  std::function<absl::Status(std::span<const std::byte>)> read_follower;
  if (options_.make_follower != nullptr) {
    follower = options_.make_follower();
    read_follower = [&follower](std::span<const std::byte> bytes) { return follower->Read(bytes); };
  }
  absl::StatusOr<LoadedState> loaded =
      LoadNewestSnapshot(files_, directory_, limits_, 0, read_follower);
  if (!loaded.ok()) return loaded.status();
  Engine& engine = *loaded->engine;
  Replayer replayer(engine, Replayer::Progress::kNone);
  const absl::StatusOr<std::unique_ptr<journal::TailReader>> reader =
      journal::TailReader::Open(files_, directory_, engine.last_sequence().value() + 1);
  if (!reader.ok()) return reader.status();
  while (engine.last_sequence() < up_to) {
    if (stop != nullptr && stop->load()) return absl::CancelledError("it was stopped");
    const absl::StatusOr<std::optional<journal::BatchView>> batch = (*reader)->Next();
    if (!batch.ok()) return batch.status();
    if (!batch->has_value()) {
      return absl::DataLossError(absl::StrCat(directory_, " ends at sequence ",
                                              engine.last_sequence().value(), ", before ",
                                              up_to.value()));
    }
    absl::Status status = replayer.Replay(**batch);
    if (status.ok() && follower != nullptr) {
      status = follower->Apply({(*batch)->first_sequence,
                                (*batch)->command_count,
                                {(*batch)->records.begin(), (*batch)->records.end()}});
    }
    if (!status.ok()) return status;
  }
  absl::Status status =
      WriteSnapshotFile(files_, directory_, engine, follower.get(), kRulesVersion, {stop});
  if (status.ok()) status = SetAside(loaded->unusable);
  if (status.ok()) status = DropOldSnapshots();
  // Before they go to the archive, where none are made. At a stop nobody waits for that.
  if (status.ok() && stop != nullptr) IndexAccounts(*stop);
  if (status.ok()) status = Archive(engine.last_time());
  return status;
}

void Snapshotter::IndexAccounts(const std::atomic<bool>& stop) {
  const absl::Status made = account_indexer_.MakeMissing(stop);
  if (absl::IsCancelled(made)) return;
  if (!made.ok() && !indexing_failed_) {
    Log(LogLevel::kWarning, "account_indexes_failed",
        JsonObject().Text("detail", std::string(made.message())));
  }
  indexing_failed_ = !made.ok();
}

absl::Status Snapshotter::SetAside(const std::vector<uint64_t>& unusable) const {
  for (const uint64_t sequence : unusable) {
    const std::string path = journal::SnapshotPath(directory_, sequence);
    const absl::Status renamed = files_.Rename(path, absl::StrCat(path, ".unusable"));
    if (!renamed.ok()) return renamed;
  }
  return absl::OkStatus();
}

absl::Status Snapshotter::DropOldSnapshots() const {
  const absl::StatusOr<std::vector<uint64_t>> sequences =
      journal::ListSnapshots(files_, directory_);
  if (!sequences.ok()) return sequences.status();
  for (size_t i = 0; i + options_.kept < sequences->size(); ++i) {
    const absl::Status removed = files_.Remove(journal::SnapshotPath(directory_, (*sequences)[i]));
    if (!removed.ok()) return removed;
  }
  return files_.SyncDirectory(journal::SnapshotsDirectory(directory_));
}

absl::Status Snapshotter::Archive(Timestamp now) const {
  const absl::StatusOr<std::vector<uint64_t>> sequences =
      journal::ListSnapshots(files_, directory_);
  if (!sequences.ok()) return sequences.status();
  const absl::StatusOr<std::vector<journal::Cursor>> cursors =
      journal::ReadCursors(files_, directory_);
  if (!cursors.ok()) return cursors.status();
  uint64_t known_everywhere = sequences->front();
  for (const journal::Cursor& cursor : *cursors) {
    known_everywhere = std::min(known_everywhere, cursor.sequence);
  }
  return journal::ArchiveSegments(files_, directory_,
                                  {.from_sequence = known_everywhere + 1,
                                   .from_time = now.PlusMicros(-options_.resume_horizon_micros)})
      .status();
}

SnapshotThread::SnapshotThread(std::unique_ptr<Snapshotter> snapshotter, EngineMetrics* metrics)
    : snapshotter_(std::move(snapshotter)), metrics_(metrics), thread_([this] { Run(); }) {}

void SnapshotThread::Stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void SnapshotThread::MakeLast() {
  const auto made = snapshotter_->MakeLast();
  if (!made.ok()) Tell(made.status());
}

void SnapshotThread::Run() {
  // Linux gives each thread a niceness of its own; 0 is the caller.
  setpriority(PRIO_PROCESS, 0, kSnapshotNice);
  std::unique_lock lock(mutex_);
  // At once for the first time: what is behind the last snapshot was long to replay.
  std::chrono::seconds wait(0);
  while (!changed_.wait_for(lock, wait, [this] { return stopping_.load(); })) {
    lock.unlock();
    const auto made = snapshotter_->MakeIfDue(stopping_);
    lock.lock();
    wait = made.ok() ? kLookInterval : kRetryInterval;
    const bool failed = !made.ok() && !absl::IsCancelled(made.status());
    if (failed) Tell(made.status());
    if (metrics_ == nullptr) continue;
    if (failed) metrics_->OnSnapshotFailed();
    if (made.ok() && made->has_value()) metrics_->OnSnapshot(**made);
  }
}

}  // namespace warpbook::engine
