// EnginePort's history: what the journal has of an account, asked for beside the running engine.
#include "engine/service/history.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <vector>

#include "engine/service/local_engine_port.h"
#include "tests/engine/service/service_fixture.h"
#include "tests/support/memory_file_system.h"

namespace warpbook::engine::test {
namespace {

using warpbook::test::MemoryFileSystem;

constexpr char kJournal[] = "journal";
constexpr AccountId kMember = AccountId(3);  // behind the operator's and settlement's

// An event as both ways tell it.
struct Told {
  int64_t time_us = 0;
  std::vector<std::byte> record;
  friend bool operator==(const Told&, const Told&) = default;
};

Told Copy(int64_t time_us, wire::RecordView record) {
  const auto bytes = record.bytes();
  return {time_us, {bytes.begin(), bytes.end()}};
}

// The account's private events of all that a port was given.
std::vector<Told> EventsOf(std::span<const std::byte> records, AccountId account) {
  std::vector<Told> events;
  int64_t time_us = 0;
  for (const wire::RecordView record : wire::Records(records)) {
    if (wire::IsCommand(record.type())) {
      time_us = record.command_header().time_us();
    } else if (record.event_header().account_id() == account.value() &&
               record.event_header().account_sequence() != 0) {
      events.push_back(Copy(time_us, record));
    }
  }
  return events;
}

// A question for the member's events.
HistoryRequest Behind(uint64_t after, uint64_t id = 0, uint32_t events_max = 1'000,
                      Timestamp from_time = Timestamp()) {
  return {.id = id,
          .account = kMember,
          .after_account_sequence = after,
          .from_time = from_time,
          .events_max = events_max};
}

struct Fixture {
  Fixture() : Fixture(ServiceLimits()) {}
  explicit Fixture(const ServiceLimits& limits) {
    EngineService::Options options = TestOptions(kJournal, &files);
    options.operator_key = PublicKey{1};
    options.settlement_key = PublicKey{2};
    options.segment_size = 256 * 1024;
    options.service_limits = limits;
    auto recovered = EngineService::Recover(std::move(options), nullptr);
    REQUIRE_MESSAGE(recovered.ok(), recovered.status().ToString());
    service = *std::move(recovered);
    user = std::make_unique<PortUser>(service->CreatePort());
    other = service->CreatePort();
    REQUIRE(service->Start().ok());
    // Neither the operator's key nor settlement's.
    user->Submit({OpenAccountCommand(7)});
    REQUIRE(user->PollUntil([&] { return user->SequenceOf(7) != 0; }));
  }

  // So many events of the member, one of each command.
  void SetLimits(int count) {
    std::vector<wire::CommandRecord> commands;
    for (int i = 0; i < count; ++i) {
      wire::SetBondedLimit command;
      command.mutable_header().mutate_account_id(1);
      command.mutable_header().mutate_tag(++tag);
      command.mutate_target_account_id(kMember.value());
      command.mutate_limit(static_cast<int64_t>(tag));
      commands.emplace_back(command);
    }
    user->Submit(commands);
    REQUIRE(user->PollUntil([&] { return user->SequenceOf(tag) != 0; }));
  }
  std::unique_ptr<const HistoryPage> Ask(EnginePort& port, const HistoryRequest& request) {
    REQUIRE(port.AskHistory(request));
    return Wait(port);
  }
  std::unique_ptr<const HistoryPage> Wait(EnginePort& port) {
    std::unique_ptr<const HistoryPage> page;
    user->PollUntil([&] {
      page = port.PollHistory();
      return page != nullptr;
    });
    REQUIRE(page != nullptr);
    return page;
  }

  MemoryFileSystem files;
  std::unique_ptr<EngineService> service;
  std::unique_ptr<PortUser> user;
  std::unique_ptr<EnginePort> other;
  uint64_t tag = 1'000;
};

void Append(std::vector<Told>& told, const HistoryPage& page) {
  for (const HistoryPage::Event& event : page.events) {
    told.push_back(Copy(event.time_us, page.record(event)));
  }
}

}  // namespace

TEST_CASE("Page after page, a port is told an account's events as they were journaled") {
  Fixture fixture;
  fixture.SetLimits(3'000);
  std::vector<Told> told;
  for (uint64_t id = 1;; ++id) {
    const auto page = fixture.Ask(fixture.user->port(), Behind(told.size(), id, 250));
    CHECK(page->id == id);
    REQUIRE(page->status.ok());
    CHECK(page->events.size() <= 250);
    if (page->events.empty()) break;
    Append(told, *page);
    // What comes meanwhile is told as well.
    if (id == 3) fixture.SetLimits(100);
  }
  const std::vector<Told> expected = EventsOf(fixture.user->records(), kMember);
  CHECK(expected.size() == 3'101);
  CHECK(told == expected);
}

TEST_CASE("Ports are answered apart, in the order of their questions, also when many ask at once") {
  Fixture fixture;
  fixture.SetLimits(40);
  const std::vector<Told> expected = EventsOf(fixture.user->records(), kMember);
  // More places than readers are kept.
  for (int round = 0; round < 2; ++round) {
    for (uint64_t after = 0; after < 20; ++after) {
      for (EnginePort* port : {&fixture.user->port(), fixture.other.get()}) {
        REQUIRE(port->AskHistory(Behind(after + 20 * round, after, 1)));
      }
    }
    for (EnginePort* port : {fixture.other.get(), &fixture.user->port()}) {
      for (uint64_t after = 0; after < 20; ++after) {
        const auto page = fixture.Wait(*port);
        CHECK(page->id == after);
        REQUIRE(page->events.size() == 1);
        CHECK(Copy(page->events[0].time_us, page->record(page->events[0])) ==
              expected[after + 20 * round]);
      }
    }
  }
}

TEST_CASE("So many questions may be open; what is older than asked for is out of range") {
  ServiceLimits limits;
  limits.port_history_requests_max = 2;
  Fixture fixture(limits);
  EnginePort& port = fixture.user->port();
  const HistoryRequest request = Behind(0);
  CHECK(port.AskHistory(request));
  CHECK(port.AskHistory(request));
  CHECK_FALSE(port.AskHistory(request));
  CHECK(fixture.Wait(port)->events.size() == 1);
  CHECK(port.AskHistory(request));
  fixture.Wait(port);
  fixture.Wait(port);

  const auto ahead = fixture.Ask(port, Behind(2));
  CHECK(absl::IsInvalidArgument(ahead->status));
  // Enough for several segments.
  fixture.SetLimits(5'000);
  const std::vector<Told> events = EventsOf(fixture.user->records(), kMember);
  const Timestamp later = Timestamp(events.back().time_us + 1);
  const auto old = fixture.Ask(port, Behind(0, 0, 1, later));
  CHECK(absl::IsOutOfRange(old->status));
  CHECK(old->oldest_account_sequence > 1);
  CHECK(old->oldest_account_sequence <= events.size());
  const auto there = fixture.Ask(port, Behind(old->oldest_account_sequence - 1, 0, 1, later));
  REQUIRE(there->status.ok());
  CHECK(Copy(there->events[0].time_us, there->record(there->events[0])) ==
        events[old->oldest_account_sequence - 1]);
}

TEST_CASE("A port that nobody answers takes no question") {
  PortState state(ServiceLimits(), std::make_shared<Wakeup>());
  CHECK_FALSE(state.AskHistory({}));
}

}  // namespace warpbook::engine::test
