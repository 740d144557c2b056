#include "tests/simulation/snapshot_maker.h"

#include <algorithm>
#include <utility>

#include "schema/journal/archive.h"
#include "schema/journal/cursors.h"
#include "schema/journal/segment_reader.h"
#include "schema/journal/snapshot_names.h"
#include "tests/simulation/violation.h"

namespace warpbook::simulation {
namespace {

// Segments that are in the archive.
std::vector<uint64_t> ListArchive(FileSystem& files) {
  absl::StatusOr<std::vector<uint64_t>> numbers =
      journal::ListSegments(files, journal::ArchiveDirectory(kJournalDirectory));
  if (absl::IsNotFound(numbers.status())) return {};
  Require(numbers.ok(), numbers.status().ToString());
  return *std::move(numbers);
}

uint64_t FirstSequenceOf(FileSystem& files, uint64_t segment) {
  const absl::StatusOr<std::unique_ptr<journal::SegmentReader>> reader =
      journal::SegmentReader::Open(files, kJournalDirectory, segment);
  Require(reader.ok(), reader.status().ToString());
  return (*reader)->header().first_sequence;
}

}  // namespace

SnapshotMaker::SnapshotMaker(Machine& machine, const Model& model,
                             const engine::EngineService::Options& options)
    : machine_(machine), model_(model), options_(options) {}

void SnapshotMaker::Start() { Begin(false); }

void SnapshotMaker::StartLast() { Begin(true); }

void SnapshotMaker::Begin(bool last) {
  stop_ = false;
  process_ = std::make_unique<Process>(machine_, [this, last] { Main(last); });
}

void SnapshotMaker::Run() {
  process_->Run();
  if (process_->ended()) process_.reset();
  CheckNames();
  CheckArchive();
}

void SnapshotMaker::Main(bool last) {
  engine::Snapshotter snapshotter(process_->files(), kJournalDirectory, options_.limits,
                                  *options_.snapshots);
  const absl::StatusOr<std::optional<Sequence>> made =
      last ? snapshotter.MakeLast() : snapshotter.MakeIfDue(stop_);
  if (!made.ok()) {
    Require(process_->met_fault() || (stop_ && absl::IsCancelled(made.status())),
            "no snapshot could be made: ", made.status().ToString());
    return;
  }
  if (made->has_value()) CheckMade((*made)->value(), last);
}

void SnapshotMaker::CheckMade(uint64_t sequence, bool last) {
  ++made_;
  const std::string path = journal::SnapshotPath(kJournalDirectory, sequence);
  Require(machine_.disk().exists(path) && machine_.disk().IsSynced(path), path,
          " is said to be made, but is not synced");
  if (last) {
    Require(sequence == model_.durable_sequence(), "the last snapshot is of sequence ", sequence,
            ", but ", model_.durable_sequence(), " was durable");
    return;
  }
  const absl::StatusOr<std::vector<uint64_t>> segments =
      journal::ListAllSegments(machine_.disk(), kJournalDirectory);
  Require(segments.ok(), segments.status().ToString());
  Require(std::ranges::any_of(*segments,
                              [&](uint64_t segment) {
                                return FirstSequenceOf(machine_.disk(), segment) == sequence + 1;
                              }),
          "the snapshot of sequence ", sequence, " does not end with a sealed segment");
}

std::vector<uint64_t> SnapshotMaker::List() const {
  absl::StatusOr<std::vector<uint64_t>> sequences =
      journal::ListSnapshots(machine_.disk(), kJournalDirectory);
  Require(sequences.ok(), sequences.status().ToString());
  return *std::move(sequences);
}

uint64_t SnapshotMaker::CountSetAside() const {
  const auto names = machine_.disk().List(journal::SnapshotsDirectory(kJournalDirectory));
  if (!names.ok()) return 0;
  const auto is_set_aside = [](const std::string& name) { return name.ends_with(".unusable"); };
  return static_cast<uint64_t>(std::ranges::count_if(*names, is_set_aside));
}

void SnapshotMaker::CheckNames() const {
  const std::vector<uint64_t> sequences = List();
  Require(sequences.empty() || sequences.back() <= model_.durable_sequence(),
          "there is a snapshot of sequence ", sequences.empty() ? 0 : sequences.back(), ", but ",
          model_.durable_sequence(), " is the last durable one");
  const uint64_t whole = made_ - std::min(made_, CountSetAside());
  const uint64_t kept = std::min<uint64_t>(whole, options_.snapshots->kept);
  Require(sequences.size() >= kept, "of ", made_, " snapshots ", sequences.size(), " are left");
}

void SnapshotMaker::CheckArchive() {
  const std::vector<uint64_t> archived = ListArchive(machine_.disk());
  const std::vector<uint64_t> before = std::exchange(archived_, archived);
  // A loss of power may bring one back.
  if (archived.empty() || (!before.empty() && before.back() >= archived.back())) return;
  const uint64_t last_sequence = FirstSequenceOf(machine_.disk(), archived.back() + 1) - 1;
  if (last_sequence == 0) return;  // they hold none
  const std::vector<uint64_t> snapshots = List();
  Require(!snapshots.empty() && last_sequence <= snapshots.front(), "sequence ", last_sequence,
          " is archived, but not in the oldest snapshot");
  const absl::StatusOr<std::vector<journal::Cursor>> cursors =
      journal::ReadCursors(machine_.disk(), kJournalDirectory);
  Require(cursors.ok(), cursors.status().ToString());
  for (const journal::Cursor& cursor : *cursors) {
    Require(last_sequence <= cursor.sequence, "sequence ", last_sequence,
            " is archived, but the cursor of ", cursor.name, " is at sequence ", cursor.sequence);
  }
  const int64_t age = model_.TimeAt(snapshots.back()) - model_.TimeAt(last_sequence);
  Require(age >= options_.snapshots->resume_horizon_micros, "sequence ", last_sequence,
          " is archived, but sessions may resume from it");
}

bool SnapshotMaker::DamageOne() {
  const std::vector<uint64_t> snapshots = List();
  const uint64_t* const sequence = machine_.random().Pick(snapshots);
  if (sequence == nullptr || !damaged_.insert(*sequence).second) return false;
  std::vector<std::byte>& content =
      machine_.disk().content(journal::SnapshotPath(kJournalDirectory, *sequence));
  content[machine_.random().Below(content.size())] ^=
      static_cast<std::byte>(1 << machine_.random().Below(8));
  return true;
}

void SnapshotMaker::RemoveDamaged() {
  const std::vector<uint64_t> snapshots = List();
  for (const uint64_t sequence : damaged_) {
    if (!std::ranges::binary_search(snapshots, sequence)) continue;
    const absl::Status removed =
        machine_.disk().Remove(journal::SnapshotPath(kJournalDirectory, sequence));
    Require(removed.ok(), removed.ToString());
  }
  damaged_.clear();
}

void SnapshotMaker::CheckAfterPowerLoss() {
  // It was the page cache that lost a bit.
  damaged_.clear();
  if (!options_.snapshots) return;
  CheckNames();
  CheckArchive();
}

void SnapshotMaker::CheckStart(uint64_t sequence) const {
  uint64_t newest = 0;
  if (options_.snapshots) {
    for (const uint64_t there : List()) {
      if (!damaged_.contains(there)) newest = there;
    }
  }
  Require(sequence == newest, "an engine starts at the snapshot of sequence ", sequence, ", but ",
          newest, " is the newest one that is whole");
}

}  // namespace warpbook::simulation
