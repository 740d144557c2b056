// The parts of the service on their own: clock, wake-up, port, replay.
#include <doctest/doctest.h>
#include <poll.h>
#include <unistd.h>

#include <atomic>
#include <thread>

#include "engine/service/local_engine_port.h"
#include "engine/service/market_clock.h"
#include "engine/service/replayer.h"
#include "engine/service/wakeup.h"
#include "tests/engine/service/service_fixture.h"

namespace warpbook::engine::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr int64_t kNow = 1'800'000'000 * kMicrosPerSecond;

TEST_CASE("The market's clock starts where the journal ended and never falls") {
  const ManualClock machine(kNow);
  const Timestamp ahead = Timestamp(kNow).PlusMinutes(60);
  const auto fast = MarketClock::Create(60, ahead, machine);
  REQUIRE(fast.ok());
  int64_t previous = (*fast)->NowMicros();
  CHECK(previous >= ahead.micros());
  std::this_thread::sleep_for(milliseconds(20));
  CHECK((*fast)->NowMicros() >= previous + 20 * 60 * 1'000);
  const auto behind = MarketClock::Create(60, Timestamp(5), machine);
  CHECK((*behind)->NowMicros() >= kNow);

  // The machine's clock may stand a little behind the journal: then time stands still.
  const SystemClock system;
  const Timestamp soon = Timestamp(system.NowMicros()).PlusSeconds(30);
  const auto still = MarketClock::Create(1, soon, system);
  REQUIRE(still.ok());
  CHECK((*still)->NowMicros() == soon.micros());
}

TEST_CASE("A journal far ahead of the machine's clock, or a factor out of range, is an error") {
  const ManualClock machine(kNow);
  const Timestamp ahead = Timestamp(kNow).PlusMinutes(2);
  CHECK(absl::IsFailedPrecondition(MarketClock::Create(1, ahead, machine).status()));
  CHECK(MarketClock::Create(2, ahead, machine).ok());
  for (const int64_t factor : {int64_t{0}, int64_t{-1}, kClockFactorMax + 1}) {
    CHECK(absl::IsInvalidArgument(MarketClock::Create(factor, ahead, machine).status()));
  }
}

TEST_CASE("A notification is never lost, and a wait without one ends in time") {
  Wakeup wakeup;
  wakeup.Notify();
  auto begin = steady_clock::now();
  wakeup.WaitUntil(begin + std::chrono::seconds(10));
  CHECK(steady_clock::now() - begin < std::chrono::seconds(5));
  begin = steady_clock::now();
  wakeup.WaitUntil(begin + milliseconds(30));
  CHECK(steady_clock::now() - begin >= milliseconds(30));

  // Two threads hand a number to and fro; a lost notification would cost 10 s.
  Wakeup other;
  std::atomic<int> turn = 0;
  constexpr int kTurns = 5'000;
  begin = steady_clock::now();
  std::thread partner([&] {
    for (int i = 0; i < kTurns; ++i) {
      while (turn.load() != 2 * i + 1)
        other.WaitUntil(steady_clock::now() + std::chrono::seconds(10));
      turn.store(2 * i + 2);
      wakeup.Notify();
    }
  });
  for (int i = 0; i < kTurns; ++i) {
    turn.store(2 * i + 1);
    other.Notify();
    while (turn.load() != 2 * i + 2)
      wakeup.WaitUntil(steady_clock::now() + std::chrono::seconds(10));
  }
  partner.join();
  CHECK(steady_clock::now() - begin < std::chrono::seconds(9));
}

std::shared_ptr<const DurableBatch> BatchOf(uint64_t sequence, size_t bytes) {
  return std::make_shared<const DurableBatch>(
      DurableBatch{sequence, 1, std::vector<std::byte>(bytes)});
}

bool IsReadable(int fd) {
  pollfd ready{fd, POLLIN, 0};
  return poll(&ready, 1, 0) == 1;
}

TEST_CASE("A full ring takes fewer commands, and all of them when there is room again") {
  ServiceLimits limits;
  limits.port_commands_max = 10;
  const auto state = std::make_shared<PortState>(limits, std::make_shared<Wakeup>());
  LocalEnginePort port(state);
  std::vector<wire::CommandRecord> commands;
  for (uint64_t tag = 1; tag <= 15; ++tag) commands.push_back(OpenAccountCommand(tag));
  CHECK(port.TrySubmit(commands) == 10);
  CHECK(port.TrySubmit(commands) == 0);
  std::vector<wire::CommandRecord> taken(4);
  CHECK(state->Take(taken) == 4);
  CHECK(taken[3].view().command_header().tag() == 4);
  CHECK(port.TrySubmit(std::span(commands).subspan(10)) == 4);
  taken.resize(20);
  CHECK(state->Take(taken) == 10);
  for (uint64_t i = 0; i < 10; ++i) CHECK(taken[i].view().command_header().tag() == 5 + i);
  state->Close();
  CHECK(port.TrySubmit(commands) == 0);
}

TEST_CASE("A port that is not read is lost at its limit, one that is read is not") {
  ServiceLimits limits;
  limits.port_event_bytes_max = 1'000;
  const auto wakeup = std::make_shared<Wakeup>();
  const auto lazy_state = std::make_shared<PortState>(limits, wakeup);
  const auto eager_state = std::make_shared<PortState>(limits, wakeup);
  LocalEnginePort lazy(lazy_state);
  LocalEnginePort eager(eager_state);
  CHECK_FALSE(IsReadable(eager.ReadyFd()));
  for (uint64_t sequence = 1; sequence <= 10; ++sequence) {
    const auto batch = BatchOf(sequence, sequence == 5 ? 5'000 : 300);  // one alone always fits
    lazy_state->Deliver(batch);
    eager_state->Deliver(batch);
    CHECK(IsReadable(eager.ReadyFd()));
    CHECK(eager.Poll() == batch);
    CHECK(lazy.lost() == (sequence >= 4));
  }
  CHECK_FALSE(eager.lost());
  CHECK(IsReadable(lazy.ReadyFd()));
  CHECK(lazy.Poll() == nullptr);
  CHECK(lazy.TrySubmit(std::vector{OpenAccountCommand(1)}) == 0);
  CHECK(eager.TrySubmit(std::vector{OpenAccountCommand(1)}) == 1);
}

// A journal of one batch: a tick and two accounts.
std::vector<std::byte> MakeRecords(Engine& engine) {
  wire::RecordWriter writer;
  wire::Tick tick;
  tick.mutate_checkpoint(1);
  uint32_t index = 0;
  for (wire::CommandRecord command :
       {wire::CommandRecord(tick), OpenAccountCommand(1), OpenAccountCommand(2)}) {
    command.mutable_header().mutate_sequence(index + 1);
    command.mutable_header().mutate_time_us(kNow);
    writer.Append(command.view(), index);
    engine.Apply(command.view(), index, writer);
    ++index;
  }
  return writer.Take();
}

journal::BatchView ViewOf(std::span<const std::byte> records) {
  uint32_t commands = 0;
  uint32_t events = 0;
  for (const wire::RecordView record : wire::Records(records)) {
    ++(wire::IsCommand(record.type()) ? commands : events);
  }
  return {1, 1, commands, events, records};
}

TEST_CASE("A replay gives the engine that wrote the journal") {
  Engine engine;
  const std::vector<std::byte> records = MakeRecords(engine);
  Engine again;
  Replayer replayer(again);
  REQUIRE(replayer.Replay(ViewOf(records)).ok());
  CHECK(again.StateHash() == engine.StateHash());
  CHECK(again.event_hash() == engine.event_hash());
  CHECK(replayer.commands() == 3);
  CHECK(replayer.events() == ViewOf(records).event_count);
}

TEST_CASE("A replay that gives other events names the first sequence that differs") {
  Engine engine;
  const std::vector<std::byte> records = MakeRecords(engine);
  const auto replay = [](std::span<const std::byte> bytes) {
    Engine fresh;
    return Replayer(fresh).Replay(ViewOf(bytes));
  };
  // Another event: the second account's.
  std::vector<std::byte> other = records;
  other.back() ^= std::byte{1};
  absl::Status status = replay(other);
  CHECK(absl::IsDataLoss(status));
  CHECK(status.message().find("sequence 3 (OpenAccount)") != std::string::npos);
  CHECK(status.message().find("journaled AccountOpened, given AccountOpened") != std::string::npos);

  // An event too few, at the end and in the middle.
  size_t last = 0;
  size_t second_of_first = 0;
  size_t at = 0;
  size_t count = 0;
  for (const wire::RecordView record : wire::Records(records)) {
    if (count++ == 2) second_of_first = at;
    last = at;
    at += record.total_size();
  }
  status = replay(std::span(records).first(last));
  CHECK(status.message().find("sequence 3") != std::string::npos);
  CHECK(status.message().find("journaled no further event, given AccountOpened") !=
        std::string::npos);
  other = records;
  const size_t size = wire::RecordView(other.data() + second_of_first).total_size();
  other.erase(other.begin() + static_cast<ptrdiff_t>(second_of_first),
              other.begin() + static_cast<ptrdiff_t>(second_of_first + size));
  status = replay(other);
  CHECK(status.message().find("sequence 1 (Tick)") != std::string::npos);
  CHECK(status.message().find("journaled no further event, given Checkpoint") != std::string::npos);
}

TEST_CASE("A replay refuses commands out of sequence or time before the engine sees them") {
  Engine engine;
  std::vector<std::byte> records = MakeRecords(engine);
  Engine fresh;
  fresh.CheckInvariants();
  Replayer replayer(fresh);
  REQUIRE(replayer.Replay(ViewOf(records)).ok());
  const absl::Status repeated = replayer.Replay(ViewOf(records));
  CHECK(absl::IsDataLoss(repeated));
  CHECK(repeated.message().find("sequence 1 at time") != std::string::npos);
}

}  // namespace
}  // namespace warpbook::engine::test
