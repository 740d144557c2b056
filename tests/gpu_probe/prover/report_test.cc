#include "gpu_probe/prover/report.h"

#include <doctest/doctest.h>

#include <set>
#include <sstream>

#include "gpu_probe/prover/json_text.h"
#include "gpu_probe/prover/progress.h"
#include "tests/gpu_probe/support/proving.h"

namespace warpbook::probe {
namespace {

constexpr auto kReasons = EnumNames<ProbeReason>::kNames.size();

const test::Proved& Proof() {
  static const test::Proved proved = test::Proving().Run();
  return proved;
}
Verdict PassedWith(ProbeReason flag) {
  Verdict verdict;
  verdict.causes.push_back({flag});
  return verdict;
}
std::string Report(const Verdict& verdict, const std::string& transcript = Proof().transcript) {
  return MakeReport(Proof().record, transcript, verdict, ReportClock::kVerifier);
}

TEST_CASE("Each reason has a sentence of its own") {
  std::set<std::string_view> sentences;
  for (size_t i = 0; i < kReasons; ++i) {
    const std::string_view sentence = SentenceOf(static_cast<ProbeReason>(i));
    CHECK(sentence.ends_with('.'));
    CHECK(sentence != SentenceOf(static_cast<ProbeReason>(kReasons)));
    sentences.insert(sentence);
  }
  CHECK(sentences.size() == kReasons);
}

TEST_CASE("Each refusal has its exit code, and none is 0") {
  const std::set<ProbeReason> below = {ProbeReason::kSlice, ProbeReason::kRenamed,
                                       ProbeReason::kSlowProducts, ProbeReason::kSlowMemory};
  for (size_t i = 1; i < kReasons; ++i) {
    const auto reason = static_cast<ProbeReason>(i);
    if (!Refuses(reason)) continue;
    const ExitCode expected = below.contains(reason)            ? kExitBelowClass
                              : reason == ProbeReason::kTooLate ? kExitTooLate
                                                                : kExitInvalid;
    CHECK(ExitCodeOfVerdict(reason) == expected);
    const auto first = FirstRefusalOf(Report(VerdictOf(reason)));
    REQUIRE(first.ok());
    CHECK(*first == reason);
  }
  CHECK(ExitCodeOfVerdict(ProbeReason::kNone) == 0);
}

TEST_CASE("Each error of a device has its exit code, and none is 0") {
  for (int code = 1; code <= 16; ++code) {
    CHECK(ExitCodeOfDevice(absl::Status(static_cast<absl::StatusCode>(code), "x")) != 0);
  }
  CHECK(ExitCodeOfDevice(absl::NotFoundError("")) == 3);
  CHECK(ExitCodeOfDevice(absl::UnimplementedError("")) == 3);
  CHECK(ExitCodeOfDevice(absl::FailedPreconditionError("")) == 4);
  CHECK(ExitCodeOfDevice(absl::DataLossError("")) == 5);
  CHECK(ExitCodeOfDevice(absl::InternalError("")) == 1);
}

TEST_CASE("A flag refuses nothing") {
  for (size_t i = 1; i < kReasons; ++i) {
    const auto reason = static_cast<ProbeReason>(i);
    if (Refuses(reason)) continue;
    const auto first = FirstRefusalOf(Report(PassedWith(reason)));
    REQUIRE(first.ok());
    CHECK(*first == ProbeReason::kNone);
  }
}

TEST_CASE("A report says what was proved with units in the names, and what it cannot say") {
  Verdict verdict = PassedWith(ProbeReason::kFasterThanClass);
  verdict.bounds = {.int8_ops_per_s = 5, .bytes_per_s = 6, .memory_bytes = 7};
  verdict.share_bps = 8'000;
  verdict.nearest_class = "B200";
  const JsonValue report = JsonValue::Parse(Report(verdict)).value();
  CHECK(report["bounds_of_each_gpu"]["int8_ops_per_s"].integer() == 5);
  CHECK(report["bounds_of_each_gpu"]["bytes_per_s"].integer() == 6);
  CHECK(report["bounds_of_each_gpu"]["memory_bytes"].integer() == 7);
  CHECK(report["share_bps"].integer() == 8'000);
  CHECK(report["nearest_class"].text() == "B200");
  CHECK(report["class_claimed"].text() == "H100-SXM");
  CHECK(report["gpus_claimed"].items().size() == 1);
  CHECK(report["timings"]["gather_us"].integer() == Proof().record.gather_us);
  CHECK(report["cannot_say"].items().size() == WhatNoVerdictSays().size());
}

TEST_CASE("What a stranger claims of itself harms no terminal and no JSON") {
  test::Proving proving;
  proving.claims = test::Claims(1, std::string("\x1b[2J\xff\"\n") + std::string(500, 'x'));
  const test::Proved proved = proving.Run();
  const std::string report = MakeReport(proved.record, proved.transcript,
                                        VerdictOf(ProbeReason::kWrongWalk), ReportClock::kVerifier);
  for (const char c : report) CHECK((c >= ' ' && c <= '~'));
  const JsonValue read = JsonValue::Parse(report).value();
  CHECK(read["gpus_claimed"].items()[0]["name"].text().size() == kShownTextMax);
}

TEST_CASE("A transcript that another has signed, or that is none, claims nothing") {
  test::Proving proving;
  proving.signer = &test::OtherKey();
  for (const std::string& transcript :
       {proving.Run().transcript, std::string("x"), std::string()}) {
    const JsonValue report =
        JsonValue::Parse(Report(VerdictOf(ProbeReason::kWrongKey), transcript)).value();
    CHECK(report["gpus_claimed"].items().empty());
    CHECK(report["transcript_bytes"].integer() == static_cast<int64_t>(transcript.size()));
  }
}

TEST_CASE("A report that contradicts itself, or is none, is not believed") {
  const std::string right = Report(VerdictOf(ProbeReason::kWrongProduct));
  const auto changed = [&](const std::string& old, const std::string& with) {
    std::string other = right;
    REQUIRE(other.find(old) != std::string::npos);
    return FirstRefusalOf(other.replace(other.find(old), old.size(), with)).ok();
  };
  CHECK(changed("\"gpus\":1", "\"gpus\":2"));
  CHECK_FALSE(changed("\"refused\"", "\"passed\""));
  CHECK_FALSE(changed("\"refused\"", "\"\""));
  CHECK_FALSE(changed("\"wrong_product\"", "\"nonsense\""));
  CHECK_FALSE(changed("\"wrong_product\"", "\"small_profile\""));
  CHECK_FALSE(changed("\"schema_version\":1", "\"schema_version\":2"));
  for (const char* wrong : {"", "{}", "[]", "nonsense", "{\"verdict\":\"passed\"}"}) {
    CHECK_FALSE(FirstRefusalOf(wrong).ok());
  }
}

TEST_CASE("The first field in which two reports differ is named") {
  CHECK(FirstDifference("{\"a\":1}", "{\"a\":1}").empty());
  CHECK(FirstDifference("{\"a\":1}", "{\"a\":2}") == "a");
  CHECK(FirstDifference("{\"a\":{\"b\":[1,2]}}", "{\"a\":{\"b\":[1,3]}}") == "a.b[1]");
  CHECK(FirstDifference("{\"a\":[1]}", "{\"a\":[1,2]}") == "a");
  CHECK(FirstDifference("{\"a\":1}", "{\"b\":1}") == "a");
  CHECK(FirstDifference("{\"a\":1}", "{\"a\":1,\"b\":1}") == "the whole");
  CHECK(FirstDifference("{\"a\":1}", "{\"a\": 1}") == "the blanks between fields");
  CHECK(FirstDifference("{\"a\":1}", "x") == "the whole");
}

TEST_CASE("Progress is said in whole lines, a few in a second, and the end of each step once") {
  std::ostringstream out;
  std::chrono::steady_clock::time_point now{std::chrono::hours(1)};
  {
    ProgressLines lines(out, false);
    for (int i = 0; i <= 1'000; ++i, now += std::chrono::milliseconds(1)) {
      lines.Say("filling", i, 1'000, now);
    }
    lines.Say("filling", 1'000, 1'000, now);
    lines.Say("walking", 0, 10, now);
    lines.Say("walking", 10, 10, now);
  }
  CHECK(out.str() == "filling: 0%\nfilling: 50%\nfilling: 100%\nwalking: 100%\n");
}

TEST_CASE("At a terminal progress is one line that is ended") {
  std::ostringstream out;
  {
    ProgressLines lines(out, true);
    lines.Say("filling", 1, 1, std::chrono::steady_clock::time_point{std::chrono::hours(1)});
  }
  CHECK(out.str() == "\r\033[Kfilling: 100%\n");
}

}  // namespace
}  // namespace warpbook::probe
