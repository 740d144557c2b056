#include "settlement/service/audit_run.h"

#include <atomic>
#include <chrono>
#include <future>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/synchronization/mutex.h"
#include "settlement/service/replay.h"
#include "settlement/service/report.h"
#include "settlement/store/audit.h"
#include "settlement/store/migrations.h"

namespace warpbook::settlement {
namespace {

constexpr uint64_t kProgressCommands = 500'000;
constexpr size_t kDifferencesMax = 20;

// Lines of what is done, each with the time since the beginning. Any thread.
class Progress {
 public:
  explicit Progress(std::ostream& out) : out_(out) {}
  void Done(absl::string_view what) {
    const auto elapsed = std::chrono::steady_clock::now() - start_;
    const int64_t tenths = elapsed / std::chrono::milliseconds(100);
    const absl::MutexLock lock(&mutex_);
    out_ << absl::StrFormat("audit: %4d.%d s: %s\n", tenths / 10, tenths % 10, what) << std::flush;
  }

 private:
  absl::Mutex mutex_;
  std::ostream& out_;
  const std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

Finding JournalFinding(const std::string& directory, const Cursor& cursor) {
  const absl::Status same = CheckJournal(directory, cursor);
  return {same.ok() ? Finding::Verdict::kPass : Finding::Verdict::kFail,
          "the journal is the one that was posted",
          same.ok() ? absl::StrCat("at sequence ", cursor.sequence.value())
                    : std::string(same.message())};
}

// Replays the journal, in a thread of its own, while the posted ledger is read for other findings.
class ColdReplay {
 public:
  // Up to where `posted` stands.
  ColdReplay(const AuditOptions& options, LedgerDigest posted, Progress& progress)
      : posted_(std::move(posted)), replay_into_(options.replay_into), progress_(progress) {
    replayed_ = std::async(std::launch::async, [this, directory = options.journal_directory] {
      const auto on_progress = [this](Sequence sequence) { return Tell(sequence); };
      return Replay({directory, replay_into_, posted_.cursor.sequence, on_progress});
    });
  }
  ~ColdReplay() { stop_ = true; }  // and the future waits
  ColdReplay(const ColdReplay&) = delete;
  ColdReplay& operator=(const ColdReplay&) = delete;

  // Waits for its end and compares.
  absl::StatusOr<Finding> Finish() {
    if (absl::Status status = replayed_.get(); !status.ok()) return status;
    auto target = Database::Connect(replay_into_);
    if (!target.ok()) return target.status();
    const auto replayed = ReadDigest(*target);
    if (!replayed.ok()) return replayed.status();
    progress_.Done("the replayed ledger's tables read");
    Finding finding;
    finding.name = "replaying the journal reproduces every balance";
    finding.detail = absl::StrCat(posted_.balances.size(), " balances, ",
                                  posted_.tables.front().rows, " transfers");
    for (const std::string& difference : Differences(posted_, *replayed, kDifferencesMax)) {
      finding.verdict = Finding::Verdict::kFail;
      absl::StrAppend(&finding.detail, "\n      ", difference);
    }
    return finding;
  }

 private:
  bool Tell(Sequence sequence) {
    const Sequence last = posted_.cursor.sequence;
    if (sequence == last || sequence.value() >= told_ + kProgressCommands) {
      told_ = sequence.value();
      progress_.Done(absl::StrCat("replayed to sequence ", told_, " of ", last.value()));
    }
    return !stop_;
  }

  const LedgerDigest posted_;
  const std::string replay_into_;
  Progress& progress_;
  uint64_t told_ = 0;  // the thread's
  std::atomic<bool> stop_ = false;
  std::future<absl::Status> replayed_;  // the last member: it ends before the others
};

}  // namespace

absl::StatusOr<bool> RunAudit(const AuditOptions& options, std::ostream& out,
                              std::ostream& progress_out) {
  Progress progress(progress_out);
  auto database = Database::Connect(options.conninfo);
  if (!database.ok()) return database.status();
  if (absl::Status status = CheckSchema(*database); !status.ok()) return status;
  std::optional<ColdReplay> replay;
  if (!options.replay_into.empty()) {
    auto posted = ReadDigest(*database);
    if (!posted.ok()) return posted.status();
    progress.Done("the posted ledger's tables read");
    replay.emplace(options, *std::move(posted), progress);
  }
  const auto audit = ReadAudit(*database, [&progress](absl::string_view what) {
    progress.Done(absl::StrCat(what, " read"));
  });
  if (!audit.ok()) return audit.status();
  out << "ledger at sequence " << audit->cursor.sequence.value() << ", event "
      << audit->cursor.event.value() << "\n";
  std::vector<Finding> findings = FindingsOf(*audit);
  for (const Finding& finding : findings) out << TextOf(finding) << std::flush;
  const auto add = [&](Finding finding) {
    out << TextOf(finding) << std::flush;
    findings.push_back(std::move(finding));
  };
  if (!options.journal_directory.empty()) {
    add(JournalFinding(options.journal_directory, audit->cursor));
  }
  if (replay) {
    auto finding = replay->Finish();
    if (!finding.ok()) return finding.status();
    add(*std::move(finding));
  }
  out << TotalOf(findings) << std::flush;
  return AllHold(findings);
}

}  // namespace warpbook::settlement
