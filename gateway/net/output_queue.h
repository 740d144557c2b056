// OutputQueue: the frames that wait to be written on one connection, in order, and what of them has
// left. Frames of the connection's own are bytes here; the payload of a message for many stays
// shared. Bounded in bytes, messages and age; what happens beyond is the connection's to do
// (gateway/admission/limits.h). The I/O thread owns it.
//
// While nothing waits it holds no memory: its buffers come from a pool of the thread's, so that
// many idle connections cost little and busy ones allocate nothing.
#pragma once

#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/admission/limits.h"
#include "gateway/net/frame_codec.h"
#include "gateway/publish/subscriber.h"

namespace warpbook::gateway {

// What a queue with something in it is made of.
struct OutputBuffers {
  // One message: bytes in `bytes`, and behind them the payload of the shared message, if it is one.
  struct Frame {
    uint32_t own_bytes = 0;
    // An alias of the message: owns it, points at the payload that goes out.
    std::shared_ptr<const std::string> shared;
    size_t size() const { return own_bytes + (shared == nullptr ? 0 : shared->size()); }
  };
  std::string bytes;
  std::vector<Frame> frames;
};

class OutputPool {
 public:
  std::unique_ptr<OutputBuffers> Take();
  void Give(std::unique_ptr<OutputBuffers> buffers);

 private:
  static size_t MemoryOf(const OutputBuffers& buffers);
  std::vector<std::unique_ptr<OutputBuffers>> free_;
  size_t memory_ = 0;
};

class OutputQueue {
 public:
  OutputQueue(const GatewayLimits& limits, OutputPool& pool) : limits_(limits), pool_(pool) {}
  ~OutputQueue() { Clear(); }

  // The time, a monotonic clock's, is what the age of the message counts from.
  // False: a limit is reached, and nothing was taken.
  bool Push(Opcode opcode, std::string_view payload, bool compressed, int64_t now_micros);
  // Market data has a lower limit. The first message always fits: a snapshot may be longer.
  bool PushShared(Opcode opcode, std::shared_ptr<const std::string> payload, bool compressed,
                  int64_t now_micros);
  // Bytes that are no message of the client's to count (a close frame, an HTTP answer): always
  // taken.
  void PushBytes(std::string_view bytes, int64_t now_micros);
  // Drops every frame of which nothing has left.
  void DropUnbegun();
  void Clear();

  // What is to be written next, in order; how many pieces of the array it filled.
  size_t Gather(std::span<iovec> pieces) const;
  // So many of those bytes have left.
  void OnWritten(size_t bytes, int64_t now_micros);

  bool empty() const { return buffers_ == nullptr; }
  size_t bytes() const { return bytes_; }
  // Whether market data may be offered again after it was refused.
  bool has_room_for_public() const { return bytes_ <= limits_.send_queue_public_bytes / 2; }
  // The oldest byte has waited at least this long; at most twice as long.
  int64_t AgeMicros(int64_t now_micros) const { return empty() ? 0 : now_micros - mark_micros_; }

 private:
  bool HasRoom(size_t payload_bytes) const;
  void Append(OutputBuffers::Frame frame, int64_t now_micros);
  OutputBuffers& Buffers();

  const GatewayLimits& limits_;
  OutputPool& pool_;
  std::unique_ptr<OutputBuffers> buffers_;  // null: nothing waits
  size_t bytes_ = 0;                        // waiting
  size_t first_ = 0;                        // the frame at the front
  size_t first_written_ = 0;                // so many of its bytes have left
  size_t own_begin_ = 0;                    // where its own bytes begin
  // Age without a clock for each frame: everything up to the mark, `until_mark_` bytes from the
  // front, waited already when the mark was made.
  size_t until_mark_ = 0;
  int64_t mark_micros_ = 0;
};

}  // namespace warpbook::gateway
