#include "gateway/net/output_queue.h"

#include <algorithm>
#include <array>
#include <utility>

#include "schema/base/check.h"

namespace warpbook::gateway {
namespace {

// What the pool keeps: buffers up to this size each, and so much together.
constexpr size_t kPooledBuffersBytesMax = 128 * 1024;
constexpr size_t kPoolBytesMax = 16 * 1024 * 1024;
// A shared payload that is shorter is copied: that costs less than to count its users.
constexpr size_t kSharedPayloadBytesMin = 256;
// Of one write: a socket takes less.
constexpr size_t kGatheredBytesMax = 1024 * 1024;

}  // namespace

// ---- The pool ----

size_t OutputPool::MemoryOf(const OutputBuffers& buffers) {
  return sizeof buffers + buffers.bytes.capacity() +
         buffers.frames.capacity() * sizeof(OutputBuffers::Frame);
}

std::unique_ptr<OutputBuffers> OutputPool::Take() {
  if (free_.empty()) return std::make_unique<OutputBuffers>();
  std::unique_ptr<OutputBuffers> buffers = std::move(free_.back());
  free_.pop_back();
  memory_ -= MemoryOf(*buffers);
  return buffers;
}

void OutputPool::Give(std::unique_ptr<OutputBuffers> buffers) {
  buffers->bytes.clear();
  buffers->frames.clear();
  const size_t memory = MemoryOf(*buffers);
  if (memory > kPooledBuffersBytesMax || memory_ + memory > kPoolBytesMax) return;
  memory_ += memory;
  free_.push_back(std::move(buffers));
}

// ---- Into the queue ----

OutputBuffers& OutputQueue::Buffers() {
  if (buffers_ == nullptr) buffers_ = pool_.Take();
  return *buffers_;
}

bool OutputQueue::HasRoom(size_t payload_bytes) const {
  return bytes_ + payload_bytes <= limits_.send_queue_bytes_max &&
         (empty() || buffers_->frames.size() - first_ < limits_.send_queue_messages_max);
}

void OutputQueue::Append(OutputBuffers::Frame frame, int64_t now_micros) {
  const bool was_empty = bytes_ == 0;
  bytes_ += frame.size();
  buffers_->frames.push_back(std::move(frame));
  if (was_empty) {
    until_mark_ = bytes_;
    mark_micros_ = now_micros;
  }
}

bool OutputQueue::Push(Opcode opcode, std::string_view payload, bool compressed,
                       int64_t now_micros) {
  if (!HasRoom(payload.size())) return false;
  std::string& bytes = Buffers().bytes;
  const size_t before = bytes.size();
  AppendFrame(bytes, opcode, payload, compressed);
  Append({.own_bytes = static_cast<uint32_t>(bytes.size() - before), .shared = nullptr},
         now_micros);
  return true;
}

bool OutputQueue::PushShared(Opcode opcode, std::shared_ptr<const std::string> payload,
                             bool compressed, int64_t now_micros) {
  if (bytes_ != 0 && bytes_ + payload->size() > limits_.send_queue_public_bytes) return false;
  if (payload->size() < kSharedPayloadBytesMin) {
    return Push(opcode, *payload, compressed, now_micros);
  }
  if (!HasRoom(payload->size())) return false;
  std::array<char, kFrameHeadBytesMax> head;
  const size_t head_bytes = WriteFrameHead(head.data(), opcode, payload->size(), compressed);
  Buffers().bytes.append(head.data(), head_bytes);
  Append({.own_bytes = static_cast<uint32_t>(head_bytes), .shared = std::move(payload)},
         now_micros);
  return true;
}

void OutputQueue::PushBytes(std::string_view bytes, int64_t now_micros) {
  Buffers().bytes += bytes;
  Append({.own_bytes = static_cast<uint32_t>(bytes.size()), .shared = nullptr}, now_micros);
}

void OutputQueue::DropUnbegun() {
  if (empty()) return;
  if (first_written_ == 0) return Clear();
  const OutputBuffers::Frame& begun = buffers_->frames[first_];
  bytes_ = begun.size() - first_written_;
  until_mark_ = std::min(until_mark_, bytes_);
  buffers_->bytes.resize(own_begin_ + begun.own_bytes);
  buffers_->frames.resize(first_ + 1);
}

void OutputQueue::Clear() {
  if (buffers_ != nullptr) pool_.Give(std::move(buffers_));
  bytes_ = first_ = first_written_ = own_begin_ = until_mark_ = 0;
}

// ---- Out of it ----

size_t OutputQueue::Gather(std::span<iovec> pieces) const {
  if (empty()) return 0;
  size_t count = 0, gathered = 0, skip = first_written_, own_at = own_begin_;
  const auto add = [&](const char* data, size_t size) {
    const size_t skipped = std::min(skip, size);
    skip -= skipped;
    if (size == skipped) return true;
    // Own bytes of frames that follow each other lie together.
    if (count > 0 &&
        static_cast<char*>(pieces[count - 1].iov_base) + pieces[count - 1].iov_len == data) {
      pieces[count - 1].iov_len += size;
      return true;
    }
    if (count == pieces.size()) return false;
    pieces[count++] = {const_cast<char*>(data) + skipped, size - skipped};
    return true;
  };
  for (size_t i = first_; i < buffers_->frames.size() && gathered < kGatheredBytesMax; ++i) {
    const OutputBuffers::Frame& frame = buffers_->frames[i];
    gathered += frame.size();
    if (!add(buffers_->bytes.data() + own_at, frame.own_bytes)) break;
    own_at += frame.own_bytes;
    if (frame.shared != nullptr && !add(frame.shared->data(), frame.shared->size())) break;
  }
  return count;
}

void OutputQueue::OnWritten(size_t written, int64_t now_micros) {
  WARPBOOK_CHECK(written <= bytes_);
  bytes_ -= written;
  if (bytes_ == 0) return Clear();
  if (written >= until_mark_) {
    until_mark_ = bytes_;
    mark_micros_ = now_micros;
  } else {
    until_mark_ -= written;
  }
  first_written_ += written;
  std::vector<OutputBuffers::Frame>& frames = buffers_->frames;
  while (first_written_ >= frames[first_].size()) {
    first_written_ -= frames[first_].size();
    own_begin_ += frames[first_].own_bytes;
    frames[first_].shared.reset();
    ++first_;
  }
  // A connection that always has something waiting would grow for ever. What is moved is less than
  // what was written.
  if (first_ > frames.size() / 2 && own_begin_ > buffers_->bytes.size() / 2) {
    buffers_->bytes.erase(0, own_begin_);
    frames.erase(frames.begin(), frames.begin() + static_cast<ptrdiff_t>(first_));
    own_begin_ = first_ = 0;
  }
}

}  // namespace warpbook::gateway
