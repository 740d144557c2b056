// Snapshots: made beside the running engine and at its stop, started from, damaged, of other rules
// and limits, and the archive that follows from them.
#include "engine/service/snapshotter.h"

#include <doctest/doctest.h>

#include <chrono>
#include <cstring>
#include <set>
#include <thread>

#include "absl/strings/str_cat.h"
#include "engine/service/engine_service.h"
#include "engine/service/journal_verify.h"
#include "engine/service/snapshot_file.h"
#include "schema/journal/account_index.h"
#include "schema/journal/archive.h"
#include "schema/journal/cursors.h"
#include "schema/journal/segment_reader.h"
#include "schema/journal/snapshot_names.h"
#include "schema/journal/tail_reader.h"
#include "schema/journal/writer.h"
#include "tests/engine/service/service_fixture.h"
#include "tests/support/faulty_file_system.h"
#include "tests/support/memory_file_system.h"

namespace warpbook::engine::test {
namespace {

using warpbook::test::FaultyFileSystem;
using warpbook::test::FileFault;
using warpbook::test::FileOperation;
using warpbook::test::MemoryFileSystem;

constexpr char kJournal[] = "journal";
constexpr uint64_t kSegmentSize = 64 * journal::kPageSize;

// Counts the bytes of all records, and adds them up.
class SumFollower final : public Follower {
 public:
  absl::Status Apply(const DurableBatch& batch) override {
    for (const std::byte byte : batch.records) sum_ = sum_ * 31 + static_cast<uint8_t>(byte);
    commands_ += batch.command_count;
    return absl::OkStatus();
  }
  void Write(absl::FunctionRef<void(std::span<const std::byte>)> sink) const override {
    sink(std::as_bytes(std::span(&sum_, 1)));
    sink(std::as_bytes(std::span(&commands_, 1)));
  }
  absl::Status Read(std::span<const std::byte> bytes) override {
    if (bytes.size() != sizeof sum_ + sizeof commands_) return absl::DataLossError("its length");
    std::memcpy(&sum_, bytes.data(), sizeof sum_);
    std::memcpy(&commands_, bytes.data() + sizeof sum_, sizeof commands_);
    return absl::OkStatus();
  }
  uint64_t sum() const { return sum_; }
  uint64_t commands() const { return commands_; }

