// EnginePort: all that a gateway knows of the engine. In `warpbook serve` it is a pair of in-memory
// rings (engine/service/local_engine_port.h); a socket version lets gateways run elsewhere.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "absl/status/status.h"
#include "schema/types/ids.h"
#include "schema/types/timestamp.h"
#include "schema/wire/record.h"

namespace warpbook::engine {

// Commands with their events, in journal order, at or below the durable watermark. Immutable and
// shared among all ports.
struct DurableBatch {
  uint64_t first_sequence = 0;
  uint32_t command_count = 0;
  std::vector<std::byte> records;  // each command's record, then its events'
};

// A question for what the journal has of one account's private events.
struct HistoryRequest {
  uint64_t id = 0;  // the owner's own; the page bears it
  AccountId account;
  uint64_t after_account_sequence = 0;
  // What lies in segments that end before it counts as no longer there (the market's time).
  Timestamp from_time;
  uint32_t events_max = 1'000;
};

// The next private events of the account, without a gap, up to what was durable when it was asked:
// that may be more than the port's batches have told yet.
struct HistoryPage {
  struct Event {
    int64_t time_us = 0;  // of its command
    uint32_t record_at = 0;
    uint32_t cause_at = kNoCause;
  };
  static constexpr uint32_t kNoCause = 0xffffffff;

  uint64_t id = 0;
  // OutOfRange: what was asked for is no longer there. Otherwise an error is the journal's.
  absl::Status status;
  // Where it is OutOfRange, the account's oldest event that is there; 0: none was found.
  uint64_t oldest_account_sequence = 0;
  std::vector<Event> events;       // at least one, unless there is none
  std::vector<std::byte> records;  // each event's record, and its cause's (schema/wire/causes.h)

  void Add(int64_t time_us, wire::RecordView record, wire::RecordView cause) {
    events.push_back({.time_us = time_us, .record_at = Append(record)});
    if (!cause.empty()) events.back().cause_at = Append(cause);
  }
  wire::RecordView record(const Event& event) const {
    return wire::RecordView(records.data() + event.record_at);
  }
  wire::RecordView cause(const Event& event) const {
    return event.cause_at == kNoCause ? wire::RecordView()
                                      : wire::RecordView(records.data() + event.cause_at);
  }

 private:
  uint32_t Append(wire::RecordView record) {
    const auto at = static_cast<uint32_t>(records.size());
    const std::span<const std::byte> bytes = record.bytes();
    records.insert(records.end(), bytes.begin(), bytes.end());
    return at;
  }
};

// One port belongs to one thread.
class EnginePort {
 public:
  virtual ~EnginePort() = default;

  // Offers commands in order; takes as many as there is room for and says how many. Sequence and
  // time of their headers are stamped by the sequencer.
  virtual size_t TrySubmit(std::span<const wire::CommandRecord> commands) = 0;

  // The next durable batch, or null where there is none yet. Batches come without a gap, from the
  // first one after those that recovery replayed (EngineService::Recover hands those to its
  // caller).
  virtual std::shared_ptr<const DurableBatch> Poll() = 0;

  // Asks the journal, which may take a while; nobody waits for it. Answers come in the order of the
  // questions. False: too many were asked and not answered and polled yet; to be asked again.
  virtual bool AskHistory(const HistoryRequest& request) = 0;
  // The next answer, or null where there is none yet.
  virtual std::unique_ptr<const HistoryPage> PollHistory() = 0;

  // A file descriptor (eventfd) that becomes readable when Poll() or PollHistory() may have
  // something. The owner reads it empty (8 bytes) before it polls.
  virtual int ReadyFd() const = 0;

  // True once the owner fell so far behind that its undelivered batches were dropped: Poll() gives
  // no more and TrySubmit takes none. ReadyFd() becomes readable then. The owner starts again from
  // the journal.
  virtual bool lost() const { return false; }
};

}  // namespace warpbook::engine
