#include "settlement/service/audit_run.h"

#include <chrono>
#include <optional>
#include <vector>

#include "absl/strings/str_cat.h"
#include "settlement/service/replay.h"
#include "settlement/service/report.h"
#include "settlement/store/audit.h"
#include "settlement/store/migrations.h"

namespace warpbook::settlement {
namespace {

constexpr uint64_t kProgressCommands = 100'000;
constexpr size_t kDifferencesMax = 20;

// Lines of what is done, each with the time since the one before it.
class Progress {
 public:
  explicit Progress(std::ostream& out) : out_(out) {}
  void Done(absl::string_view what) {
    const auto now = std::chrono::steady_clock::now();
    const int64_t millis =
        std::chrono::duration_cast<std::chrono::milliseconds>(now - last_).count();
    last_ = now;
    out_ << "audit: " << std::string(what) << " (" << millis << " ms)\n" << std::flush;
  }

 private:
  std::ostream& out_;
  std::chrono::steady_clock::time_point last_ = std::chrono::steady_clock::now();
};

Finding JournalFinding(const std::string& directory, const Cursor& cursor) {
  const absl::Status same = CheckJournal(directory, cursor);
  return {same.ok() ? Finding::Verdict::kPass : Finding::Verdict::kFail,
          "the journal is the one that was posted",
          same.ok() ? absl::StrCat("at sequence ", cursor.sequence.value())
                    : std::string(same.message())};
}

// Replays and compares.
absl::StatusOr<Finding> ReplayFinding(const AuditOptions& options, Database& database,
                                      Progress& progress) {
  const auto posted = ReadDigest(database);
  if (!posted.ok()) return posted.status();
  progress.Done("the posted ledger's tables read");
  uint64_t told = 0;
  const Sequence last = posted->cursor.sequence;
  const auto on_progress = [&](Sequence sequence) {
    if (sequence != last && sequence.value() < told + kProgressCommands) return;
    told = sequence.value();
    progress.Done(absl::StrCat("replayed to sequence ", told, " of ", last.value()));
  };
  const absl::Status replayed_to =
      Replay({options.journal_directory, options.replay_into, last, on_progress});
  if (!replayed_to.ok()) return replayed_to;
  auto target = Database::Connect(options.replay_into);
  if (!target.ok()) return target.status();
  const auto replayed = ReadDigest(*target);
  if (!replayed.ok()) return replayed.status();
  progress.Done("the replayed ledger's tables read");
  Finding finding;
  finding.name = "replaying the journal reproduces every balance";
  finding.detail = absl::StrCat(posted->balances.size(), " balances, ", posted->tables.front().rows,
                                " transfers");
  for (const std::string& difference : Differences(*posted, *replayed, kDifferencesMax)) {
    finding.verdict = Finding::Verdict::kFail;
    absl::StrAppend(&finding.detail, "\n      ", difference);
  }
  return finding;
}

}  // namespace

absl::StatusOr<bool> RunAudit(const AuditOptions& options, std::ostream& out,
                              std::ostream& progress_out) {
  Progress progress(progress_out);
  auto database = Database::Connect(options.conninfo);
  if (!database.ok()) return database.status();
  if (absl::Status status = CheckSchema(*database); !status.ok()) return status;
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
  if (!options.replay_into.empty()) {
    auto finding = ReplayFinding(options, *database, progress);
    if (!finding.ok()) return finding.status();
    add(*std::move(finding));
  }
  out << TotalOf(findings) << std::flush;
  return AllHold(findings);
}

}  // namespace warpbook::settlement