 private:
  uint64_t sum_ = 0;
  uint64_t commands_ = 0;
};

SnapshotOptions Snapshots(uint64_t bytes_between = kSegmentSize) {
  SnapshotOptions options;
  options.bytes_between = bytes_between;
  options.make_follower = [] { return std::make_unique<SumFollower>(); };
  return options;
}

EngineService::Options WithSnapshots(FileSystem& files, const SnapshotOptions& snapshots) {
  EngineService::Options options = TestOptions(kJournal, &files);
  options.segment_size = kSegmentSize;
  options.snapshots = snapshots;
  return options;
}

struct Started {
  std::unique_ptr<EngineService> service;
  SumFollower follower;
  uint64_t replayed = 0;  // commands
};
Started Start(EngineService::Options options) {
  Started started;
  absl::StatusOr<std::unique_ptr<EngineService>> service = EngineService::Recover(
      std::move(options),
      [&](const DurableBatch& batch) {
        started.replayed += batch.command_count;
        return started.follower.Apply(batch);
      },
      [&](std::span<const std::byte> bytes) { return started.follower.Read(bytes); });
  REQUIRE_MESSAGE(service.ok(), service.status().ToString());
  started.service = *std::move(service);
  return started;
}

void OpenAccounts(EngineService& service, uint64_t first_tag, uint64_t count) {
  PortUser user(service.CreatePort());
  REQUIRE(service.Start().ok());
  for (uint64_t tag = first_tag; tag < first_tag + count; ++tag) {
    user.Submit({OpenAccountCommand(tag)});
  }
  CHECK(user.PollUntil([&] { return user.reply_count() >= count; }));
}

// A life of the service: so many accounts, then a clean stop. Its last state hash.
uint64_t Live(EngineService::Options options, uint64_t first_tag, uint64_t count) {
  const Started started = Start(std::move(options));
  OpenAccounts(*started.service, first_tag, count);
  REQUIRE(started.service->Stop().ok());
  return started.service->engine().StateHash();
}

std::vector<uint64_t> SnapshotsOf(FileSystem& files) {
  return *journal::ListSnapshots(files, kJournal);
}

// What a start without snapshots finds: the whole journal, replayed and compared.
Started StartByReplay(FileSystem& files) { return Start(TestOptions(kJournal, &files)); }

TEST_CASE("A clean stop leaves a snapshot, and the next start replays nothing") {
  MemoryFileSystem files;
  const uint64_t hash = Live(WithSnapshots(files, Snapshots()), 1, 300);
  const Started started = Start(WithSnapshots(files, Snapshots()));
  const EngineService::RecoverySummary& recovery = started.service->recovery();
  CHECK(started.replayed == 0);
  CHECK(recovery.snapshot_sequence == recovery.last_sequence);
  CHECK(recovery.snapshot_note.empty());
  CHECK(started.service->engine().StateHash() == hash);

  const auto copy = files.Synced();
  const Started whole = StartByReplay(*copy);
  CHECK(whole.replayed == recovery.last_sequence.value());
  CHECK(whole.service->engine().StateHash() == hash);
  CHECK(whole.service->recovery().last_time == recovery.last_time);
  CHECK(whole.follower.sum() == started.follower.sum());
  CHECK(whole.follower.commands() == started.follower.commands());
}

TEST_CASE("Windows are known after a start from a snapshot: none is opened twice") {
  MemoryFileSystem files;
  Live(WithSnapshots(files, Snapshots()), 1, 10);
  Live(WithSnapshots(files, Snapshots()), 100, 10);
  std::vector<std::byte> records;
  const auto service =
      EngineService::Recover(TestOptions(kJournal, &files), [&](const DurableBatch& batch) {
        records.insert(records.end(), batch.records.begin(), batch.records.end());
        return absl::OkStatus();
      });
  REQUIRE(service.ok());
  CHECK(RecordsOf<wire::InstrumentOpened>(records).size() >= 4);
  CHECK(RecordsOf<wire::CommandRejected>(records).empty());
}

TEST_CASE("Snapshots are made beside the running engine; two are kept and the rest is archived") {
  MemoryFileSystem files;
  SnapshotOptions snapshots = Snapshots();
  snapshots.resume_horizon_micros = 0;
  {
    const Started started = Start(WithSnapshots(files, snapshots));
    PortUser user(started.service->CreatePort());
    REQUIRE(started.service->Start().ok());
    uint64_t tag = 0;
    std::set<uint64_t> seen;
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::minutes(2);
    while (seen.size() < 3 && std::chrono::steady_clock::now() < deadline) {
      for (int i = 0; i < 50; ++i) user.Submit({OpenAccountCommand(++tag)});
      user.Poll();
      for (const uint64_t sequence : SnapshotsOf(files)) seen.insert(sequence);
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    CHECK(seen.size() >= 3);
    REQUIRE(started.service->Stop().ok());
  }
  CHECK(SnapshotsOf(files).size() == 2);
  const std::vector<uint64_t> archived =
      *journal::ListSegments(files, journal::ArchiveDirectory(kJournal));
  CHECK_FALSE(archived.empty());
  // But for what the stop itself archived, with indexes of their accounts.
  CHECK(files.exists(journal::AccountIndexPath(kJournal, archived.front())));
  const Started started = Start(WithSnapshots(files, snapshots));
  const auto copy = files.Synced();
  const Started whole = StartByReplay(*copy);
  CHECK(started.service->engine().StateHash() == whole.service->engine().StateHash());
  CHECK(started.follower.sum() == whole.follower.sum());
  CHECK(VerifyJournal(files, kJournal).ok());
}

TEST_CASE("What settlement has not read yet is not archived") {
  MemoryFileSystem files;
  SnapshotOptions snapshots = Snapshots();
  snapshots.resume_horizon_micros = 0;
  const std::string archive = journal::ArchiveDirectory(kJournal);
  Live(WithSnapshots(files, snapshots), 1, 10);
  REQUIRE(journal::WriteCursor(files, kJournal, "settlement", 1).ok());
  Live(WithSnapshots(files, snapshots), 100, 500);
  Live(WithSnapshots(files, snapshots), 1'000, 500);
  CHECK(absl::IsNotFound(files.List(archive).status()));
  const uint64_t newest = SnapshotsOf(files).back();
  REQUIRE(journal::WriteCursor(files, kJournal, "settlement", newest).ok());
  Live(WithSnapshots(files, snapshots), 2'000, 10);
  CHECK_FALSE(journal::ListSegments(files, archive)->empty());
}

// A journal with two snapshots, of a first and a second life, and commands behind them.
struct TwoSnapshots {
  MemoryFileSystem files;
  uint64_t older = 0, newer = 0;
  uint64_t hash = 0;

  TwoSnapshots() {
    Live(WithSnapshots(files, Snapshots()), 1, 20);
    Live(WithSnapshots(files, Snapshots()), 100, 20);
    const auto snapshots = SnapshotsOf(files);
    REQUIRE(snapshots.size() == 2);
    older = snapshots[0];
    newer = snapshots[1];
    hash = Live(TestOptions(kJournal, &files), 200, 20);  // makes none
  }
};

TEST_CASE("What is behind the oldest snapshot that is kept is not archived") {
  TwoSnapshots made;
  Live(TestOptions(kJournal, &made.files), 300, 20);  // two lives behind it: segments of their own
  SnapshotOptions snapshots = Snapshots(0);
  snapshots.resume_horizon_micros = 0;
  REQUIRE(Snapshotter(made.files, kJournal, {}, snapshots).MakeLast().ok());
  REQUIRE(SnapshotsOf(made.files).front() == made.newer);
  const auto first = journal::ListSegments(made.files, kJournal)->front();
  CHECK(first > 1);
  const auto segment = journal::SegmentReader::Open(made.files, kJournal, first);
  REQUIRE(segment.ok());
  CHECK((*segment)->header().first_sequence == made.newer + 1);
}

TEST_CASE("A damaged snapshot is passed over, with the reason, and nothing else changes") {
  const TwoSnapshots made;
  const std::string path = journal::SnapshotPath(kJournal, made.newer);
  const auto size = [&] { return made.files.Synced()->content(path).size(); }();
  // Each byte loses a bit; a file may also be cut anywhere, or longer.
  for (size_t at = 0; at < size; at += 1 + at / 512 * 7) {
    const auto files = made.files.Synced();
    files->content(path)[at] ^= static_cast<std::byte>(1 << at % 8);
    const Started started = Start(WithSnapshots(*files, Snapshots()));
    REQUIRE_MESSAGE(started.service->recovery().snapshot_sequence == Sequence(made.older), "byte ",
                    at);
    REQUIRE(started.service->recovery().snapshot_note.find(absl::StrCat(made.newer)) !=
            std::string::npos);
    REQUIRE(started.service->engine().StateHash() == made.hash);
  }
  for (const size_t length : {size_t{0}, size_t{100}, size_t{4'096}, size_t{9'000}, size - 1}) {
    const auto files = made.files.Synced();
    files->content(path).resize(length);
    CHECK(Start(WithSnapshots(*files, Snapshots())).service->engine().StateHash() == made.hash);
  }
}

TEST_CASE("Without a snapshot that can be used the whole journal is replayed, archive included") {
  const TwoSnapshots made;
  const auto files = made.files.Synced();
  REQUIRE(journal::ArchiveSegments(
              *files, kJournal,
              {.from_sequence = made.older + 1, .from_time = Timestamp(int64_t{1} << 55)})
              .value() > 0);
  for (const uint64_t sequence : {made.older, made.newer}) {
    files->content(journal::SnapshotPath(kJournal, sequence))[5'000] ^= std::byte{1};
  }
  const Started started = Start(WithSnapshots(*files, Snapshots()));
  CHECK(started.service->recovery().snapshot_sequence == Sequence());
  CHECK(started.replayed == started.service->recovery().last_sequence.value());
  CHECK(started.service->engine().StateHash() == made.hash);
}

TEST_CASE("A follower that refuses what was written for it makes the snapshot unusable") {
  const TwoSnapshots made;
  MemoryFileSystem& files = const_cast<MemoryFileSystem&>(made.files);
  uint64_t replayed = 0;
  const auto service = EngineService::Recover(
      WithSnapshots(files, Snapshots()),
      [&](const DurableBatch& batch) {
        replayed += batch.command_count;
        return absl::OkStatus();
      },
      [](std::span<const std::byte>) {
        return absl::FailedPreconditionError("of another format");
      });
  REQUIRE(service.ok());
  CHECK((*service)->recovery().snapshot_sequence == Sequence());
  CHECK((*service)->recovery().snapshot_note.find("of another format") != std::string::npos);
  CHECK(replayed == (*service)->recovery().last_sequence.value());
}

TEST_CASE("Snapshots of other limits are not used, and the refusal says so") {
  const TwoSnapshots made;
  const auto files = made.files.Synced();
  EngineService::Options options = WithSnapshots(*files, Snapshots());
  options.limits.keys_per_account_max = 17;
  const absl::Status refused = EngineService::Recover(std::move(options), nullptr).status();
  // The limits are part of the state, and so of the journal's checkpoints.
  CHECK(absl::IsDataLoss(refused));
  CHECK_MESSAGE(refused.message().find("keys_per_account_max") != absl::string_view::npos,
                refused.ToString());
}

// Takes a journal over into one whose segments name other rules.
void CopyWithRules(MemoryFileSystem& from, MemoryFileSystem& to, uint32_t rules_version) {
  absl::StatusOr<journal::RecoveredJournal> recovered = journal::RecoverJournal(
      to, kJournal, rules_version, [](const journal::BatchView&) { return absl::OkStatus(); });
  REQUIRE(recovered.ok());
  auto writer = journal::Writer::Open(to, *std::move(recovered),
                                      {.segment_size = kSegmentSize,
                                       .rules_version = rules_version,
                                       .make_segments_in_background = false});
  REQUIRE(writer.ok());
  const auto reader = journal::TailReader::Open(from, kJournal, 1);
  while (true) {
    const auto batch = (*reader)->Next();
    REQUIRE(batch.ok());
    if (!batch->has_value()) return;
    const journal::BatchView& view = **batch;
    REQUIRE((*writer)->Append({view.command_count, view.event_count, view.records}).ok());
  }
}

TEST_CASE("New rules start from a snapshot that the old ones left at their end, and only so") {
  MemoryFileSystem source;
  const uint64_t hash = Live(TestOptions(kJournal, &source), 1, 30);
  MemoryFileSystem files;
  CopyWithRules(source, files, kRulesVersion - 1);
  // By replay it cannot be.
  CHECK(absl::IsDataLoss(
      EngineService::Recover(WithSnapshots(files, Snapshots()), nullptr).status()));
  const Started old = StartByReplay(source);
  REQUIRE(
      WriteSnapshotFile(files, kJournal, old.service->engine(), &old.follower, kRulesVersion - 1)
          .ok());
  {
    const Started started = Start(WithSnapshots(files, Snapshots()));
    CHECK(started.service->engine().StateHash() == hash);
    OpenAccounts(*started.service, 100, 10);
    REQUIRE(started.service->Stop().ok());
  }
  // And on, from that snapshot too, where a crash left no later one.
  REQUIRE(files.Remove(journal::SnapshotPath(kJournal, SnapshotsOf(files).back())).ok());
  const Started again = Start(WithSnapshots(files, Snapshots()));
  CHECK(again.replayed > 0);
  CHECK(again.service->engine().last_sequence() > old.service->engine().last_sequence());
}

TEST_CASE("A snapshot that cannot be written stops nothing and leaves nothing") {
  MemoryFileSystem memory;
  bool fails = true;
  FaultyFileSystem files(memory, [&](const FileOperation& operation) {
    const bool of_snapshot = operation.path.find(".snapshot") != std::string::npos &&
                             operation.kind == FileOperation::Kind::kWrite;
    return FileFault{.status = of_snapshot && fails ? absl::ResourceExhaustedError("ENOSPC")
                                                    : absl::OkStatus()};
  });
  const uint64_t hash = Live(WithSnapshots(files, Snapshots()), 1, 500);
  CHECK(SnapshotsOf(files).empty());
  CHECK(files.List(journal::SnapshotsDirectory(kJournal))->empty());
  fails = false;
  const Started started = Start(WithSnapshots(files, Snapshots()));
  CHECK(started.service->engine().StateHash() == hash);
}

// A journal of several segments without snapshots.
std::unique_ptr<MemoryFileSystem> SeveralSegments() {
  auto files = std::make_unique<MemoryFileSystem>();
  EngineService::Options options = TestOptions(kJournal, files.get());
  options.segment_size = kSegmentSize;
  Live(std::move(options), 1, 3'000);
  REQUIRE(journal::ListSegments(*files, kJournal)->size() > 2);
  return files;
}

TEST_CASE(
    "Account indexes are made with a snapshot before segments are archived, and without one") {
  const std::atomic<bool> stop = false;
  const auto files = SeveralSegments();
  const uint64_t last = journal::ListSegments(*files, kJournal)->back();
  SnapshotOptions snapshots = Snapshots(1);
  snapshots.resume_horizon_micros = 0;
  for (const uint64_t bytes_between : {uint64_t{1}, uint64_t{1} << 40}) {
    const auto copy = files->Synced();
    snapshots.bytes_between = bytes_between;
    const auto made = Snapshotter(*copy, kJournal, {}, snapshots).MakeIfDue(stop);
    REQUIRE_MESSAGE(made.ok(), made.status().ToString());
    CHECK(made->has_value() == (bytes_between == 1));
    const auto archived = journal::ListSegments(*copy, journal::ArchiveDirectory(kJournal));
    CHECK(archived.ok() == (bytes_between == 1));
    for (uint64_t number = 1; number < last; ++number) {
      CHECK(copy->exists(journal::AccountIndexPath(kJournal, number)));
    }
  }
}

TEST_CASE("Account indexes that cannot be made keep no snapshot from being made") {
  const std::atomic<bool> stop = false;
  const auto memory = SeveralSegments();
  bool fails = true;
  int tries = 0;
  FaultyFileSystem files(*memory, [&](const FileOperation& operation) {
    const bool of_index = operation.path.find(".accounts") != std::string::npos;
    if (of_index && operation.kind == FileOperation::Kind::kCreate) ++tries;
    return FileFault{.status = of_index && fails ? absl::ResourceExhaustedError("ENOSPC")
                                                 : absl::OkStatus()};
  });
  SnapshotOptions snapshots = Snapshots(1);
  snapshots.resume_horizon_micros = 0;
  Snapshotter snapshotter(files, kJournal, {}, snapshots);
  REQUIRE(snapshotter.MakeIfDue(stop).ok());
  CHECK(SnapshotsOf(files).size() == 1);
  CHECK_FALSE(journal::ListSegments(files, journal::ArchiveDirectory(kJournal))->empty());
  CHECK(tries == 1);
  // Not again each time that it looks whether a snapshot is due.
  for (int i = 0; i < 3; ++i) CHECK(*snapshotter.MakeIfDue(stop) == std::nullopt);
  CHECK(tries == 1);
  // With the next one.
  fails = false;
  EngineService::Options options = TestOptions(kJournal, memory.get());
  options.segment_size = kSegmentSize;
  Live(std::move(options), 10'000, 3'000);
  REQUIRE(snapshotter.MakeIfDue(stop)->has_value());
  CHECK(tries > 1);
  const uint64_t last = journal::ListSegments(files, kJournal)->back();
  CHECK(memory->exists(journal::AccountIndexPath(kJournal, last - 1)));
}

TEST_CASE("A crash at any operation of making a snapshot leaves a journal that starts") {
  MemoryFileSystem made;
  Live(WithSnapshots(made, Snapshots()), 1, 40);
  const uint64_t hash = Live(TestOptions(kJournal, &made), 100, 600);
  for (int failing = 0;; ++failing) {
    const auto files = made.Synced();
    int operations = 0;
    FaultyFileSystem faulty(*files, [&](const FileOperation&) {
      const bool fails = operations++ >= failing;
      return FileFault{.status = fails ? absl::UnknownError("power") : absl::OkStatus()};
    });
    SnapshotOptions snapshots = Snapshots(0);
    snapshots.resume_horizon_micros = 0;
    const bool finished = Snapshotter(faulty, kJournal, {}, snapshots).MakeLast().ok();
    for (unsigned variant = 0; variant < 4; ++variant) {
      unsigned at = 0;
      const auto after =
          files->AfterCrash([&] { return variant < 2 ? variant == 1 : ++at % 3 == variant % 2; });
      const Started started = Start(WithSnapshots(*after, snapshots));
      CHECK(started.service->engine().StateHash() == hash);
      CHECK(started.service->recovery().snapshot_note.empty());  // a name means a whole file
      CHECK(started.service->recovery().snapshot_sequence != Sequence());
    }
    if (finished) {
      CHECK(failing > 5);
      break;
    }
  }
}

TEST_CASE("A crash while old snapshots are dropped leaves as many as are kept") {
  const TwoSnapshots made;
  for (int failing = 0;; ++failing) {
    const auto files = made.files.Synced();
    int operations = 0;
    FaultyFileSystem faulty(*files, [&](const FileOperation&) {
      const bool fails = operations++ >= failing;
      return FileFault{.status = fails ? absl::UnknownError("power") : absl::OkStatus()};
    });
    const bool finished = Snapshotter(faulty, kJournal, {}, Snapshots(0)).MakeLast().ok();
    // Each change of a name may be on disk or not, on its own.
    for (unsigned subset = 0; subset < 16; ++subset) {
      unsigned at = 0;
      const auto after = files->AfterCrash([&] { return (subset >> at++ % 4 & 1) != 0; });
      CHECK(SnapshotsOf(*after).size() >= 2);
    }
    if (finished) {
      CHECK(failing > 5);
      CHECK(SnapshotsOf(*files).front() == made.newer);
      break;
    }
  }
}

TEST_CASE("A snapshot proves what it replays: other events than the journal's make none") {
  MemoryFileSystem source;
  Live(TestOptions(kJournal, &source), 1, 30);
  SnapshotOptions snapshots = Snapshots(0);
  EngineLimits limits;
  limits.accounts_max = 10;  // others were refused
  const absl::Status made = Snapshotter(source, kJournal, limits, snapshots).MakeLast().status();
  CHECK(absl::IsDataLoss(made));
  CHECK(made.message().find("gives other events") != absl::string_view::npos);
  CHECK(SnapshotsOf(source).empty());
}

TEST_CASE("A snapshot is given up where the service stops") {
  MemoryFileSystem files;
  EngineService::Options options = TestOptions(kJournal, &files);
  options.segment_size = kSegmentSize;
  Live(std::move(options), 1, 3'000);
  REQUIRE(journal::ListSegments(files, kJournal)->size() > 1);
  const std::atomic<bool> stop = true;
  CHECK(absl::IsCancelled(Snapshotter(files, kJournal, {}, Snapshots(1)).MakeIfDue(stop).status()));
  CHECK(SnapshotsOf(files).empty());
}

TEST_CASE("A snapshot that cannot be used does not count among those that are kept") {
  const TwoSnapshots made;
  const auto files = made.files.Synced();
  const std::string path = journal::SnapshotPath(kJournal, made.newer);
  files->content(path)[5'000] ^= std::byte{1};
  REQUIRE(Snapshotter(*files, kJournal, {}, Snapshots()).MakeLast()->has_value());
  const std::vector<uint64_t> kept = SnapshotsOf(*files);
  REQUIRE(kept.size() == 2);
  CHECK(kept[0] == made.older);
  CHECK(kept[1] > made.newer);
  CHECK(files->exists(path + ".unusable"));
}

TEST_CASE("A snapshot that is being written is given up where the service stops") {
  MemoryFileSystem memory;
  Live(TestOptions(kJournal, &memory), 1, 6'000);
  std::atomic<bool> stop = false;
  int syncs = 0;
  FaultyFileSystem files(memory, [&](const FileOperation& operation) {
    const bool of_snapshot = operation.path.find(".snapshot") != std::string::npos;
    if (of_snapshot && operation.kind == FileOperation::Kind::kSyncData) {
      ++syncs;
      stop = true;
    }
    return FileFault{};
  });
  Snapshotter snapshotter(files, kJournal, {}, Snapshots());
  CHECK(absl::IsCancelled(snapshotter.MakeLast(&stop).status()));
  CHECK(syncs == 1);
  CHECK(files.List(journal::SnapshotsDirectory(kJournal))->empty());
  CHECK(snapshotter.MakeLast()->has_value());
}

TEST_CASE("None is made before enough is sealed, and none twice") {
  MemoryFileSystem files;
  EngineService::Options options = TestOptions(kJournal, &files);
  options.segment_size = kSegmentSize;
  Live(std::move(options), 1, 2'000);
  const std::atomic<bool> stop = false;
  Snapshotter patient(files, kJournal, {}, Snapshots(uint64_t{1} << 30));
  CHECK(*patient.MakeIfDue(stop) == std::nullopt);
  Snapshotter eager(files, kJournal, {}, Snapshots(kSegmentSize));
  const auto made = eager.MakeIfDue(stop);
  REQUIRE(made.ok());
  REQUIRE(made->has_value());
  CHECK(SnapshotsOf(files) == std::vector<uint64_t>{(*made)->value()});
  CHECK(*eager.MakeIfDue(stop) == std::nullopt);
  const auto last = eager.MakeLast();
  REQUIRE(last.ok());
  CHECK(last->has_value());
  CHECK(*eager.MakeLast() == std::nullopt);
}

}  // namespace
}  // namespace warpbook::engine::test
