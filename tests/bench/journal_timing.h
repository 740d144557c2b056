// How fast the journal is: alone, under the running engine, and when it is replayed.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "engine/service/engine_service.h"
#include "schema/base/file.h"
#include "schema/journal/command_log.h"
#include "tests/bench/flow_market.h"
#include "tests/bench/statistics.h"

namespace warpbook::bench {

// ---- Batches ----

// Appends batches of one size to a command log of files.
class LogAppends {
 public:
  LogAppends(const std::string& directory, size_t batch_bytes, uint64_t segment_size);
  // Bytes per second.
  double Time(int batches);

 private:
  const size_t batch_bytes_;  // on disk, with header and padding
  std::vector<std::byte> records_;
  journal::BatchToWrite batch_;
  std::unique_ptr<journal::LogAppender> appender_;
  uint64_t next_sequence_ = 1;
};

// ---- The running engine ----

// A whole minute a day ago, by the machine's clock.
int64_t YesterdayMicros();

// A file system whose syncs of files take so long, and do nothing else: a disk of a known speed.
std::unique_ptr<FileSystem> MakeDelayedFileSystem(int64_t sync_us);

// An engine service over a journal that holds the flow's setup.
class FlowService {
 public:
  // The flow's times must be past, its windows not.
  FlowService(const FlowCommands& commands, const std::string& directory, FileSystem& files);
  ~FlowService();

  // Submits the whole flow and reads every durable event. Commands per second.
  double TimeFlow(const FlowResult& flow);
  uint64_t batches() const { return batches_; }

  // Submits commands, one each 1 / rate seconds; from each one's submission until the reply has
  // been polled. Nanoseconds. `first` is the flow's command to begin with.
  Percentiles TimeReplies(size_t first, size_t count, int64_t commands_per_s);

 private:
  // Takes what is durable; says how many commands of the flow it holds.
  size_t Poll();

  const FlowCommands& commands_;
  std::unique_ptr<engine::EngineService> service_;
  std::unique_ptr<engine::EnginePort> port_;
  uint64_t batches_ = 0;
  uint64_t refused_ = 0;
};

// The same as TimeReplies of one write of 4 KiB and its fdatasync, behind the same wake-ups: to a
// first thread, from it to the one that writes, and from that back by an eventfd.
Percentiles TimeRawReplies(const std::string& directory, size_t count, int64_t requests_per_s);

// ---- Replay ----

// Commands per second.
struct ReplayRates {
  double recover = 0;              // all of it
  double read = 0;                 // reading the journal and checking it, and nothing else
  double execute = 0;              // applying the commands, from memory
  double execute_and_compare = 0;  // and holding the events against those of the journal
};

// Writes the setup and the flow as the service would.
void WriteFlowJournal(const FlowCommands& commands, const std::string& directory);
ReplayRates TimeReplay(const FlowResult& flow, const std::string& directory);

}  // namespace warpbook::bench
