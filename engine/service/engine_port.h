// EnginePort: all that a gateway knows of the engine. In `warpbook serve` it is a pair of in-memory
// rings (engine/service/local_engine_port.h); a socket version lets gateways run elsewhere.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "schema/wire/record.h"

namespace warpbook::engine {

// Commands with their events, in journal order, at or below the durable watermark. Immutable and
// shared among all ports.
struct DurableBatch {
  uint64_t first_sequence = 0;
  uint32_t command_count = 0;
  std::vector<std::byte> records;  // each command's record, then its events'
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

  // A file descriptor (eventfd) that becomes readable when Poll() may have something. The owner
  // reads it empty (8 bytes) before it polls.
  virtual int ReadyFd() const = 0;

  // True once the owner fell so far behind that its undelivered batches were dropped: Poll() gives
  // no more and TrySubmit takes none. ReadyFd() becomes readable then. The owner starts again from
  // the journal.
  virtual bool lost() const { return false; }
};

}  // namespace warpbook::engine
