#include <doctest/doctest.h>
#include <linux/magic.h>

#include <functional>
#include <string>

#include "gateway/cli/doctor/database_checks.h"
#include "gateway/cli/doctor/exchange_checks.h"
#include "gateway/cli/doctor/machine_checks.h"

namespace warpbook::gateway {
namespace {

// The worst that was found, and whether some sentence says that.
struct Outcome {
  Severity worst = Severity::kGood;
  std::string text;
  bool Says(const std::string& words) const { return text.find(words) != std::string::npos; }
};

Outcome OutcomeOf(const std::function<void(Findings&)>& check) {
  Findings findings;
  check(findings);
  Outcome outcome;
  for (const Finding& finding : findings.all()) {
    outcome.worst = std::max(outcome.worst, finding.severity);
    outcome.text += finding.topic + ": " + finding.sentence + "\n";
    CHECK_FALSE(finding.sentence.empty());
  }
  CHECK_FALSE(findings.all().empty());
  return outcome;
}

journal::JournalStat GoodJournal() {
  journal::JournalStat stat;
  for (uint64_t number = 1; number <= 3; ++number) {
    stat.segments.push_back({.number = number, .first_sequence = number * 100, .fault = {}});
  }
  stat.durable_sequence = 350;
  stat.snapshots = {{.sequence = 200, .bytes = 1}};
  stat.cursors = {{"settlement", 350}};
  stat.free_bytes = uint64_t{100} << 30;
  return stat;
}
constexpr uint64_t kReserve = uint64_t{512} << 20;

Outcome OfJournal(const journal::JournalStat& stat) {
  return OutcomeOf([&](Findings& findings) { CheckJournalStat(stat, kReserve, findings); });
}

settlement::ServerFacts GoodServer() {
  return {.version_num = 150'018,
          .version = "15.18",
          .fsync = "on",
          .full_page_writes = "on",
          .data_checksums = "on",
          .archive_mode = "on",
          .connections = 4,
          .connections_max = 100,
          .role = "warpbook_settlement"};
}

Outcome OfServer(const settlement::ServerFacts& facts) {
  return OutcomeOf([&](Findings& findings) { CheckServerFacts(facts, findings); });
}

}  // namespace

TEST_CASE("A machine that is good is told so, and what is not, with what to do") {
  const auto of = [](auto check) { return OutcomeOf(check); };
  CHECK(of([](Findings& findings) { CheckClock(true, findings); }).worst == Severity::kGood);
  CHECK(of([](Findings& findings) { CheckClock(false, findings); }).Says("chrony"));
  const std::string head = "Filename Type Size Used Priority\n";
  CHECK(of([&](Findings& findings) { CheckSwap(head, 1, findings); }).worst == Severity::kGood);
  CHECK(of([&](Findings& findings) { CheckSwap("", 1, findings); }).worst == Severity::kGood);
  const Outcome swaps =
      of([&](Findings& findings) { CheckSwap(head + "/swapfile file 1024 0 -2\n", 0, findings); });
  CHECK(swaps.worst == Severity::kWarning);
  CHECK(swaps.Says("swapoff"));
  CHECK(swaps.Says("locked"));
  for (const char* enabled : {"always [madvise] never\n", "[always] madvise never\n"}) {
    CHECK(of([&](Findings& findings) { CheckLargePages(enabled, findings); }).worst ==
          Severity::kGood);
  }
  for (const char* enabled : {"always madvise [never]\n", ""}) {
    CHECK(of([&](Findings& findings) { CheckLargePages(enabled, findings); }).worst ==
          Severity::kWarning);
  }
  const auto of_limit = [&](uint64_t limit) {
    return of([&](Findings& findings) { CheckDescriptors(limit, findings); }).worst;
  };
  CHECK(of_limit(1'000'000) == Severity::kGood);
  CHECK(of_limit(4'096) == Severity::kWarning);
  CHECK(of_limit(64) == Severity::kFault);
}

TEST_CASE("A journal is looked at for holes, damage, age, readers and room") {
  CHECK(OfJournal(GoodJournal()).worst == Severity::kGood);
  journal::JournalStat stat = GoodJournal();
  stat.segments.erase(stat.segments.begin() + 1);
  CHECK(OfJournal(stat).worst == Severity::kFault);
  CHECK(OfJournal(stat).Says("Segment 3: segments before it are missing"));
  stat = GoodJournal();
  stat.segments[0].fault = "its header is damaged";
  CHECK(OfJournal(stat).Says("Segment 1: its header is damaged"));
  stat = GoodJournal();
  stat.torn = {"torn-1"};
  CHECK(OfJournal(stat).worst == Severity::kWarning);
  stat = GoodJournal();
  stat.durable_sequence = 50'000'000;
  stat.cursors = {{"settlement", 50'000'000}};
  CHECK(OfJournal(stat).Says("a start replays all of them"));
  stat.cursors = {{"settlement", 1}};
  CHECK(OfJournal(stat).Says("settlement is 49999999 commands behind"));
  stat = GoodJournal();
  stat.cursors = {{"settlement", 351}};
  CHECK(OfJournal(stat).worst == Severity::kFault);
  CHECK(OfJournal(stat).Says("older copy"));
  stat = GoodJournal();
  stat.free_bytes = kReserve * 2;
  CHECK(OfJournal(stat).worst == Severity::kWarning);
  stat.free_bytes = kReserve - 1;
  CHECK(OfJournal(stat).worst == Severity::kFault);
}

TEST_CASE("A disk that is slow, or none, is told") {
  const auto of_micros = [](int64_t micros) {
    return OutcomeOf([&](Findings& findings) { CheckSyncTime(micros, findings); }).worst;
  };
  CHECK(of_micros(80) == Severity::kGood);
  CHECK(of_micros(20'000) == Severity::kWarning);
  CHECK(of_micros(300'000) == Severity::kFault);
  const auto of_magic = [](int64_t magic) {
    Findings findings;
    CheckFileSystem(magic, findings);
    return findings.all().empty() ? Severity::kGood : findings.all()[0].severity;
  };
  CHECK(of_magic(EXT4_SUPER_MAGIC) == Severity::kGood);
  CHECK(of_magic(NFS_SUPER_MAGIC) == Severity::kWarning);
  CHECK(of_magic(TMPFS_MAGIC) == Severity::kFault);
}

TEST_CASE("A PostgreSQL is looked at for what settlement needs of it") {
  CHECK(OfServer(GoodServer()).worst == Severity::kGood);
  struct Row {
    std::function<void(settlement::ServerFacts&)> change;
    Severity worst;
    const char* words;
  };
  const Row rows[] = {
      {[](auto& facts) { facts.version_num = 140'010; }, Severity::kFault, "15 or newer"},
      {[](auto& facts) { facts.fsync = "off"; }, Severity::kFault, "fsync is off"},
      {[](auto& facts) { facts.full_page_writes = "off"; }, Severity::kFault, "full_page_writes"},
      {[](auto& facts) { facts.data_checksums = "off"; }, Severity::kWarning, "pg_checksums"},
      {[](auto& facts) { facts.archive_mode = "off"; }, Severity::kWarning, "archive_mode"},
      {[](auto& facts) { facts.connections = 98; }, Severity::kWarning, "98 of 100"},
      {[](auto& facts) { facts.can_change_transfers = true; }, Severity::kWarning,
       "may change what was posted"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.words);
    settlement::ServerFacts facts = GoodServer();
    row.change(facts);
    CHECK(OfServer(facts).worst == row.worst);
    CHECK(OfServer(facts).Says(row.words));
  }
}

}  // namespace warpbook::gateway
