#include "engine/service/engine_metrics.h"

#include <doctest/doctest.h>

#include <chrono>
#include <string>
#include <thread>

#include "schema/metrics/metrics.h"
#include "tests/engine/service/service_fixture.h"
#include "tests/support/faulty_file_system.h"
#include "tests/support/memory_file_system.h"

namespace warpbook::engine::test {
namespace {

using warpbook::test::MemoryFileSystem;

// The value of a series in the text; -1: it is not there.
int64_t ValueOf(const Metrics& metrics, const std::string& series) {
  const std::string text = "\n" + metrics.Text(), begin = "\n" + series + " ";
  const size_t at = text.find(begin);
  return at == std::string::npos ? -1 : std::stoll(text.substr(at + begin.size()));
}

std::string Commands(const std::string& type, const std::string& result) {
  return "warpbook_engine_commands_total{result=\"" + result + "\",type=\"" + type + "\"}";
}

std::unique_ptr<EngineService> Start(EngineService::Options options, Metrics& metrics) {
  options.metrics = &metrics;
  auto service = EngineService::Recover(std::move(options), nullptr);
  REQUIRE(service.ok());
  return *std::move(service);
}

// An order for an instrument that there is not.
wire::CommandRecord BadOrder(uint64_t tag) {
  wire::PlaceOrder command;
  command.mutable_header().mutate_tag(tag);
  command.mutate_gpus(1);
  return wire::CommandRecord(command);
}

}  // namespace

TEST_CASE("Commands are counted by type and result once they are durable") {
  MemoryFileSystem files;
  Metrics metrics;
  const auto service = Start(TestOptions("journal", &files), metrics);
  PortUser user(service->CreatePort());
  REQUIRE(service->Start().ok());
  std::vector<wire::CommandRecord> commands;
  for (uint64_t tag = 1; tag <= 300; ++tag) commands.push_back(OpenAccountCommand(tag));
  for (uint64_t tag = 301; tag <= 340; ++tag) commands.push_back(OpenAccountCommand(tag - 300));
  for (uint64_t tag = 401; tag <= 405; ++tag) commands.push_back(BadOrder(tag));
  user.Submit(commands);
  REQUIRE(user.PollUntil([&] {
    return user.reply_count() == 300 &&
           RecordsOf<wire::CommandRejected>(user.records()).size() == 45;
  }));
  REQUIRE(service->Stop().ok());
  // The keys of the forty are taken.
  CHECK(ValueOf(metrics, Commands("open_account", "accepted")) == 300);
  CHECK(ValueOf(metrics, Commands("open_account", "rejected")) == 40);
  CHECK(ValueOf(metrics, Commands("place_order", "accepted")) == 0);
  CHECK(ValueOf(metrics, Commands("place_order", "rejected")) == 5);
  CHECK(ValueOf(metrics, Commands("tick", "accepted")) >= 2);
  CHECK(ValueOf(metrics, Commands("cancel_order", "accepted")) == -1);

  // What the journal holds.
  uint64_t bytes = 0;
  user.Poll();
  bytes = user.records().size();
  CHECK(ValueOf(metrics, "warpbook_engine_journal_bytes_total") == static_cast<int64_t>(bytes));
  CHECK(ValueOf(metrics, "warpbook_engine_journal_sync_duration_seconds_count") >= 2);
}

TEST_CASE("Once a second the engine tells how far it is, and what waits") {
  MemoryFileSystem files;
  Metrics metrics;
  const auto service = Start(TestOptions("journal", &files), metrics);
  PortUser user(service->CreatePort());
  REQUIRE(service->Start().ok());
  CHECK(ValueOf(metrics, "warpbook_engine_sequence") > 0);
  CHECK(ValueOf(metrics, "warpbook_engine_queue_capacity") ==
        static_cast<int64_t>(ServiceLimits().port_commands_max));
  CHECK(ValueOf(metrics, "warpbook_engine_queue_depth") == 0);
  CHECK(ValueOf(metrics, R"(warpbook_engine_resting_orders{side="buy"})") == 0);
  CHECK(ValueOf(metrics, "warpbook_engine_storage_low") == 0);
  CHECK(ValueOf(metrics, "warpbook_engine_match_duration_seconds_count") == 0);
  user.Submit({OpenAccountCommand(1)});
  const int64_t before = ValueOf(metrics, "warpbook_engine_sequence");
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (ValueOf(metrics, "warpbook_engine_match_duration_seconds_count") < 1 &&
         std::chrono::steady_clock::now() < until) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  CHECK(ValueOf(metrics, "warpbook_engine_match_duration_seconds_count") == 1);
  CHECK(ValueOf(metrics, "warpbook_engine_sequence") > before);
  REQUIRE(service->Stop().ok());
}

TEST_CASE("A command that was refused for want of room counts as what it was") {
  CommandTally tally;
  wire::RefuseCommand refused;
  refused.mutate_command_type(static_cast<uint16_t>(wire::RecordType::kPlaceOrder));
  const wire::CommandRecord command(refused);
  tally.Add(command.view());
  wire::RecordWriter events;
  auto& rejected = events.Add<wire::CommandRejected>(0);
  rejected.mutate_command_type(static_cast<uint16_t>(wire::RecordType::kPlaceOrder));
  for (const wire::RecordView event : wire::Records(events.bytes())) tally.Add(event);
  const auto place = static_cast<size_t>(wire::RecordType::kPlaceOrder);
  CHECK(tally.counts()[place].applied == 1);
  CHECK(tally.counts()[place].rejected == 1);
  CHECK(tally.counts()[static_cast<size_t>(wire::RecordType::kRefuseCommand)].applied == 0);
}

}  // namespace warpbook::engine::test
