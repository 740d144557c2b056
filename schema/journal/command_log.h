// CommandLog: the append-only sequence of batches, each of commands and the events that they
// caused, behind which the exchange keeps its truth. The sequencer knows only this; the first
// implementation is a directory of files (file_command_log.h), a later one may be replicated.
//
// The contract. tests/schema/journal/command_log_conformance.h holds an implementation to it.
//
// Sequences. The log's first command has sequence 1, each further one the next number. A batch is a
//   whole: at every time, to everybody, all of it is there or nothing.
// Durable. Append answers OK when the batch is durable, and not before: from then on it survives
//   whatever the implementation says that it survives (the local file: the end of the process and
//   the loss of power; a replicated log: the loss of a minority). OK is also true for every batch
//   before it.
// One batch in flight. Append and WriteIdleMarker return when it is decided: at most the last batch
//   is ever in doubt.
// A fault is final. After a status that is not OK, nobody knows whether the batch in flight will be
//   there; asking again cannot tell. Every later call of the appender answers with a fault, and the
//   process that owns it must end: its next life learns from Recover what became of the batch.
// What is lost: nothing that was acknowledged with OK. What may appear: the one batch that was in
//   flight at a fault or at the end of the process, whole, behind everything acknowledged. Nothing
//   else ever does, and nothing twice.
// Recover gives every batch of the log, or every one behind a start that the caller knows (a
// snapshot's), in order and without a gap. What it gave is as durable as
//   what was acknowledged, from the return of Begin on at the latest: the next Recover gives it
//   too. A log that is damaged where it must not be is refused (DataLoss), and nothing is changed.
// Epochs. Begin starts an epoch higher than every earlier one and fences those before it: at most
//   one appender can ever get OK. A second process is refused at Recover (FailedPrecondition) while
//   the first one lives, or it takes the log over: then the earlier appender's calls answer with a
//   fault, and no batch of it that was not there at the takeover's Recover appears later. A batch
//   keeps the epoch that it was written in.
// Readers see the batches that are durable, in order, without a gap, from the place where they
//   began: never a batch that a later Recover could miss, and at once each one that was
//   acknowledged. They need nothing of the appender's process, and it never waits for them.
// Idle marker. Durability may be proved by what follows: a file that ends can look like one whose
//   end is damaged. The owner writes a marker within 10 ms of falling idle and before it ends, so
//   that a log that loses acknowledged batches afterwards is refused rather than taken for a
//   shorter one. It takes no sequence, and neither readers nor Recover show it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace warpbook::journal {

// Commands, each followed by its events, as schema/wire/record.h lays them out: numbered from the
// log's next sequence, command_index from 0.
struct BatchToWrite {
  uint32_t command_count = 0;  // at least 1
  uint32_t event_count = 0;
  std::span<const std::byte> records;
};

// One durable batch. `records` (validated) is valid until the reader's next call, or for the call
// that it is given to.
struct BatchView {
  uint64_t epoch = 0;
  uint64_t first_sequence = 0;
  uint32_t command_count = 0;
  uint32_t event_count = 0;
  std::span<const std::byte> records;
  uint32_t rules_version = 0;  // who executes its commands again looks at it
};

using OnBatch = std::function<absl::Status(const BatchView&)>;
// The sequence up to which the caller knows everything: a snapshot's; 0: nothing.
using FindStart = std::function<absl::StatusOr<uint64_t>()>;

// Appends at the log's end. One thread owns it; it holds the log until it is destroyed or fenced.
class LogAppender {
 public:
  virtual ~LogAppender() = default;

  // OK: the batch is durable.
  virtual absl::Status Append(const BatchToWrite& batch) = 0;

  // Makes it durable that the last batch is, where that is not yet so. Does nothing otherwise.
  virtual absl::Status WriteIdleMarker() = 0;
  virtual bool needs_idle_marker() const = 0;
};

// Reads the durable batches in order, from any process. One thread owns it.
class LogReader {
 public:
  virtual ~LogReader() = default;

  // The next durable batch with commands; nullopt where there is none yet. DataLoss, saying where,
  // if the log is damaged below its durable sequence.
  virtual absl::StatusOr<std::optional<BatchView>> Next() = 0;
};

// What Recover found.
struct LogEnd {
  uint64_t last_sequence = 0;  // 0: the log is empty
  uint64_t next_epoch = 1;     // of the appender that Begin will give
  std::string repair_note;     // one sentence where the batch in flight was cut off, else empty
};

// One process's way to a log: Recover, then Begin. One thread owns it.
class CommandLog {
 public:
  virtual ~CommandLog() = default;

  // Takes the log for this process, asks `find_start` (null: 0), and makes the log ready to be
  // written again after any end of its last appender. Gives each batch with commands behind the
  // start to `on_batch`, in order; what either refuses is the answer, and leaves the log as it was.
  virtual absl::StatusOr<LogEnd> Recover(const FindStart& find_start, const OnBatch& on_batch) = 0;

  // Once, after a Recover that was OK (CHECKed): begins the next epoch.
  virtual absl::StatusOr<std::unique_ptr<LogAppender>> Begin() = 0;
};

}  // namespace warpbook::journal
