#include "gpu_probe/prover/report.h"

#include <optional>

#include "absl/strings/str_cat.h"
#include "gpu_probe/prover/json_text.h"
#include "schema/base/crypto.h"

namespace warpbook::probe {
namespace {

constexpr std::string_view kSchema = "warpbook-probe-report";

std::string ReasonsOf(const Verdict& verdict) {
  std::vector<std::string> reasons;
  for (const Verdict::Cause& cause : verdict.causes) {
    JsonObject reason;
    reason.Text("reason", Name(cause.reason))
        .Flag("refuses", Refuses(cause.reason))
        .Text("sentence", SentenceOf(cause.reason));
    if (cause.gpu >= 0) reason.Integer("gpu", cause.gpu);
    reasons.push_back(reason.Build());
  }
  return JsonArray(reasons);
}

std::string AskedOf(const Challenge& challenge) {
  const ComputeSize& compute = challenge.size.compute;
  const MemorySize& memory = challenge.size.memory;
  return JsonObject()
      .Flag("small_profile", challenge.size == SmallProfile())
      .Integer("product_rows", compute.m)
      .Integer("product_columns", compute.n)
      .Integer("product_depth", compute.k)
      .Integer("product_rounds", compute.rounds)
      .Integer("tiles_opened", compute.opened)
      .Integer("arena_bytes", memory.arena_bytes())
      .Integer("arena_passes", memory.passes)
      .Integer("gathered_bytes", memory.gathered_bytes())
      .Integer("legs_opened", memory.opened)
      .Build();
}

std::string TimingsOf(const VerifierRecord& record) {
  return JsonObject()
      .Integer("products_us", record.products_us)
      .Integer("fill_us", record.fill_us)
      .Integer("gather_us", record.gather_us)
      .Integer("answered_at_unix_us", record.answered_us)
      .Integer("expires_at_unix_us", record.challenge.expires_us)
      .Build();
}

// What the prover said of itself; nothing where it is not signed by the key that was asked.
std::optional<Transcript> SaidBy(const VerifierRecord& record, std::string_view bytes) {
  if (bytes.empty() || bytes.size() > kTranscriptBytesMax) return std::nullopt;
  const absl::StatusOr<SignedTranscript> document = DecodeSignedTranscript(bytes);
  if (!document.ok() || !document->IsSignedBy(record.challenge.device_key)) return std::nullopt;
  absl::StatusOr<Transcript> transcript = DecodeTranscript(document->transcript);
  if (!transcript.ok()) return std::nullopt;
  return *std::move(transcript);
}

std::string ClaimsOf(const Transcript& transcript) {
  std::vector<std::string> claims;
  for (const GpuClaim& claim : transcript.claims) {
    claims.push_back(JsonObject()
                         .Text("name", Shown(claim.name))
                         .Text("uuid", Shown(claim.uuid))
                         .Integer("memory_bytes", claim.memory_bytes)
                         .Flag("is_slice", claim.is_slice)
                         .Build());
  }
  return JsonArray(claims);
}

std::string Sentences(const std::vector<std::string_view>& sentences) {
  std::vector<std::string> written;
  written.reserve(sentences.size());
  for (const std::string_view sentence : sentences) written.push_back(JsonString(sentence));
  return JsonArray(written);
}

// Where two values of the same place first differ.
std::optional<std::string> Difference(const JsonValue& a, const JsonValue& b,
                                      const std::string& path) {
  const std::string here = path.empty() ? "the whole" : path;
  if (a.kind() != b.kind()) return here;
  if (a.flag() != b.flag() || a.integer() != b.integer() || a.text() != b.text()) return here;
  for (size_t i = 0; i < a.items().size() && i < b.items().size(); ++i) {
    if (auto found = Difference(a.items()[i], b.items()[i], absl::StrCat(path, "[", i, "]"))) {
      return found;
    }
  }
  if (a.items().size() != b.items().size()) return here;
  for (size_t i = 0; i < a.fields().size() && i < b.fields().size(); ++i) {
    const std::string key = absl::StrCat(path, path.empty() ? "" : ".", Shown(a.fields()[i].first));
    if (a.fields()[i].first != b.fields()[i].first) return key;
    if (auto found = Difference(a.fields()[i].second, b.fields()[i].second, key)) return found;
  }
  if (a.fields().size() != b.fields().size()) return here;
  return std::nullopt;
}

}  // namespace

std::string_view SentenceOf(ProbeReason reason) {
  switch (reason) {
    case ProbeReason::kNone:
      return "Nothing is to be said.";
    case ProbeReason::kUnfinished:
      return "No answer came, or not all of it.";
    case ProbeReason::kTooLate:
      return "The answer came after the challenge had expired.";
    case ProbeReason::kMalformed:
      return "The answer is no transcript.";
    case ProbeReason::kWrongKey:
      return "The transcript is not signed by the device that was asked.";
    case ProbeReason::kWrongChallenge:
      return "The transcript answers another challenge, or other seeds.";
    case ProbeReason::kGpusMissing:
      return "The transcript is of another number of GPUs than was asked for.";
    case ProbeReason::kRootsChanged:
      return "The transcript's roots are not those that had stopped the clock.";
    case ProbeReason::kTilesMissing:
      return "Other tiles were opened than those that were asked for.";
    case ProbeReason::kTileNotCommitted:
      return "An opened tile is not the one that was committed to.";
    case ProbeReason::kWrongProduct:
      return "An opened tile is not the product that was asked for.";
    case ProbeReason::kLegsMissing:
      return "Other legs of walks were opened than those that were asked for.";
    case ProbeReason::kLegNotCommitted:
      return "The opened states of a walk are not those that were committed to.";
    case ProbeReason::kWrongWalk:
      return "An opened leg of a walk does not lead where it was said to.";
    case ProbeReason::kNoProbe:
      return "No probe proves this class.";
    case ProbeReason::kDuplicateGpu:
      return "Two GPUs give the same identity.";
    case ProbeReason::kSlice:
      return "The device is a part of a GPU, and below the class.";
    case ProbeReason::kRenamed:
      return "The device gives the name of the class, and proves no more than another class.";
    case ProbeReason::kSlowProducts:
      return "The int8 products were slower than the class's.";
    case ProbeReason::kSlowMemory:
      return "The memory was slower or smaller than the class's, or was not kept.";
    case ProbeReason::kLapsed:
      return "The class was not proved again in time.";
    case ProbeReason::kFasterThanClass:
      return "The device is faster than the class that is claimed.";
    case ProbeReason::kOtherName:
      return "The device gives the name of another class.";
    case ProbeReason::kSliceClaimed:
      return "The device is a part of a GPU, and enough for the class.";
    case ProbeReason::kSmallProfile:
      return "The sizes were those of a demonstration: nothing is proved of a class.";
  }
  return "An unknown reason.";
}

std::vector<std::string_view> WhatNoVerdictSays() {
  return {
      "Where the GPU is: answers can be relayed to a real GPU elsewhere, and no software can tell.",
      "That the GPU was there before the challenge, or will be after it.",
      "That a device is what it says of itself (name, uuid, memory): the bounds alone are proved.",
      "How fast the device is at the most: bounds are what it does at the least.",
      "That the device is free of hardware faults in what was not opened.",
  };
}

std::string MakeReport(const VerifierRecord& record, std::string_view signed_transcript,
                       const Verdict& verdict, ReportClock clock) {
  const Challenge& challenge = record.challenge;
  const std::optional<Transcript> transcript = SaidBy(record, signed_transcript);
  JsonObject report;
  report.Text("schema", kSchema)
      .Integer("schema_version", kReportVersion)
      .Text("verdict", verdict.passed() ? "passed" : "refused")
      .Text("class_claimed", Shown(challenge.hardware_class))
      .Integer("gpus", challenge.gpus)
      .Raw("reasons", ReasonsOf(verdict))
      .Raw("bounds_of_each_gpu", JsonObject()
                                     .Integer("int8_ops_per_s", verdict.bounds.int8_ops_per_s)
                                     .Integer("bytes_per_s", verdict.bounds.bytes_per_s)
                                     .Integer("memory_bytes", verdict.bounds.memory_bytes)
                                     .Build())
      .Integer("share_bps", verdict.share_bps)
      .Text("nearest_class", verdict.nearest_class)
      .Integer("skipped_tiles_ppm_max", verdict.skipped_tiles_ppm_max)
      .Integer("skipped_legs_ppm_max", verdict.skipped_legs_ppm_max)
      .Text("clock", clock == ReportClock::kVerifier ? "the verifier's"
                                                     : "the prover's own: proves nothing to others")
      .Raw("timings", TimingsOf(record))
      .Id("challenge_id", challenge.id)
      .Text("device_key", Hex(challenge.device_key))
      .Raw("asked", AskedOf(challenge))
      .Text("prover_claimed", transcript ? Shown(transcript->prover) : "")
      .Raw("gpus_claimed", transcript ? ClaimsOf(*transcript) : "[]")
      .Integer("transcript_bytes", static_cast<int64_t>(signed_transcript.size()))
      .Text("transcript_sha256", Hex(Sha256(std::as_bytes(std::span(signed_transcript)))))
      .Raw("cannot_say", Sentences(WhatNoVerdictSays()));
  return report.Build();
}

absl::StatusOr<ProbeReason> FirstRefusalOf(std::string_view report) {
  if (report.size() > kReportBytesMax) return absl::InvalidArgumentError("the report is too long");
  const absl::StatusOr<JsonValue> value = JsonValue::Parse(report);
  if (!value.ok()) return value.status();
  const auto fault = [](std::string_view what) {
    return absl::InvalidArgumentError(absl::StrCat("the report ", std::string(what)));
  };
  if ((*value)["schema"].text() != kSchema ||
      (*value)["schema_version"].integer() != kReportVersion) {
    return fault("is none of this version");
  }
  const std::string& verdict = (*value)["verdict"].text();
  if (verdict != "passed" && verdict != "refused") return fault("has no verdict");
  ProbeReason first = ProbeReason::kNone;
  for (const JsonValue& item : (*value)["reasons"].items()) {
    const std::optional<ProbeReason> reason = ParseName<ProbeReason>(item["reason"].text());
    if (!reason) return fault("has a reason that is not known");
    if (first == ProbeReason::kNone && Refuses(*reason)) first = *reason;
  }
  if ((verdict == "passed") != (first == ProbeReason::kNone)) return fault("contradicts itself");
  return first;
}

std::string FirstDifference(std::string_view made, std::string_view given) {
  if (made == given) return "";
  const absl::StatusOr<JsonValue> ours = JsonValue::Parse(made);
  const absl::StatusOr<JsonValue> theirs = JsonValue::Parse(given);
  if (!ours.ok() || !theirs.ok()) return "the whole";
  return Difference(*ours, *theirs, "").value_or("the blanks between fields");
}

}  // namespace warpbook::probe
