#include "engine/service/engine_service.h"

#include <doctest/doctest.h>

#include <atomic>
#include <condition_variable>
#include <cstring>
#include <mutex>
#include <optional>
#include <set>
#include <thread>

#include "engine/service/journal_verify.h"
#include "schema/journal/format.h"
#include "schema/journal/scan.h"
#include "schema/journal/segment_reader.h"
#include "schema/types/enums.h"
#include "schema/types/reject_reason.h"
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
    const std::function<absl::Status(const DurableBatch&)>& on_replayed = nullptr) {
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

TEST_CASE("Once started, every port has the exchange's keys and windows") {
  MemoryFileSystem files;
  EngineService::Options options = TestOptions(kJournal, &files);
  options.operator_key = PublicKey{1};
  options.settlement_key = PublicKey{2};
  const auto service = Recover(std::move(options));
  PortUser user(service->CreatePort());
  REQUIRE(service->Start().ok());
  REQUIRE(user.Poll());
  CHECK(RecordsOf<wire::AccountOpened>(user.records()).size() == 2);
  CHECK(RecordsOf<wire::InstrumentOpened>(user.records()).size() >= 4);
}

TEST_CASE("Where the disk is nearly full nothing new is taken, cancels are, and it comes back") {
  MemoryFileSystem files;
  EngineService::Options options = TestOptions(kJournal, &files);
  const uint64_t reserve = options.service_limits.disk_reserve_bytes;
  const auto service = Recover(options);
  PortUser user(service->CreatePort());
  REQUIRE(service->Start().ok());
  user.Submit(OpenAccounts(1, 1));
  REQUIRE(user.PollUntil([&] { return user.SequenceOf(1) != 0; }));
  uint64_t tag = 100;
  // How the account's command was refused.
  const auto refused = [&](auto command) {
    command.mutable_header().mutate_tag(++tag);
    command.mutable_header().mutate_account_id(1);
    user.Submit({wire::CommandRecord(command)});
    std::vector<wire::CommandRejected> rejected;
    CHECK(user.PollUntil([&] {
      rejected = RecordsOf<wire::CommandRejected>(user.records());
      return !rejected.empty() && rejected.back().tag() == tag;
    }));
    CHECK(rejected.back().command_type() ==
          static_cast<uint16_t>(wire::kRecordTypeOf<decltype(command)>));
    return static_cast<RejectReason>(rejected.back().reason());
  };
  // Tries until a command of the kind is refused so: the disk is looked at once a second.
  const auto answered = [&](const auto& command, RejectReason reason) {
    return user.PollUntil([&] { return refused(command) == reason; });
  };
  CHECK(answered(wire::PlaceOrder(), RejectReason::kUnknownInstrument));
  files.SetFreeBytes(reserve - 1);
  CHECK(answered(wire::PlaceOrder(), RejectReason::kStorageLow));
  CHECK(answered(wire::AmendOrder(), RejectReason::kStorageLow));
  CHECK(answered(wire::CancelOrder(), RejectReason::kUnknownOrder));
  // Only what is nearly as much again ends it.
  files.SetFreeBytes(reserve + reserve / 8);
  CHECK(answered(wire::PlaceOrder(), RejectReason::kStorageLow));
  files.SetFreeBytes(2 * reserve);
  CHECK(answered(wire::PlaceOrder(), RejectReason::kUnknownInstrument));
  REQUIRE(service->Stop().ok());
  CHECK(RecordsOf<wire::RefuseCommand>(user.records()).size() >= 3);
  CHECK(VerifyJournal(files, kJournal).ok());
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
    return absl::OkStatus();
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

// Lets a test hold syncs back, as a slow disk would.
class SyncGate {
 public:
  explicit SyncGate(FileSystem& inner)
      : files_(inner, [this](const FileOperation& operation) {
          if (operation.kind == FileOperation::Kind::kSyncData) {
            std::unique_lock lock(mutex_);
            changed_.wait(lock, [this] { return open_; });
          }
          return FileFault{};
        }) {}
  FileSystem& files() { return files_; }
  // Holds them back while it lives: destroyed before the service, which would wait for them, also
  // where a check ends the test.
  class Closed {
   public:
    explicit Closed(SyncGate& gate) : gate_(gate) { gate_.Set(false); }
    ~Closed() { gate_.Set(true); }
    Closed(const Closed&) = delete;
    Closed& operator=(const Closed&) = delete;

   private:
    SyncGate& gate_;
  };

 private:
  void Set(bool open) {
    {
      const std::lock_guard lock(mutex_);
      open_ = open;
    }
    changed_.notify_all();
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  bool open_ = true;
  FaultyFileSystem files_;
};

TEST_CASE("Nothing is published before its sync, and meanwhile the next batch is gathered") {
  MemoryFileSystem memory;
  SyncGate gate(memory);
  const auto service = Recover(TestOptions(kJournal, &gate.files()));
  PortUser user(service->CreatePort());
  REQUIRE(service->Start().ok());
  REQUIRE(user.PollUntil([&] { return user.next_sequence() > 1; }));
  std::optional<SyncGate::Closed> closed(gate);
  user.Submit(OpenAccounts(1, 100));
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  user.Submit(OpenAccounts(101, 200));
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  user.Poll();
  CHECK(user.reply_count() == 0);
  // What was not published may be lost, and nothing else.
  const auto crashed = memory.AfterCrash([] { return false; });
  CHECK(VerifyJournal(*crashed, kJournal)->last_sequence < Sequence(user.next_sequence() + 1));
  closed.reset();
  CHECK(user.PollUntil([&] { return user.reply_count() == 200; }));
  CHECK(user.gapless());
  REQUIRE(service->Stop().ok());
}

TEST_CASE("While the disk stands still the ring fills and answers less, and nothing is lost") {
  MemoryFileSystem memory;
  SyncGate gate(memory);
  EngineService::Options options = TestOptions(kJournal, &gate.files());
  options.service_limits.port_commands_max = 50;
  options.service_limits.batch_commands_max = 20;
  const auto service = Recover(std::move(options));
  PortUser user(service->CreatePort());
  REQUIRE(service->Start().ok());
  REQUIRE(user.PollUntil([&] { return user.next_sequence() > 1; }));
  std::optional<SyncGate::Closed> closed(gate);
  std::span<const wire::CommandRecord> rest;
  const std::vector<wire::CommandRecord> commands = OpenAccounts(1, 500);
  rest = commands;
  for (int i = 0; i < 100; ++i) {
    rest = rest.subspan(user.port().TrySubmit(rest));
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  // One batch in its sync, one gathered (each with a tick or two of its own), one ring.
  const size_t taken = commands.size() - rest.size();
  CHECK(taken >= 50);
  CHECK(taken <= 50 + 2 * 20);
  closed.reset();
  for (const wire::CommandRecord& command : rest) user.Submit({command});
  CHECK(user.PollUntil([&] { return user.reply_count() == 500; }));
  CHECK(user.gapless());
  REQUIRE(service->Stop().ok());
}

TEST_CASE("Idle, the durable sequence is on disk within moments, and stays so at shutdown") {
  MemoryFileSystem memory;
  const auto service = Recover(TestOptions(kJournal, &memory));
  PortUser user(service->CreatePort());
  REQUIRE(service->Start().ok());
  user.Submit(OpenAccounts(1, 5));
  REQUIRE(user.PollUntil([&] { return user.reply_count() == 5; }));
  // What an idle marker at the journal's end on disk says was durable; 0: there is none.
  const auto proven = [&](const MemoryFileSystem& files) {
    const auto after = files.AfterCrash([] { return false; });
    const absl::StatusOr<journal::JournalScan> scan =
        journal::ScanJournal(*after, kJournal, kRulesVersion, 0,
                             [](const journal::BatchView&) { return absl::OkStatus(); });
    REQUIRE(scan.ok());
    REQUIRE(scan->unproven.size() == 1);
    const auto segment = journal::SegmentReader::Open(*after, kJournal, scan->segment);
    REQUIRE(segment.ok());
    const auto last = (*segment)->ReadBatch(scan->unproven[0].offset);
    REQUIRE((last.ok() && last->has_value()));
    const journal::BatchHeader& header = (*last)->header;
    return header.command_count == 0 ? header.durable_sequence : 0;
  };
  const uint64_t last = user.next_sequence() - 1;
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(5);
  while (proven(memory) < last && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  CHECK(proven(memory) >= last);
  REQUIRE(service->Stop().ok());
  CHECK(proven(memory) == service->engine().last_sequence().value());
}

TEST_CASE("Keys, windows and ticks come by command, at each start and each second") {
  MemoryFileSystem files;
  EngineService::Options options = TestOptions(kJournal, &files);
  options.operator_key = PublicKey{1};
  options.settlement_key = PublicKey{2};
  options.clock_factor = 3'600;  // an hour per second: a window ends at each tick
  for (const int start : {0, 1}) {
    const auto service = Recover(options);
    PortUser user(service->CreatePort());
    REQUIRE(service->Start().ok());
    REQUIRE(user.PollUntil(
        [&] { return RecordsOf<wire::Tick>(user.records()).size() >= (start == 0 ? 4 : 2); }));
    REQUIRE(service->Stop().ok());
    user.Poll();
    const auto& records = user.records();
    CHECK(RecordsOf<wire::CommandRejected>(records).empty());
    CHECK(RecordsOf<wire::RegisterSystemKey>(records).size() == 2);
    const auto accounts = RecordsOf<wire::AccountOpened>(records);
    CHECK(accounts.size() == (start == 0 ? 2 : 0));  // known already at the second start
    const auto ticks = RecordsOf<wire::Tick>(records);
    CHECK(ticks.front().checkpoint() == 1);
    CHECK(ticks.back().checkpoint() == 2);
    CHECK(RecordsOf<wire::Checkpoint>(records).back().state_hash() ==
          service->engine().StateHash());

    // One class in two regions, two windows ahead and the current one unless its gate is closed.
    const auto opened = RecordsOf<wire::InstrumentOpened>(records);
    std::set<std::pair<uint16_t, int64_t>> windows;
    for (const wire::InstrumentOpened& window : opened) {
      CHECK(window.class_id() == 1);
      CHECK(windows.insert({window.region_id(), window.window_start_us()}).second);
    }
    CHECK(opened.size() >= (start == 0 ? 8 : 2));
    int closed = 0;
    for (const auto& change : RecordsOf<wire::InstrumentStateChanged>(records)) {
      closed += change.state() == static_cast<uint8_t>(InstrumentState::kClosed) ? 1 : 0;
    }
    CHECK(closed >= 2);
    CHECK(Timestamp(service->market_clock().NowMicros()) >= service->engine().last_time());
  }
  const absl::StatusOr<JournalProof> proof = VerifyJournal(files, kJournal);
  CHECK_MESSAGE(proof.ok(), proof.status().ToString());
}

TEST_CASE("A tick comes each second and a checkpoint at least every ten") {
  MemoryFileSystem files;
  const auto service = Recover(TestOptions(kJournal, &files));
  PortUser user(service->CreatePort());
  REQUIRE(service->Start().ok());
  REQUIRE(user.PollUntil([&] { return RecordsOf<wire::Tick>(user.records()).size() == 4; }));
  REQUIRE(service->Stop().ok());
  const auto ticks = RecordsOf<wire::Tick>(user.records());
  CHECK(ticks[0].checkpoint() == 1);
  for (size_t i = 1; i < ticks.size(); ++i) {
    CHECK(ticks[i].checkpoint() == 0);
    const int64_t micros = ticks[i].header().time_us() - ticks[i - 1].header().time_us();
    CHECK(micros > 900'000);
    CHECK(micros < 5'000'000);  // on a busy machine
  }
}

TEST_CASE("Refused windows are told once and tried again later, not each second") {
  MemoryFileSystem files;
  EngineService::Options options = TestOptions(kJournal, &files);
  options.catalogue.gate_minutes = 1;  // less than the notice and a minute: the engine refuses
  const auto service = Recover(std::move(options));
  PortUser user(service->CreatePort());
  REQUIRE(service->Start().ok());
  REQUIRE(user.PollUntil([&] { return RecordsOf<wire::Tick>(user.records()).size() == 3; }));
  REQUIRE(service->Stop().ok());
  const size_t opens = RecordsOf<wire::OpenInstrument>(user.records()).size();
  CHECK(opens >= 4);
  CHECK(opens <= 6);
  CHECK(RecordsOf<wire::CommandRejected>(user.records()).size() == opens);
}

TEST_CASE("A port that nobody reads is lost, and the exchange goes on") {
  MemoryFileSystem files;
  EngineService::Options options = TestOptions(kJournal, &files);
  options.service_limits.port_event_bytes_max = 100'000;
  const auto service = Recover(std::move(options));
  PortUser user(service->CreatePort());
  const std::unique_ptr<EnginePort> lazy = service->CreatePort();
  service->CreatePort();  // gone at once
  REQUIRE(service->Start().ok());
  for (uint64_t tag = 1; tag <= 2'000; tag += 100) {
    user.Submit(OpenAccounts(tag, tag + 99));
    REQUIRE(user.PollUntil([&] { return user.reply_count() == tag + 99; }));
  }
  CHECK(lazy->lost());
  CHECK(lazy->Poll() == nullptr);
  CHECK_FALSE(user.port().lost());
  REQUIRE(service->Stop().ok());
}

TEST_CASE("After Stop a port takes nothing and still gives what was published to it") {
  MemoryFileSystem files;
  auto service = Recover(TestOptions(kJournal, &files));
  PortUser user(service->CreatePort());
  REQUIRE(service->Start().ok());
  user.Submit(OpenAccounts(1, 10));
  REQUIRE(service->Stop().ok());
  CHECK(user.port().TrySubmit(OpenAccounts(11, 12)) == 0);
  service.reset();
  user.Poll();
  CHECK(user.reply_count() == 10);
  CHECK(user.port().TrySubmit(OpenAccounts(11, 12)) == 0);
}

TEST_CASE("What TrySubmit took while Stop ran is answered, what it did not take is not there") {
  for (int round = 0; round < 20; ++round) {
    MemoryFileSystem files;
    const auto service = Recover(TestOptions(kJournal, &files));
    PortUser user(service->CreatePort());
    REQUIRE(service->Start().ok());
    uint64_t taken = 0;
    std::atomic<bool> stopped = false;
    std::thread submitting([&] {
      while (!stopped.load()) taken += user.port().TrySubmit(OpenAccounts(taken + 1, taken + 1));
    });
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
    REQUIRE(service->Stop().ok());
    stopped = true;
    submitting.join();
    user.Poll();
    REQUIRE(user.reply_count() == taken);
  }
}

TEST_CASE("A service that is not stopped ends its journal as one that is") {
  MemoryFileSystem files;
  {
    const auto service = Recover(TestOptions(kJournal, &files));
    REQUIRE(service->Start().ok());
  }
  const auto service = Recover(TestOptions(kJournal, &files));
  CHECK(service->recovery().last_sequence > Sequence(0));
}

TEST_CASE("A journal in use, a damaged one and one of other events each stop the start") {
  MemoryFileSystem files;
  {
    const auto service = Recover(TestOptions(kJournal, &files));
    CHECK(absl::IsFailedPrecondition(
        EngineService::Recover(TestOptions(kJournal, &files), nullptr).status()));
    PortUser user(service->CreatePort());
    REQUIRE(service->Start().ok());
    REQUIRE(user.PollUntil([&] { return user.next_sequence() > 2; }));
    REQUIRE(service->Stop().ok());
    // Free again after Stop.
    CHECK(EngineService::Recover(TestOptions(kJournal, &files), nullptr).ok());
  }
  EngineService::Options other_rules = TestOptions(kJournal, &files);
  other_rules.limits.commands_per_checkpoint = 2;
  const absl::Status differs = EngineService::Recover(other_rules, nullptr).status();
  CHECK(absl::IsDataLoss(differs));
  CHECK(differs.message().find("the replay of sequence 2 ") != std::string::npos);
  CHECK(absl::IsDataLoss(VerifyJournal(files, kJournal, other_rules.limits).status()));

  files.content("journal/00000001.segment")[5'000] ^= std::byte{1};
  CHECK(absl::IsDataLoss(EngineService::Recover(TestOptions(kJournal, &files), nullptr).status()));
  CHECK(absl::IsDataLoss(VerifyJournal(files, kJournal).status()));
}

TEST_CASE("A journal of another rules version is refused by that name, by a start and by a proof") {
  MemoryFileSystem files;
  const auto service = Recover(TestOptions(kJournal, &files));
  REQUIRE(service->Start().ok());
  REQUIRE(service->Stop().ok());
  std::byte* const place = files.content("journal/00000001.segment").data();
  journal::SegmentHeader header;
  std::memcpy(&header, place, sizeof header);
  header.rules_version = kRulesVersion + 1;
  header.crc = journal::SegmentHeaderCrc(header);
  std::memcpy(place, &header, sizeof header);
  const std::string sentence = "it is of rules version " + std::to_string(kRulesVersion + 1) +
                               ", this program has version " + std::to_string(kRulesVersion);
  for (const absl::Status& refused :
       {EngineService::Recover(TestOptions(kJournal, &files), nullptr).status(),
        VerifyJournal(files, kJournal).status()}) {
    CHECK(absl::IsDataLoss(refused));
    CHECK_MESSAGE(refused.message().find(sentence) != std::string::npos, refused.ToString());
  }
}

TEST_CASE("Options out of range are errors") {
  MemoryFileSystem files;
  EngineService::Options options = TestOptions(kJournal, &files);
  options.clock_factor = 0;
  CHECK(absl::IsInvalidArgument(EngineService::Recover(options, nullptr).status()));
  options = TestOptions(kJournal, &files);
  options.service_limits.batch_commands_max = 0;
  CHECK(absl::IsInvalidArgument(EngineService::Recover(options, nullptr).status()));
  options = TestOptions(kJournal, &files);
  options.segment_size = 5'000;
  CHECK(absl::IsInvalidArgument(Recover(options)->Start()));
}

}  // namespace
}  // namespace warpbook::engine::test
