#include "tests/bench/journal_timing.h"

#include <chrono>
#include <cstring>
#include <span>
#include <thread>
#include <utility>

#include "engine/service/replayer.h"
#include "schema/base/check.h"
#include "schema/journal/file_command_log.h"
#include "schema/journal/scan.h"
#include "tests/bench/open_loop.h"
#include "tests/support/faulty_file_system.h"

namespace warpbook::bench {
namespace {

using SteadyClock = std::chrono::steady_clock;

double SecondsSince(SteadyClock::time_point start) {
  return std::chrono::duration<double>(SteadyClock::now() - start).count();
}

// Begins a log in an empty directory.
std::unique_ptr<journal::LogAppender> BeginLog(
    const std::string& directory, uint64_t segment_size = journal::kDefaultSegmentSize) {
  journal::FileCommandLog log(
      PosixFileSystem(), directory,
      {.segment_size = segment_size, .rules_version = engine::kRulesVersion});
  WARPBOOK_CHECK(
      log.Recover(nullptr, [](const journal::BatchView&) { return absl::OkStatus(); }).ok());
  absl::StatusOr<std::unique_ptr<journal::LogAppender>> appender = log.Begin();
  WARPBOOK_CHECK(appender.ok());
  return *std::move(appender);
}

// Applies the commands and appends them with their events, in batches as large as the service's.
void AppendCommands(std::span<const wire::CommandRecord> commands, engine::Engine& engine,
                    journal::LogAppender& appender) {
  const engine::ServiceLimits limits;
  wire::RecordWriter records;
  journal::BatchToWrite batch;
  const auto append = [&] {
    batch.records = records.bytes();
    for ([[maybe_unused]] const wire::RecordView record : wire::Records(batch.records)) {
      ++batch.event_count;
    }
    batch.event_count -= batch.command_count;
    WARPBOOK_CHECK(appender.Append(batch).ok());
    records.Clear();
    batch = {};
  };
  for (const wire::CommandRecord& command : commands) {
    records.Append(command.view(), batch.command_count);
    engine.Apply(command.view(), batch.command_count, records);
    ++batch.command_count;
    if (batch.command_count == limits.batch_commands_max ||
        records.size() >= limits.batch_bytes_max) {
      append();
    }
  }
  if (batch.command_count > 0) append();
}

// A batch with records of its own.
struct KeptBatch {
  explicit KeptBatch(const journal::BatchView& batch)
      : records(batch.records.begin(), batch.records.end()), view(batch) {
    view.records = records;
  }
  KeptBatch(KeptBatch&&) = default;  // a moved vector keeps its place
  std::vector<std::byte> records;
  journal::BatchView view;
};

}  // namespace

// ---- Batches ----

LogAppends::LogAppends(const std::string& directory, size_t batch_bytes, uint64_t segment_size)
    : batch_bytes_(batch_bytes), appender_(BeginLog(directory, segment_size)) {
  wire::RecordWriter records;
  const size_t room = batch_bytes - sizeof(journal::BatchHeader);
  while (records.size() + sizeof(wire::RecordHeader) + sizeof(wire::Tick) <= room) {
    records.Append(wire::Tick(), batch_.command_count++);
  }
  records_ = records.Take();
  batch_.records = records_;
}

double LogAppends::Time(int batches) {
  const SteadyClock::time_point start = SteadyClock::now();
  for (int i = 0; i < batches; ++i) {
    // The log looks at the first command's sequence alone.
    auto* header =
        reinterpret_cast<wire::CommandHeader*>(records_.data() + sizeof(wire::RecordHeader));
    header->mutate_sequence(next_sequence_);
    WARPBOOK_CHECK(appender_->Append(batch_).ok());
    next_sequence_ += batch_.command_count;
  }
  return static_cast<double>(batch_bytes_) * batches / SecondsSince(start);
}

// ---- The running engine ----

int64_t YesterdayMicros() {
  const auto now = std::chrono::duration_cast<std::chrono::minutes>(
      std::chrono::system_clock::now().time_since_epoch());
  return (now.count() - 24 * 60) * kMicrosPerMinute;
}

std::unique_ptr<FileSystem> MakeDelayedFileSystem(int64_t sync_us) {
  using test::FileOperation;
  return std::make_unique<test::FaultyFileSystem>(
      PosixFileSystem(), [sync_us](const FileOperation& operation) {
        test::FileFault fault;
        if (operation.kind == FileOperation::Kind::kSyncData) {
          std::this_thread::sleep_for(std::chrono::microseconds(sync_us));
          fault.lost = true;
        }
        return fault;
      });
}

FlowService::FlowService(const FlowCommands& commands, const std::string& directory,
                         FileSystem& files)
    : commands_(commands) {
  {
    engine::Engine engine(commands.limits);
    AppendCommands(commands.setup, engine, *BeginLog(directory));
  }
  engine::EngineService::Options options;
  options.journal_directory = directory;
  options.limits = commands.limits;
  options.file_system = &files;
  absl::StatusOr<std::unique_ptr<engine::EngineService>> service =
      engine::EngineService::Recover(options, nullptr);
  WARPBOOK_CHECK(service.ok());
  service_ = *std::move(service);
  port_ = service_->CreatePort();
  WARPBOOK_CHECK(service_->Start().ok());
  Poll();
}

FlowService::~FlowService() { WARPBOOK_CHECK(service_->Stop().ok()); }

size_t FlowService::Poll() {
  size_t count = 0;
  while (const std::shared_ptr<const engine::DurableBatch> batch = port_->Poll()) {
    ++batches_;
    for (const wire::RecordView record : wire::Records(batch->records)) {
      if (record.type() == wire::RecordType::kCommandRejected) ++refused_;
      if (wire::IsCommand(record.type()) && record.type() != wire::RecordType::kTick) ++count;
    }
  }
  WARPBOOK_CHECK(!port_->lost());
  return count;
}

double FlowService::TimeFlow(const FlowResult& flow) {
  std::span<const wire::CommandRecord> rest = commands_.flow;
  size_t replied = 0;
  const SteadyClock::time_point start = SteadyClock::now();
  while (replied < commands_.flow.size()) {
    const size_t taken = port_->TrySubmit(rest.first(std::min<size_t>(rest.size(), 1'024)));
    rest = rest.subspan(taken);
    if (taken == 0) {
      WaitForFd(port_->ReadyFd(), SteadyClock::now() + std::chrono::milliseconds(1));
    }
    replied += Poll();
  }
  const double rate = static_cast<double>(replied) / SecondsSince(start);
  // The same orders as when it was played, and so the same work.
  WARPBOOK_CHECK(refused_ == flow.refused);
  return rate;
}

Percentiles FlowService::TimeReplies(size_t first, size_t count, int64_t commands_per_s) {
  return TimeOpenLoopReplies(
      count, commands_per_s, port_->ReadyFd(),
      [&](size_t i) {
        WARPBOOK_CHECK(port_->TrySubmit({&commands_.flow[first + i], 1}) == 1);
      },
      [&] { return Poll(); });
}

// ---- Replay ----

void WriteFlowJournal(const FlowCommands& commands, const std::string& directory) {
  engine::Engine engine(commands.limits);
  const std::unique_ptr<journal::LogAppender> appender = BeginLog(directory);
  AppendCommands(commands.setup, engine, *appender);
  AppendCommands(commands.flow, engine, *appender);
}

ReplayRates TimeReplay(const FlowResult& flow, const std::string& directory) {
  const auto rate = [&](auto&& work) {
    const SteadyClock::time_point start = SteadyClock::now();
    work();
    return static_cast<double>(flow.commands.setup.size() + flow.commands.flow.size()) /
           SecondsSince(start);
  };
  ReplayRates rates;
  rates.recover = rate([&] {
    engine::EngineService::Options options;
    options.journal_directory = directory;
    options.limits = flow.commands.limits;
    const auto service = engine::EngineService::Recover(options, nullptr);
    WARPBOOK_CHECK(service.ok() && (*service)->engine().event_hash() == flow.event_hash);
  });
  const auto scan = [&](const journal::OnBatch& on_batch) {
    WARPBOOK_CHECK(
        journal::ScanJournal(PosixFileSystem(), directory, engine::kRulesVersion, 0, on_batch)
            .ok());
  };
  rates.read = rate([&] { scan([](const journal::BatchView&) { return absl::OkStatus(); }); });
  std::vector<KeptBatch> batches;
  scan([&](const journal::BatchView& batch) {
    batches.emplace_back(batch);
    return absl::OkStatus();
  });
  wire::RecordWriter records;
  rates.execute = rate([&] {
    engine::Engine engine(flow.commands.limits);
    for (const KeptBatch& batch : batches) {
      records.Clear();
      for (const wire::RecordView record : wire::Records(batch.view.records)) {
        if (wire::IsCommand(record.type())) engine.Apply(record, 0, records);
      }
    }
    WARPBOOK_CHECK(engine.event_hash() == flow.event_hash);
  });
  rates.execute_and_compare = rate([&] {
    engine::Engine engine(flow.commands.limits);
    engine::Replayer replayer(engine);
    for (const KeptBatch& batch : batches) WARPBOOK_CHECK(replayer.Replay(batch.view).ok());
  });
  return rates;
}

}  // namespace warpbook::bench
