#include <iostream>
#include <limits>
#include <memory>
#include <string>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "engine/service/engine_service.h"
#include "engine/service/journal_verify.h"
#include "engine/service/snapshotter.h"
#include "gateway/cli/commands.h"
#include "gateway/cli/print.h"
#include "gateway/cli/session.h"
#include "schema/base/file.h"
#include "schema/journal/dump.h"
#include "schema/journal/recovery.h"
#include "schema/journal/scan.h"
#include "schema/journal/stat.h"

namespace warpbook::gateway {
namespace {

struct DumpArguments {
  std::string journal;
  int64_t from = 1;
  int64_t to = std::numeric_limits<int64_t>::max();
};

absl::Status Dump(const DumpArguments& arguments) {
  return journal::DumpJournal(PosixFileSystem(), arguments.journal,
                              static_cast<uint64_t>(arguments.from),
                              static_cast<uint64_t>(arguments.to),
                              [](std::string_view line) { std::cout << line << '\n'; });
}

std::string Hex(uint64_t value) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (int shift = 60; shift >= 0; shift -= 4) text += kDigits[(value >> shift) & 15];
  return text;
}

absl::Status Verify(const std::string& directory) {
  const absl::StatusOr<engine::JournalProof> proof =
      engine::VerifyJournal(PosixFileSystem(), directory);
  if (!proof.ok()) return proof.status();
  std::cout << "the journal is right: " << proof->last_sequence.value() << " commands and "
            << proof->events << " events, to " << FormatTime(proof->last_time.micros())
            << " UTC of the market\n";
  if (proof->snapshots > 0) std::cout << proof->snapshots << " snapshots hold what it makes\n";
  std::cout << "event hash " << Hex(proof->event_hash) << ", state hash " << Hex(proof->state_hash)
            << "\n";
  return absl::OkStatus();
}

std::string Mebibytes(uint64_t bytes) {
  return absl::StrCat(GroupDigits(static_cast<int64_t>(bytes >> 20)), " MiB");
}
std::string Sequences(uint64_t number) { return GroupDigits(static_cast<int64_t>(number)); }

void PrintSegments(const journal::JournalStat& stat) {
  Table table({">segment", ">epoch", ">rules", ">from sequence", ">size", "where"});
  for (size_t i = 0; i < stat.segments.size(); ++i) {
    const journal::SegmentStat& segment = stat.segments[i];
    const bool missing = i > 0 && segment.number != stat.segments[i - 1].number + 1;
    if (missing) table.Add({"", "", "", "", "", "segments are missing here"});
    table.Add({absl::StrCat(segment.number), absl::StrCat(segment.epoch),
               absl::StrCat(segment.rules_version), Sequences(segment.first_sequence),
               Mebibytes(segment.bytes),
               !segment.fault.empty() ? segment.fault
               : segment.archived     ? "archive"
                                      : "journal"});
  }
  table.Print(std::cout);
}

absl::Status Stat(const std::string& directory) {
  const absl::StatusOr<journal::JournalStat> stat =
      journal::StatJournal(PosixFileSystem(), directory);
  if (!stat.ok()) return stat.status();
  PrintSegments(*stat);
  std::cout << "durable up to sequence " << Sequences(stat->durable_sequence) << "\n";
  for (const journal::SnapshotStat& snapshot : stat->snapshots) {
    std::cout << "snapshot of sequence " << Sequences(snapshot.sequence) << ", "
              << Mebibytes(snapshot.bytes) << "\n";
  }
  for (const journal::Cursor& cursor : stat->cursors) {
    std::cout << cursor.name << " has read up to sequence " << Sequences(cursor.sequence) << "\n";
  }
  for (const std::string& torn : stat->torn) {
    std::cout << "a recovery cut off " << torn << ", which is in torn/\n";
  }
  std::cout << Mebibytes(stat->free_bytes) << " are free on its disk\n";
  return absl::OkStatus();
}

// What a start would find and do, and, unless it is only to be told, does it.
absl::Status Repair(const std::string& directory, bool dry_run) {
  FileSystem& files = PosixFileSystem();
  // Also to tell only: beside a running exchange every write that is under way would look torn.
  absl::StatusOr<std::unique_ptr<DirectoryLock>> lock = files.Lock(directory);
  if (!lock.ok()) return lock.status();
  const absl::StatusOr<engine::LoadedState> loaded =
      engine::LoadNewestSnapshot(files, directory, {}, 0, nullptr);
  if (!loaded.ok()) return loaded.status();
  if (!loaded->note.empty()) std::cout << loaded->note << "\n";
  if (loaded->sequence) {
    std::cout << "a start would begin behind the snapshot of sequence "
              << Sequences(loaded->sequence.value()) << "\n";
  }
  const uint64_t after = loaded->sequence.value();
  const journal::OnBatch pass_over = [](const journal::BatchView&) { return absl::OkStatus(); };
  const absl::StatusOr<journal::JournalScan> scan =
      journal::ScanJournal(files, directory, engine::kRulesVersion, after, pass_over);
  if (!scan.ok()) return scan.status();
  std::cout << "the journal ends at sequence " << Sequences(scan->last_sequence) << ", segment "
            << scan->segment << ", offset " << scan->end_offset << ", epoch " << scan->epoch
            << "\n";
  if (scan->torn_end == 0) {
    std::cout << "its end is clean: there is nothing to repair\n";
    return absl::OkStatus();
  }
  std::cout << "behind it is a torn write of " << scan->torn_end - scan->end_offset
            << " bytes, of which nothing was acknowledged\n";
  if (dry_run) {
    std::cout << "repair without --dry-run, or the next start, keeps a copy in torn/ and cuts it\n";
    return absl::OkStatus();
  }
  const absl::StatusOr<journal::RecoveredJournal> recovered = journal::RecoverJournal(
      files, {directory, *std::move(lock)}, engine::kRulesVersion, after, pass_over);
  if (!recovered.ok()) return recovered.status();
  std::cout << recovered->repair_note << "\n";
  return absl::OkStatus();
}

}  // namespace

void AddJournalCommands(Command& root) {
  Command journal = root.Add("journal", "Read and prove a journal");

  Command dump = journal.Add("dump", "Print commands and events, a line each");
  const auto arguments = std::make_shared<DumpArguments>();
  dump.Text("journal,--journal", arguments->journal, "The journal's directory").Required();
  dump.Integer("--from", arguments->from, "First sequence")
      .Range(1, std::numeric_limits<int64_t>::max());
  dump.Integer("--to", arguments->to, "Last sequence; default: the last durable one")
      .Range(1, std::numeric_limits<int64_t>::max());
  dump.OnRun([arguments] { return Finish(Dump(*arguments)); });

  Command verify = journal.Add("verify", "Run the engine over it again and compare every event");
  const auto directory = std::make_shared<std::string>();
  verify.Text("journal,--journal", *directory, "The journal's directory").Required();
  verify.OnRun([directory] { return Finish(Verify(*directory)); });

  Command stat = journal.Add("stat", "List segments, snapshots and how far its readers are");
  stat.Text("journal,--journal", *directory, "The journal's directory").Required();
  stat.OnRun([directory] { return Finish(Stat(*directory)); });

  Command repair = journal.Add("repair", "Do, or tell, what a start would do to the journal's end");
  const auto dry_run = std::make_shared<bool>(false);
  repair.Text("journal,--journal", *directory, "The journal's directory").Required();
  repair.Flag("--dry-run", *dry_run, "Tell only: nothing is changed");
  repair.OnRun([directory, dry_run] { return Finish(Repair(*directory, *dry_run)); });
}

}  // namespace warpbook::gateway
