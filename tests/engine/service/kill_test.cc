// The service in a process of its own that is killed, or whose disk fails.
#include <doctest/doctest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <random>
#include <string>
#include <thread>

#include "engine/service/journal_verify.h"
#include "schema/journal/tail_reader.h"
#include "tests/engine/service/service_fixture.h"
#include "tests/support/faulty_file_system.h"
#include "tests/support/temporary_directory.h"

namespace warpbook::engine::test {
namespace {

using warpbook::test::FaultyFileSystem;
using warpbook::test::FileFault;
using warpbook::test::FileOperation;
using warpbook::test::TemporaryDirectory;

// What a child tells its parent: a command was acknowledged.
struct Acknowledgement {
  uint64_t tag = 0;
  uint64_t sequence = 0;
};

// Small segments, and a snapshot of every second one: kills meet them half made, and starts begin
// at them.
EngineService::Options WithSnapshots(const std::string& journal) {
  EngineService::Options options = TestOptions(journal);
  options.segment_size = uint64_t{256} << 10;
  options.snapshots.emplace();
  options.snapshots->bytes_between = options.segment_size;
  options.snapshots->resume_horizon_micros = 0;
  return options;
}

// A service under load until the process is killed. Every durable reply is told through the pipe.
[[noreturn]] void ServeUntilKilled(const std::string& journal, uint64_t first_tag, int pipe_fd) {
  absl::StatusOr<std::unique_ptr<EngineService>> service =
      EngineService::Recover(WithSnapshots(journal), nullptr);
  if (!service.ok()) _exit(3);
  PortUser user((*service)->CreatePort());
  if (!(*service)->Start().ok()) _exit(4);
  uint64_t submitted = first_tag;
  uint64_t told = first_tag;
  while (true) {
    // At most so many unanswered that the load is steady.
    if (submitted - told < 500) user.Submit({OpenAccountCommand(submitted++)});
    user.Poll();
    std::vector<Acknowledgement> news;
    for (; user.SequenceOf(told) != 0; ++told) news.push_back({told, user.SequenceOf(told)});
    const size_t size = news.size() * sizeof(Acknowledgement);
    if (size > 0 && write(pipe_fd, news.data(), size) != static_cast<ssize_t>(size)) _exit(5);
  }
}

// Reads acknowledgements until the child is killed: that long after its start, or after its first
// acknowledgement. A torn last one was not told.
std::vector<Acknowledgement> KillAfter(pid_t child, int pipe_fd, bool from_start,
                                       std::chrono::microseconds time) {
  std::vector<char> bytes;
  std::array<char, 4'096> buffer{};
  std::thread killer;
  const auto begin_killing = [&] {
    killer = std::thread([child, time] {
      std::this_thread::sleep_for(time);
      kill(child, SIGKILL);
    });
  };
  if (from_start) begin_killing();
  for (ssize_t got = 0; (got = read(pipe_fd, buffer.data(), buffer.size())) > 0;) {
    bytes.insert(bytes.end(), buffer.begin(), buffer.begin() + got);
    if (!killer.joinable()) begin_killing();
  }
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  REQUIRE(killer.joinable());
  killer.join();
  REQUIRE(WIFSIGNALED(status));
  REQUIRE(WTERMSIG(status) == SIGKILL);
  std::vector<Acknowledgement> acknowledged(bytes.size() / sizeof(Acknowledgement));
  if (acknowledged.empty()) return acknowledged;
  std::memcpy(acknowledged.data(), bytes.data(), acknowledged.size() * sizeof(Acknowledgement));
  return acknowledged;
}

// Starts as a service does; the state must be that of the whole journal's replay. Whether there was
// a snapshot to begin at.
bool StartsFromSnapshot(const std::string& journal, uint64_t state_hash) {
  const auto service = EngineService::Recover(WithSnapshots(journal), nullptr);
  REQUIRE_MESSAGE(service.ok(), service.status().ToString());
  CHECK((*service)->engine().StateHash() == state_hash);
  CHECK((*service)->recovery().snapshot_note == "");
  return bool{(*service)->recovery().snapshot_sequence};
}

void MakeSnapshot(const std::string& journal) {
  const std::atomic<bool> stop = false;
  SnapshotOptions options;
  options.bytes_between = 0;
  CHECK(Snapshotter(PosixFileSystem(), journal, TestOptions(journal).limits, options)
            .MakeIfDue(stop)
            .ok());
}

// Then a new journal begins: each start replays the whole of one.
constexpr int kKillsOfOneJournal = 20;

// Writes one journal in as many lives, and looks at it after each. How many commands were
// acknowledged.
size_t KillAgainAndAgain(std::mt19937& random) {
  const TemporaryDirectory directory;
  const std::string journal = directory / "journal";
  std::map<uint64_t, uint64_t> acknowledged;  // tag -> sequence, over all lives
  uint64_t acknowledged_in_lives = 0;
  int from_snapshots = 0;
  for (int cycle = 0; cycle < kKillsOfOneJournal; ++cycle) {
    int ends[2];
    REQUIRE(pipe(ends) == 0);
    const pid_t child = fork();
    REQUIRE(child >= 0);
    const uint64_t first_tag = static_cast<uint64_t>(cycle) * 1'000'000'000 + 1;
    if (child == 0) ServeUntilKilled(journal, first_tag, ends[1]);
    close(ends[1]);
    // Every fourth is killed somewhere in its start.
    const bool from_start = cycle % 4 == 3;
    const auto news =
        KillAfter(child, ends[0], from_start,
                  std::chrono::microseconds(random() % (from_start ? 30'000 : 90'000)));
    close(ends[0]);
    for (const Acknowledgement& one : news) acknowledged[one.tag] = one.sequence;
    acknowledged_in_lives += news.empty() ? 0 : 1;

    std::map<uint64_t, uint64_t> replayed;
    bool twice = false;
    absl::StatusOr<std::unique_ptr<EngineService>> service =
        EngineService::Recover(TestOptions(journal), [&](const DurableBatch& batch) {
          uint64_t sequence = 0;
          for (const wire::RecordView record : wire::Records(batch.records)) {
            if (wire::IsCommand(record.type())) sequence = record.command_header().sequence();
            if (record.type() != wire::RecordType::kAccountOpened) continue;
            const uint64_t tag = record.as<wire::AccountOpened>().tag();
            if (tag != 0 && !replayed.emplace(tag, sequence).second) twice = true;
          }
          return absl::OkStatus();
        });
    REQUIRE_MESSAGE(service.ok(), service.status().ToString());
    const uint64_t state_hash = (*service)->engine().StateHash();
    service->reset();  // unlocks the journal
    from_snapshots += StartsFromSnapshot(journal, state_hash) ? 1 : 0;
    // On a slow machine no life may be long enough to finish one.
    if (cycle == 2) MakeSnapshot(journal);
    CHECK_FALSE(twice);
    for (const auto& [tag, sequence] : acknowledged) {
      const auto found = replayed.find(tag);
      REQUIRE(found != replayed.end());
      REQUIRE(found->second == sequence);
    }
  }
  CHECK(acknowledged_in_lives >= 15);
  CHECK(from_snapshots >= 10);
  CHECK(VerifyJournal(PosixFileSystem(), journal).ok());
  return acknowledged.size();
}

// WARPBOOK_KILLS asks for more than one journal's kills (deploy/dev/kill-test).
int JournalsAskedFor() {
  const char* const text = std::getenv("WARPBOOK_KILLS");
  if (text == nullptr) return 1;
  const int kills = std::atoi(text);
  REQUIRE_MESSAGE(kills > 0, "WARPBOOK_KILLS is no number above 0");
  return (kills - 1) / kKillsOfOneJournal + 1;
}

TEST_CASE("After kill -9 under load everything acknowledged is there, and nothing twice") {
  const int journals = JournalsAskedFor();
  std::mt19937 random(3);
  size_t acknowledged = 0;
  for (int journal = 1; journal <= journals; ++journal) {
    acknowledged += KillAgainAndAgain(random);
    std::fprintf(stderr, "%d of %d kills, %zu commands were acknowledged\n",
                 journal * kKillsOfOneJournal, journals * kKillsOfOneJournal, acknowledged);
  }
}

TEST_CASE("A failed sync ends the process at once with a clear sentence") {
  const TemporaryDirectory directory;
  int ends[2];
  REQUIRE(pipe(ends) == 0);
  const pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    dup2(ends[1], STDERR_FILENO);
    std::atomic<bool> failing = false;
    FaultyFileSystem files(PosixFileSystem(), [&](const FileOperation& operation) {
      const bool fails = failing && operation.kind == FileOperation::Kind::kSyncData;
      return FileFault{.status = fails ? absl::UnknownError("fdatasync: EIO") : absl::OkStatus()};
    });
    const auto service =
        EngineService::Recover(TestOptions(directory / "journal", &files), nullptr);
    PortUser user((*service)->CreatePort());
    if (!(*service)->Start().ok()) _exit(1);
    user.PollUntil([&] { return user.next_sequence() > 1; });
    failing = true;
    user.Submit({OpenAccountCommand(1)});
    user.PollUntil([&] { return user.reply_count() > 0; });
    _exit(2);  // it was answered, or nothing happened in 10 s
  }
  close(ends[1]);
  std::string text;
  std::array<char, 4'096> buffer{};
  for (ssize_t got = 0; (got = read(ends[0], buffer.data(), buffer.size())) > 0;) {
    text.append(buffer.data(), static_cast<size_t>(got));
  }
  close(ends[0]);
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  REQUIRE(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == kJournalFailedExitStatus);
  CHECK(text.find("the journal cannot be written (UNKNOWN: fdatasync: EIO)") != std::string::npos);
}

}  // namespace
}  // namespace warpbook::engine::test
