// Reading: HTTP and frames. Writing and the end are in session_output.cc.
#include "gateway/net/session.h"

#include <boost/asio/post.hpp>
#include <utility>

#include "gateway/net/handshake.h"
#include "gateway/net/http_answers.h"
#include "gateway/net/monotonic_time.h"

namespace warpbook::gateway {
namespace {

using boost::asio::ip::tcp;
using boost::system::error_code;

// Reads of one connection before the others get their turn.
constexpr int kReadsPerTurn = 4;
// What is thrown away of one that is at its end.
constexpr size_t kDiscardBytesMax = 1024 * 1024;

}  // namespace

Session::Session(tcp::socket socket, std::string peer, const SessionOptions& options)
    : socket_(std::move(socket)),
      transport_(options.tls == nullptr ? MakePlainTransport(socket_.native_handle())
                                        : options.tls->MakeTransport(socket_.native_handle())),
      limits_(options.limits),
      host_(options.host),
      thread_(options.thread),
      visitor_(options.connection_id, std::move(peer), options.on_admin,
               options.on_admin ? options.limits.admin : options.limits.client),
      refused_(options.refused),
      allow_deflate_(options.allow_deflate),
      reader_({.message_bytes_max = options.limits.message_bytes_max,
               .message_frames_max = options.limits.message_frames_max}),
      control_frames_(options.limits.control_frames_per_second,
                      options.limits.control_frames_burst),
      queue_(options.limits, options.thread.output_pool),
      since_micros_(MonotonicMicros()),
      heard_micros_(since_micros_) {}

void Session::Start() {
  error_code error;
  socket_.non_blocking(true, error);
  if (error) return Cut(error.message());
  socket_.set_option(tcp::no_delay(true), error);
  if (limits_.socket_send_buffer_bytes > 0) {
    socket_.set_option(tcp::socket::send_buffer_size(limits_.socket_send_buffer_bytes), error);
  }
  WaitToRead(tcp::socket::wait_read);
}

// ---- Reading ----

void Session::WaitToRead(tcp::socket::wait_type what) {
  if (waits_to_read_ || state_ == State::kGone) return;
  waits_to_read_ = true;
  socket_.async_wait(what, [self = shared_from_this()](error_code error) {
    self->waits_to_read_ = false;
    if (!error) self->OnReadable();
  });
}

void Session::OnReadable() {
  for (int i = 0; i < kReadsPerTurn; ++i) {
    if (paused_ || state_ == State::kGone || !ReadOnce()) break;
  }
  thread_.FlushAll();
  if (paused_ || state_ == State::kGone || waits_to_read_) return;
  // What the transport holds makes no socket readable.
  if (!transport_->has_unread()) return WaitToRead(tcp::socket::wait_read);
  waits_to_read_ = true;
  boost::asio::post(socket_.get_executor(), [self = shared_from_this()] {
    self->waits_to_read_ = false;
    self->OnReadable();
  });
}

// False: there is no more to read now.
bool Session::ReadOnce() {
  const IoResult result = transport_->Read(thread_.read_buffer);
  switch (result.state) {
    case IoResult::State::kBytes:
      thread_.BeginTurn();
      heard_micros_ = thread_.now_micros();
      ping_sent_ = false;
      OnInput(std::span(thread_.read_buffer).first(result.bytes));
      return result.bytes == thread_.read_buffer.size() || transport_->has_unread();
    case IoResult::State::kWaitRead:
      WaitToRead(tcp::socket::wait_read);
      return false;
    case IoResult::State::kWaitWrite:
      WaitToRead(tcp::socket::wait_write);
      return false;
    case IoResult::State::kEnd:
      OnEndOfInput();
      return false;
  }
  return false;
}

void Session::OnInput(std::span<char> input) {
  switch (state_) {
    case State::kHttp:
      return OnHttpInput(input);
    case State::kOpen:
      return OnFrames(input);
    case State::kClosing:
      // The client's close frame may come behind what it sent before.
      if (expects_close_) OnFrames(input);
      discarded_ += input.size();
      paused_ |= discarded_ > kDiscardBytesMax && state_ == State::kClosing;
      return;
    case State::kLingering:
      discarded_ += input.size();
      if (discarded_ > kDiscardBytesMax) Cut("too much behind the close");
      return;
    case State::kGone:
      return;
  }
}

void Session::PauseReading(std::span<const char> rest) {
  kept_input_.assign(rest.data(), rest.size());
  paused_ = true;
}

// Not in one go: whoever has made room is in the middle of writing.
void Session::ResumeReading() {
  boost::asio::post(socket_.get_executor(), [self = shared_from_this()] {
    if (!std::exchange(self->paused_, false)) return;
    self->thread_.BeginTurn();
    std::string kept = std::exchange(self->kept_input_, {});
    self->OnInput(kept);
    if (!self->paused_) return self->OnReadable();
    self->thread_.FlushAll();
  });
}

void Session::OnEndOfInput() {
  const bool has_output = !queue_.empty() || transport_->has_unsent();
  if (state_ != State::kClosing || expects_close_ || !has_output) return Cut("the client went");
  // It has ended its direction and waits for the answer, which is on its way.
  paused_ = true;
}

// ---- HTTP ----

void Session::OnHttpInput(std::span<const char> input) {
  kept_input_.append(input.data(), input.size());
  while (state_ == State::kHttp) {
    paused_ = IsPaused() || awaited_;
    if (paused_ || !TakeRequest()) return;
  }
}

// Handles the request at the front of what was kept; false where there is no whole one.
bool Session::TakeRequest() {
  if (!MayBeHttp(kept_input_)) return Cut("not HTTP"), false;
  const size_t size = FindHeadEnd(kept_input_, searched_);
  searched_ = kept_input_.size();
  if (size > limits_.http_header_bytes_max ||
      (size == 0 && kept_input_.size() > limits_.http_header_bytes_max)) {
    Answer(HttpError(431, "header_too_large", "The request's header is too large."), false, false);
    return false;
  }
  if (size == 0) return false;
  const std::string head = kept_input_.substr(0, size);
  kept_input_.erase(0, size);
  searched_ = 0;
  HttpRequest request;
  if (!ParseHttpRequest(head, request)) {
    Answer(HttpError(400, "bad_request", "The request is no HTTP."), false, false);
    return false;
  }
  OnRequest(head, request, !kept_input_.empty());
  if (kept_input_.empty()) std::string().swap(kept_input_);
  return !kept_input_.empty();
}

void Session::OnRequest(std::string_view head, const HttpRequest& request, bool has_more) {
  const std::optional<HttpAnswer> answer = AnswerHttp(request,
                                                      {.peer = visitor_.address,
                                                       .connection_id = visitor_.connection_id,
                                                       .on_admin = visitor_.on_admin,
                                                       .refused = refused_,
                                                       .has_more = has_more},
                                                      host_);
  if (!answer) return Upgrade(head);
  const bool is_last = ++http_requests_ >= limits_.http.requests_per_connection_max;
  const bool keep_alive = answer->keeps_connection && request.keep_alive && !is_last;
  if (!answer->later) return Answer(*answer, keep_alive, request.is_head);
  awaited_ = {keep_alive, request.is_head};
  paused_ = true;
}

void Session::AnswerLater(const HttpAnswer& answer) {
  if (state_ != State::kHttp || !awaited_) return;
  const LaterAnswer awaited = *std::exchange(awaited_, std::nullopt);
  Answer(answer, awaited.keep_alive, awaited.head_only);
}

void Session::Answer(const HttpAnswer& answer, bool keep_alive, bool head_only) {
  since_micros_ = MonotonicMicros();
  queue_.PushBytes(FormatHttpAnswer(answer, keep_alive, head_only), since_micros_);
  ScheduleFlush();
  if (keep_alive) return;
  why_ = "http";
  BeginClosing(/*expects_answer=*/false);
}

void Session::Upgrade(std::string_view head) {
  const Handshake handshake = AcceptHandshake(head, {.allow_deflate = allow_deflate_});
  queue_.PushBytes(handshake.response, MonotonicMicros());
  ScheduleFlush();
  if (!handshake.accepted) {
    why_ = "bad handshake";
    return BeginClosing(/*expects_answer=*/false);
  }
  state_ = State::kOpen;
  was_opened_ = true;
  encoding_ = handshake.encoding;
  deflates_ = handshake.deflates_to_client;
  reader_.AllowCompressed(handshake.deflate);
  host_.OnOpened(*this);
}

// ---- WebSocket ----

void Session::OnFrames(std::span<char> input) {
  while (true) {
    if (state_ == State::kOpen && IsPaused()) {
      Flush();  // the socket may take it
      if (state_ == State::kOpen && IsPaused()) return PauseReading(input);
    }
    const bool reads_on = state_ == State::kOpen || (state_ == State::kClosing && expects_close_);
    if (!reads_on) return;
    const FrameEvent event = reader_.Next(input);
    if (event.kind == FrameEvent::Kind::kMore) return;
    OnFrame(event);
  }
}

void Session::OnFrame(const FrameEvent& event) {
  const bool is_open = state_ == State::kOpen;
  switch (event.kind) {
    case FrameEvent::Kind::kMore:
      return;
    case FrameEvent::Kind::kMessage:
      if (is_open) OnMessage(event);
      return;
    case FrameEvent::Kind::kPing:
    case FrameEvent::Kind::kPong:
      if (!is_open) return;
      if (control_frames_.Take(heard_micros_) != 0) {
        return Refuse(CloseCode::kPolicyViolation, RejectReason::kRateLimited);
      }
      if (event.kind == FrameEvent::Kind::kPing) PushControl(Opcode::kPong, event.payload);
      return;
    case FrameEvent::Kind::kClose:
      return OnCloseFrame(event.close_code);
    case FrameEvent::Kind::kFault:
      break;
  }
  switch (static_cast<CloseCode>(event.close_code)) {
    case CloseCode::kTooBig:
      return Refuse(CloseCode::kTooBig, RejectReason::kFrameTooLarge);
    case CloseCode::kInvalidPayload:
      return Refuse(CloseCode::kInvalidPayload, RejectReason::kInvalidUtf8);
    case CloseCode::kPolicyViolation:
      return Refuse(CloseCode::kPolicyViolation, RejectReason::kRateLimited);
    default:
      return Refuse(CloseCode::kProtocolError, RejectReason::kNone);
  }
}

void Session::OnMessage(const FrameEvent& event) {
  std::string_view message = event.payload;
  if (event.compressed) {
    const MessageInflater::Inflated inflated = thread_.inflater.Inflate(message);
    if (inflated.outcome == MessageInflater::Outcome::kTooLarge) {
      return Refuse(CloseCode::kTooBig, RejectReason::kFrameTooLarge);
    }
    if (inflated.outcome == MessageInflater::Outcome::kMalformed) {
      return Refuse(CloseCode::kInvalidPayload, RejectReason::kNone);
    }
    message = inflated.message;
    if (event.opcode == Opcode::kText && !IsUtf8(message)) {
      return Refuse(CloseCode::kInvalidPayload, RejectReason::kInvalidUtf8);
    }
  }
  if (event.opcode == Opcode::kText) {
    host_.OnText(*this, message);
  } else {
    host_.OnBinary(*this, message);
  }
}

void Session::OnCloseFrame(uint16_t code) {
  if (state_ == State::kOpen) {
    why_ = "closed by the client";
    Close(code);
    BeginClosing(/*expects_answer=*/false);
    return;
  }
  expects_close_ = false;
  ScheduleFlush();  // goes on to linger, once our own close has left
}

}  // namespace warpbook::gateway
