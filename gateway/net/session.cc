#include "gateway/net/session.h"

#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/websocket.hpp>
#include <chrono>
#include <optional>
#include <string>
#include <utility>

#include "gateway/net/corked_stream.h"
#include "gateway/net/http_answers.h"
#include "gateway/net/monotonic_time.h"
#include "gateway/net/send_queue.h"
#include "gateway/protocol/reply_writer.h"
#include "schema/base/clock.h"

namespace warpbook::gateway {
namespace {

namespace beast = boost::beast;
namespace http = boost::beast::http;
namespace websocket = boost::beast::websocket;
using beast::error_code;
using boost::asio::ip::tcp;

// Several messages go out with one system call; more than this is sent before more is written.
constexpr size_t kCoalescedBytesMax = 64 * 1024;

std::chrono::microseconds Micros(int64_t count) { return std::chrono::microseconds(count); }

// An error that belongs to the connection and to no request of it.
std::string ConnectionError(RejectReason reason) {
  const int64_t now = SystemClock().NowMicros();
  ReplyHead head;
  head.time_in_us = now;
  head.time_out_us = now;
  std::string text;
  MessageWriter out(Encoding::kJson, text);
  WriteError(out, head, {.reason = reason}, RequestOutcome::kRejected);
  return text;
}

class BeastSession final : public WebSocketSession,
                           public std::enable_shared_from_this<BeastSession> {
 public:
  BeastSession(tcp::socket socket, std::string peer, const SessionOptions& options)
      : stream_(CorkedStream(std::move(socket))),
        refused_(options.refused),
        limits_(options.limits),
        host_(options.host),
        visitor_(options.connection_id, std::move(peer), options.on_admin,
                 options.on_admin ? options.limits.admin : options.limits.client),
        queue_(options.limits),
        started_micros_(MonotonicMicros()) {}

  void Start() override;
  void End(CloseCode code) override;
  void Cut(std::string_view why) override;
  void Sweep(int64_t now_micros) override;
  Encoding encoding() const override { return Encoding::kJson; }
  void Send(std::string_view message) override;
  bool SendPublic(const SharedMessage& message) override;
  void OnLogonEnded() override { visitor_.logged_on.reset(); }
  Visitor& visitor() override { return visitor_; }
  bool was_opened() const override { return was_opened_; }

 private:
  enum class State : uint8_t {
    kHttp,    // the request is being read or answered
    kOpen,    // a WebSocket
    kEnding,  // what waits is being sent, and the close frame behind it
    kGone,
  };

  // ---- HTTP ----
  void ReadRequest();
  void OnRequest();
  void Upgrade();
  void Answer(const HttpAnswer& answer);

  // ---- WebSocket ----
  void Read();
  void ReadOrPause();
  void ResumeReading();
  void OnRead(error_code error);
  void Pump();
  void OfferRoom();
  void Close();
  void Overflow();
  void BecomeEnding();
  void Gone(std::string_view why);

  websocket::stream<CorkedStream> stream_;
  const bool refused_;
  const GatewayLimits& limits_;
  SessionHost& host_;
  Visitor visitor_;
  beast::flat_buffer buffer_;
  http::request_parser<http::empty_body> parser_;
  http::response<http::string_body> response_;

  State state_ = State::kHttp;
  bool was_opened_ = false;
  SendQueue queue_;
  SharedMessage writing_;        // the message that Beast is writing
  bool public_refused_ = false;  // market data was refused since the queue had room
  bool reading_paused_ = false;  // no read is under way
  bool close_sent_ = false;
  CloseCode close_code_ = CloseCode::kGoingAway;
  const int64_t started_micros_;
  int64_t ending_since_micros_ = 0;
  std::string why_;  // it ends
};

// ---- HTTP ----

void BeastSession::Start() {
  CorkedStream& tcp_stream = stream_.next_layer();
  tcp_stream.SetOwner(weak_from_this(), [this] { Pump(); });
  error_code ignored;
  tcp_stream.socket().set_option(tcp::no_delay(true), ignored);
  if (limits_.socket_send_buffer_bytes > 0) {
    tcp_stream.socket().set_option(tcp::socket::send_buffer_size(limits_.socket_send_buffer_bytes),
                                   ignored);
  }
  parser_.header_limit(static_cast<uint32_t>(limits_.http_header_bytes_max));
  ReadRequest();
}

void BeastSession::ReadRequest() {
  http::async_read_header(stream_.next_layer(), buffer_, parser_,
                          [self = shared_from_this()](error_code error, size_t) {
                            if (error) return self->Gone(error.message());
                            self->OnRequest();
                          });
}

void BeastSession::OnRequest() {
  const auto& request = parser_.get();
  const bool is_upgrade = websocket::is_upgrade(request);
  const HttpRequest summary{
      .is_get = request.method() == http::verb::get,
      .is_upgrade = is_upgrade,
      .target = std::string_view(request.target().data(), request.target().size()),
      .has_origin = request.count(http::field::origin) != 0,
      .origin = std::string_view(request[http::field::origin].data(),
                                 request[http::field::origin].size()),
      .on_admin = visitor_.on_admin,
      // A client must wait for the answer before it sends more.
      .has_more =
          buffer_.size() != 0 || parser_.content_length().value_or(0) != 0 || parser_.chunked()};
  const std::optional<HttpAnswer> answer = AnswerHttp(summary, refused_, host_);
  if (answer) {
    Answer(*answer);
  } else {
    Upgrade();
  }
}

void BeastSession::Answer(const HttpAnswer& answer) {
  response_.version(11);
  response_.result(answer.status);
  response_.set(http::field::content_type, "application/json");
  response_.set(http::field::cache_control, "no-store");
  response_.keep_alive(false);
  response_.body() = answer.body;
  response_.prepare_payload();
  http::async_write(stream_.next_layer(), response_,
                    [self = shared_from_this()](error_code, size_t) {
                      self->stream_.next_layer().Linger([self] { self->Gone("http"); });
                    });
}

void BeastSession::Upgrade() {
  stream_.set_option(
      websocket::stream_base::timeout{.handshake_timeout = Micros(limits_.handshake_timeout_micros),
                                      .idle_timeout = Micros(limits_.idle_timeout_micros),
                                      .keep_alive_pings = true});
  stream_.set_option(websocket::stream_base::decorator(
      [](websocket::response_type& response) { response.set(http::field::server, "warpbook"); }));
  stream_.read_message_max(limits_.message_bytes_max);
  stream_.auto_fragment(false);
  stream_.text(true);
  // Beast closes by itself in these two cases: the client is told why first.
  stream_.next_layer().SetFarewell(websocket::close_code::too_big,
                                   ConnectionError(RejectReason::kFrameTooLarge));
  stream_.next_layer().SetFarewell(websocket::close_code::bad_payload,
                                   ConnectionError(RejectReason::kInvalidUtf8));
  stream_.async_accept(parser_.get(), [self = shared_from_this()](error_code error) {
    if (error) return self->Gone(error.message());
    self->state_ = State::kOpen;
    self->was_opened_ = true;
    self->host_.OnOpened(*self);
    self->Read();
  });
}

// ---- Reading ----

void BeastSession::Read() {
  stream_.async_read(
      buffer_, [self = shared_from_this()](error_code error, size_t) { self->OnRead(error); });
}

void BeastSession::OnRead(error_code error) {
  if (error) return Gone(error.message());
  if (state_ == State::kOpen) {
    if (stream_.got_text()) {
      host_.OnText(
          *this, std::string_view(static_cast<const char*>(buffer_.data().data()), buffer_.size()));
    } else {
      host_.OnBinary(*this);
    }
  }
  buffer_.consume(buffer_.size());
  ReadOrPause();
}

void BeastSession::ReadOrPause() {
  reading_paused_ = state_ == State::kOpen && queue_.bytes() > limits_.send_queue_pause_bytes;
  if (!reading_paused_) Read();
}

// Also at the end, as it is the read that tells of it.
void BeastSession::ResumeReading() {
  if (std::exchange(reading_paused_, false)) Read();
}

// ---- Writing ----

void BeastSession::Send(std::string_view message) {
  if (state_ != State::kOpen) return;
  if (!queue_.Push(Share(Encoding::kJson, std::string(message)))) return Overflow();
  Pump();
}

bool BeastSession::SendPublic(const SharedMessage& message) {
  if (state_ != State::kOpen) return true;  // nobody waits for it any more
  if (!queue_.PushPublic(message)) {
    public_refused_ = true;
    return false;
  }
  Pump();
  return true;
}

void BeastSession::Pump() {
  if (state_ == State::kHttp || state_ == State::kGone || writing_ != nullptr) return;
  if (reading_paused_) ReadOrPause();
  OfferRoom();
  CorkedStream& tcp_stream = stream_.next_layer();
  if (writing_ != nullptr) return;  // OfferRoom has set it going
  if (queue_.empty()) {
    tcp_stream.Uncork();
    if (state_ == State::kEnding) Close();
    return;
  }
  if (tcp_stream.unsent() > kCoalescedBytesMax) return tcp_stream.Flush();  // then comes back here
  tcp_stream.Cork();
  writing_ = queue_.Pop();
  stream_.async_write(boost::asio::buffer(writing_->payload),
                      [self = shared_from_this()](error_code error, size_t) {
                        self->writing_ = nullptr;
                        // Aborted: the WebSocket is closing, and the read tells how.
                        if (error == boost::asio::error::operation_aborted) {
                          return self->ResumeReading();
                        }
                        if (error) return self->Cut(error.message());
                        self->Pump();
                      });
}

void BeastSession::OfferRoom() {
  if (!public_refused_ || state_ != State::kOpen || !queue_.has_room_for_public()) return;
  public_refused_ = false;
  host_.OnRoom(*this);
}

// ---- The end ----

void BeastSession::End(CloseCode code) {
  if (state_ == State::kHttp) return Cut("ended before it was open");
  if (state_ != State::kOpen) return;
  close_code_ = code;
  BecomeEnding();
  Pump();
}

// The other side does not read: what waits is worth nothing any more, as the connection ends; why
// it does is the last that is said.
void BeastSession::Overflow() {
  close_code_ = CloseCode::kPolicyViolation;
  why_ = "slow consumer";
  queue_.Clear();
  queue_.Push(Share(Encoding::kJson, ConnectionError(RejectReason::kSlowConsumer)));
  BecomeEnding();
}

void BeastSession::BecomeEnding() {
  state_ = State::kEnding;
  ending_since_micros_ = MonotonicMicros();
  // Not from inside Send: whoever sends is in the middle of its lists.
  boost::asio::post(stream_.get_executor(), [self = shared_from_this()] {
    self->host_.OnEnding(*self);
    self->Pump();
  });
}

void BeastSession::Close() {
  if (std::exchange(close_sent_, true)) return;
  stream_.async_close(websocket::close_code(static_cast<uint16_t>(close_code_)),
                      [self = shared_from_this()](error_code) { self->Cut("closed"); });
}

void BeastSession::Cut(std::string_view why) {
  if (why_.empty()) why_ = why;
  stream_.next_layer().Close();
  ResumeReading();
}

void BeastSession::Gone(std::string_view why) {
  if (state_ == State::kGone) return;
  Cut(why);
  state_ = State::kGone;
  if (was_opened_) host_.OnEnding(*this);
  host_.OnGone(*this, why_);
}

void BeastSession::Sweep(int64_t now_micros) {
  const int64_t stalled_since = stream_.next_layer().stalled_since();
  if (state_ == State::kHttp && now_micros - started_micros_ > limits_.handshake_timeout_micros) {
    Cut("handshake timeout");
  } else if (stalled_since != 0 && now_micros - stalled_since > limits_.write_stall_micros) {
    Cut("write stall");
  } else if (state_ == State::kEnding &&
             now_micros - ending_since_micros_ > limits_.close_timeout_micros) {
    Cut("close timeout");
  }
}

}  // namespace

std::shared_ptr<WebSocketSession> MakeSession(tcp::socket socket, std::string peer,
                                              const SessionOptions& options) {
  return std::make_shared<BeastSession>(std::move(socket), std::move(peer), options);
}

}  // namespace warpbook::gateway
