#include "engine/service/engine_service.h"

#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <set>
#include <thread>

#include "engine/service/journal_verify.h"
#include "schema/journal/tail_reader.h"
#include "tests/engine/service/service_fixture.h"
#include "tests/support/faulty_file_system.h"
#include "tests/support/memory_file_system.h"
#include "tests/support/temporary_directory.h"

namespace warpbook::engine::test {
namespace {

using warpbook::test::FaultyFileSystem;
using warpbook::test::FileFault;
using warpbook::test::FileOperation;
using warpbook::test::MemoryFileSystem;
using warpbook::test::TemporaryDirectory;

constexpr char kJournal[] = "journal";

std::unique_ptr<EngineService> Recover(
    EngineService::Options options,
    const std::function<void(const DurableBatch&)>& on_replayed = nullptr) {
  absl::StatusOr<std::unique_ptr<EngineService>> service =
      EngineService::Recover(std::move(options), on_replayed);
  REQUIRE_MESSAGE(service.ok(), service.status().ToString());
  return *std::move(service);
}

std::vector<wire::CommandRecord> OpenAccounts(uint64_t first_tag, uint64_t last_tag) {
  std::vector<wire::CommandRecord> commands;
  for (uint64_t tag = first_tag; tag <= last_tag; ++tag) {
    commands.push_back(OpenAccountCommand(tag));
  }
  return commands;
}

TEST_CASE("Commands go in, durable events come out, in order and without a gap") {
  MemoryFileSystem files;
  const auto service = Recover(TestOptions(kJournal, &files));
  PortUser one(service->CreatePort());
  PortUser other(service->CreatePort());
  REQUIRE(service->Start().ok());
  one.Submit(OpenAccounts(1, 20'000));
  other.Submit(OpenAccounts(20'001, 20'010));
  CHECK(one.PollUntil([&] { return one.reply_count() == 20'010; }));
  CHECK(other.PollUntil([&] { return other.reply_count() == 20'010; }));
  REQUIRE(service->Stop().ok());
  one.Poll();
  other.Poll();

  CHECK(one.gapless());
  CHECK(one.records() == other.records());
  for (uint64_t tag = 2; tag <= 20'000; ++tag) {
    REQUIRE(one.SequenceOf(tag) > one.SequenceOf(tag - 1));
  }
  uint64_t sequence = 0;
  int64_t time = 0;
  for (const wire::RecordView record : wire::Records(one.records())) {
    if (!wire::IsCommand(record.type())) continue;
    REQUIRE(record.command_header().sequence() == ++sequence);
    REQUIRE(record.command_header().time_us() >= time);
    time = record.command_header().time_us();
  }
}

TEST_CASE("A restart by replay gives the same state, and what came out comes again") {
  MemoryFileSystem files;
  uint64_t state_hash = 0;
  std::vector<std::byte> published;
  {
    const auto service = Recover(TestOptions(kJournal, &files));
    PortUser user(service->CreatePort());
    REQUIRE(service->Start().ok());
    user.Submit(OpenAccounts(1, 3'000));
    REQUIRE(service->Stop().ok());
    user.Poll();
    CHECK(user.reply_count() == 3'000);  // Stop drains what was taken
    state_hash = service->engine().StateHash();
    published = user.records();
    const auto checkpoints = RecordsOf<wire::Checkpoint>(published);
    REQUIRE_FALSE(checkpoints.empty());
    CHECK(checkpoints.back().state_hash() == state_hash);
  }
  std::vector<std::byte> replayed;
  const auto service = Recover(TestOptions(kJournal, &files), [&](const DurableBatch& batch) {
    replayed.insert(replayed.end(), batch.records.begin(), batch.records.end());
  });
  CHECK(replayed == published);
  CHECK(service->engine().StateHash() == state_hash);
  CHECK(service->recovery().epoch == 2);
  CHECK(service->recovery().repair_note.empty());
  const absl::StatusOr<JournalProof> proof = VerifyJournal(files, kJournal);
  REQUIRE_MESSAGE(proof.ok(), proof.status().ToString());
  CHECK(proof->state_hash == state_hash);
  CHECK(proof->last_sequence == service->recovery().last_sequence);
  CHECK(proof->event_hash == service->engine().event_hash());
}

}  // namespace
}  // namespace warpbook::engine::test
