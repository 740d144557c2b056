// What a session writes, and how it ends.
#include <array>
#include <boost/asio/post.hpp>
#include <utility>

#include "gateway/net/monotonic_time.h"
#include "gateway/net/session.h"
#include "gateway/protocol/reply_writer.h"
#include "schema/base/clock.h"

namespace warpbook::gateway {
namespace {

using boost::asio::ip::tcp;
using boost::system::error_code;

// Of one write. Own frames that follow each other are one piece, however many they are.
constexpr size_t kPiecesPerWrite = 128;

// An error that belongs to the connection and to no request of it.
std::string ConnectionError(Encoding encoding, RejectReason reason) {
  const int64_t now = SystemClock().NowMicros();
  ReplyHead head;
  head.time_in_us = now;
  head.time_out_us = now;
  std::string text;
  MessageWriter out(encoding, text);
  WriteError(out, head, {.reason = reason}, RequestOutcome::kRejected);
  return text;
}

size_t BytesOf(std::span<const iovec> pieces) {
  size_t bytes = 0;
  for (const iovec& piece : pieces) bytes += piece.iov_len;
  return bytes;
}

}  // namespace

// By index: what is flushed may make others, and itself, have more to write.
void SessionThread::FlushAll() {
  for (size_t i = 0; i < to_flush.size(); ++i) {
    const std::shared_ptr<Session> session = std::move(to_flush[i]);
    session->Flush();
  }
  to_flush.clear();
}

// ---- Into the queue ----

void Session::Send(std::string_view message) {
  if (state_ != State::kOpen) return;
  const bool compress = deflates_ && message.size() >= kCompressedMessageBytesMin;
  if (compress) message = thread_.deflater.Compress(message);
  if (!queue_.Push(MessageOpcode(), message, compress, thread_.now_micros())) return Overflow();
  ScheduleFlush();
}

bool Session::SendPublic(const SharedMessage& message) {
  if (state_ != State::kOpen) return true;  // nobody waits for it any more
  const bool compress = deflates_ && message->payload.size() >= kCompressedMessageBytesMin;
  if (compress && message->deflated.empty()) {
    message->deflated = thread_.deflater.Compress(message->payload);
  }
  std::shared_ptr<const std::string> payload(message,
                                             compress ? &message->deflated : &message->payload);
  if (!queue_.PushShared(MessageOpcode(), std::move(payload), compress, thread_.now_micros())) {
    public_refused_ = true;
    return false;
  }
  ScheduleFlush();
  return true;
}

void Session::PushControl(Opcode opcode, std::string_view payload) {
  std::string frame;
  AppendFrame(frame, opcode, payload);
  queue_.PushBytes(frame, MonotonicMicros());
  ScheduleFlush();
}

void Session::ScheduleFlush() {
  if (flush_scheduled_) return;
  flush_scheduled_ = true;
  thread_.to_flush.push_back(shared_from_this());
}

// ---- Out of it ----

void Session::Flush() {
  flush_scheduled_ = false;
  if (state_ == State::kGone) return;
  if (!waits_to_write_) WriteQueue();
  if (state_ != State::kGone) AfterWriting();
}

void Session::WriteQueue() {
  while (!queue_.empty() || transport_->has_unsent()) {
    std::array<iovec, kPiecesPerWrite> pieces;
    const std::span<const iovec> gathered(pieces.data(), queue_.Gather(pieces));
    const IoResult result = transport_->Write(gathered);
    if (result.state == IoResult::State::kEnd) return Cut("the client went");
    if (result.state == IoResult::State::kWaitRead) return;  // every read comes back here
    if (result.state == IoResult::State::kWaitWrite) return WaitToWrite();
    if (result.bytes > 0) {
      const int64_t now = MonotonicMicros();
      if (stalled_since_micros_ != 0) stalled_since_micros_ = now;
      queue_.OnWritten(result.bytes, now);
    }
    if (transport_->has_unsent() || result.bytes < BytesOf(gathered)) return WaitToWrite();
  }
  stalled_since_micros_ = 0;
}

void Session::WaitToWrite() {
  if (stalled_since_micros_ == 0) stalled_since_micros_ = MonotonicMicros();
  if (std::exchange(waits_to_write_, true)) return;
  socket_.async_wait(tcp::socket::wait_write, [self = shared_from_this()](error_code error) {
    self->waits_to_write_ = false;
    if (error) return;
    self->thread_.BeginTurn();
    self->Flush();
    self->thread_.FlushAll();
  });
}

void Session::AfterWriting() {
  const bool is_drained = queue_.empty() && !transport_->has_unsent();
  if (state_ == State::kClosing && is_drained && !expects_close_) return Linger();
  if (paused_ && !awaited_ && !IsPaused() && state_ != State::kLingering) ResumeReading();
  if (public_refused_ && state_ == State::kOpen && queue_.has_room_for_public()) {
    public_refused_ = false;
    host_.OnRoom(*this);
  }
}

// ---- The end ----

void Session::End(CloseCode code) {
  if (state_ == State::kHttp) return Cut("ended before it was open");
  if (state_ != State::kOpen) return;
  why_ = "closed";
  Close(static_cast<uint16_t>(code));
  BeginClosing(/*expects_answer=*/true);
}

// The client has broken a rule: it is told which, where the close code does not say it, and nothing
// more is read of it.
void Session::Refuse(CloseCode code, RejectReason reason) {
  if (state_ == State::kOpen) {
    if (reason != RejectReason::kNone) {
      why_ = RejectReasonCode(reason);
      PushControl(MessageOpcode(), ConnectionError(encoding_, reason));
    }
    Close(static_cast<uint16_t>(code));
  }
  BeginClosing(/*expects_answer=*/false);
}

// The other side does not read: what waits is worth nothing any more, as the connection ends; why
// it does is the last that is said.
void Session::Overflow() {
  queue_.DropUnbegun();
  Refuse(CloseCode::kPolicyViolation, RejectReason::kSlowConsumer);
  expects_close_ = true;
}

void Session::Close(uint16_t code) {
  std::string frame;
  AppendCloseFrame(frame, code);
  queue_.PushBytes(frame, MonotonicMicros());
}

void Session::BeginClosing(bool expects_answer) {
  state_ = State::kClosing;
  since_micros_ = MonotonicMicros();
  expects_close_ = expects_answer;
  ScheduleFlush();
  // Not from inside Send: whoever sends is in the middle of its lists.
  boost::asio::post(socket_.get_executor(), [self = shared_from_this()] {
    if (self->was_opened_) self->host_.OnEnding(*self);
    self->thread_.FlushAll();
  });
}

void Session::Linger() {
  const IoResult result = transport_->EndWriting();
  if (result.state == IoResult::State::kWaitWrite) return WaitToWrite();
  state_ = State::kLingering;
  paused_ = false;
  std::string().swap(kept_input_);
  WaitToRead(tcp::socket::wait_read);
}

void Session::Cut(std::string_view why) {
  if (state_ == State::kGone) return;
  state_ = State::kGone;
  if (why_.empty()) why_ = why;
  queue_.Clear();
  error_code ignored;
  socket_.close(ignored);
  boost::asio::post(socket_.get_executor(), [self = shared_from_this()] {
    if (self->was_opened_) self->host_.OnEnding(*self);
    self->host_.OnGone(*self, self->why_);
  });
}

void Session::Sweep(int64_t now_micros) {
  if (stalled_since_micros_ != 0 &&
      now_micros - stalled_since_micros_ > limits_.write_stall_micros) {
    return Cut(kWriteStall);
  }
  switch (state_) {
    case State::kHttp:
      if (awaited_) return;  // it has asked, and is owed an answer
      if (now_micros - since_micros_ <= limits_.handshake_timeout_micros) return;
      if (kept_input_.empty()) return Cut("handshake timeout");  // it has asked for nothing
      return Answer(HttpError(408, "request_timeout", "The request did not come to its end."),
                    /*keep_alive=*/false, /*head_only=*/false);
    case State::kOpen: {
      if (queue_.AgeMicros(now_micros) > limits_.send_queue_age_max_micros) return Overflow();
      const int64_t silent = now_micros - heard_micros_;
      if (paused_) return;  // it may well say something
      if (silent > limits_.idle_timeout_micros) {
        return Refuse(CloseCode::kPolicyViolation, RejectReason::kIdleConnection);
      }
      if (silent > limits_.idle_timeout_micros / 2 && !std::exchange(ping_sent_, true)) {
        PushControl(Opcode::kPing, {});
      }
      return;
    }
    case State::kClosing:
    case State::kLingering:
      if (now_micros - since_micros_ > limits_.close_timeout_micros) Cut("close timeout");
      return;
    case State::kGone:
      return;
  }
}

}  // namespace warpbook::gateway
