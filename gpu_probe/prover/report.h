// The report: a verdict as JSON for people, made of nothing but the verifier's record, the
// transcript and the verdict, so that whoever has the first two makes it anew, byte for byte.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "gpu_probe/prover/exit_code.h"
#include "gpu_probe/verifier/verdict.h"

namespace warpbook::probe {

inline constexpr int64_t kReportVersion = 1;
// A report is no longer than this.
inline constexpr size_t kReportBytesMax = size_t{1} << 20;

enum class ReportClock {
  kVerifier,  // of who asked, on a machine of its own
  kOwn,       // of the prover itself: proves nothing to others
};

// What a reason means, in one sentence.
std::string_view SentenceOf(ProbeReason reason);
// What no verdict can say, a sentence each.
std::vector<std::string_view> WhatNoVerdictSays();

// One JSON object in one line. `signed_transcript` may be anything, "" where none came.
std::string MakeReport(const VerifierRecord& record, std::string_view signed_transcript,
                       const Verdict& verdict, ReportClock clock);

// The first refusal that a report names, kNone where it passed; InvalidArgument where it is no
// report, or contradicts itself. Takes anything.
absl::StatusOr<ProbeReason> FirstRefusalOf(std::string_view report);

// The first field in which a report differs from another, "" where they are the same byte for byte.
// `given` may be anything; where it is no JSON: "the whole". Both as Indented writes them.
std::string FirstDifference(std::string_view made, std::string_view given);

}  // namespace warpbook::probe
