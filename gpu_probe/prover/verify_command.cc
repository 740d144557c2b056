#include <array>

#include "absl/strings/str_cat.h"
#include "gpu_probe/prover/commands.h"
#include "gpu_probe/prover/record_file.h"
#include "gpu_probe/prover/report.h"
#include "schema/base/crypto.h"

namespace warpbook::probe {

int RunVerify(const VerifyOptions& options, const Program& program) {
  const absl::StatusOr<ClassTable> table = LoadClassTable(options.catalogue);
  if (!table.ok()) return Fail(program, kExitUsage, table.status());
  const absl::StatusOr<std::string> record_text = ReadInput(options.record_file, kRecordBytesMax);
  if (!record_text.ok()) return Fail(program, kExitUsage, record_text.status());
  const absl::StatusOr<VerifierRecord> record = DecodeRecord(*record_text);
  if (!record.ok()) {
    return Fail(program, kExitInvalid,
                absl::StrCat(options.record_file, ": ", record.status().message()));
  }
  // One that is longer is none, which the verdict says.
  const absl::StatusOr<std::string> transcript =
      ReadInput(options.transcript_file, 2 * kTranscriptBytesMax);
  if (!transcript.ok()) return Fail(program, kExitUsage, transcript.status());
  std::string given;
  if (!options.report_file.empty()) {
    absl::StatusOr<std::string> read = ReadInput(options.report_file, kReportBytesMax);
    if (!read.ok()) return Fail(program, kExitUsage, read.status());
    given = *std::move(read);
  }
  // Fresh ones do as well as those of the day: nobody knew them when the transcript was made.
  std::array<uint8_t, sizeof(CheckVectors)> secret;
  FillRandom(secret);
  const Verdict verdict = Verify(*record, *transcript, *table, MakeCheckVectors(secret));
  const std::string report =
      ForPeople(MakeReport(*record, *transcript, verdict, ReportClock::kVerifier));
  const int printed = Print(program, report, ExitCodeOfVerdict(verdict.refusal()));
  if (options.report_file.empty()) return printed;
  const std::string difference = FirstDifference(report, given);
  if (difference.empty()) return printed;
  return Fail(program, kExitInvalid,
              absl::StrCat(options.report_file, ": not the report of this record and transcript: ",
                           difference, " differs"));
}

}  // namespace warpbook::probe
