// Session: one connection of a client, from its first byte to its last: HTTP requests, then perhaps
// a WebSocket, then its end.
//
// - Reading: into the thread's buffer, all that is there; every whole frame in it is handled before
//   anything is written. A session keeps only the beginning of what has not come whole.
// - Writing: into a bounded queue that SessionThread::FlushAll empties with one system call for
// many
//   frames. While much waits nothing more is read; beyond the limits the client is told that it is
//   too slow, and closed.
// - The end: every close that the gateway begins says why first, in JSON, where the protocol does
// not
//   say it by itself. The socket is closed once the other side has ended its direction, or after a
//   while: one that is closed with unread bytes would be reset, and the reason lost.
//
// Belongs to the I/O thread. No function here calls the host's OnGone or OnEnding before it
// returns.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "gateway/admission/gatekeeper.h"
#include "gateway/admission/limits.h"
#include "gateway/admission/token_bucket.h"
#include "gateway/net/frame_codec.h"
#include "gateway/net/http_messages.h"
#include "gateway/net/output_queue.h"
#include "gateway/net/session_host.h"
#include "gateway/net/transport.h"
#include "gateway/publish/subscriber.h"

namespace warpbook::gateway {

struct SessionOptions {
  uint64_t connection_id = 0;
  bool on_admin = false;
  // The exchange has no room for this connection: it gets 503 as its answer.
  bool refused = false;
  bool allow_deflate = false;
  const TlsContext* tls = nullptr;  // null: plain
  const GatewayLimits& limits;
  SessionHost& host;
  SessionThread& thread;
};

class Session final : public Subscriber, public std::enable_shared_from_this<Session> {
 public:
  Session(boost::asio::ip::tcp::socket socket, std::string peer, const SessionOptions& options);

  // Begins to read.
  void Start();
  // Queues a close frame behind what waits. What comes in from now on is ignored.
  void End(CloseCode code);
  // Closes the socket; `why` is for the log.
  void Cut(std::string_view why);
  // Looks at the session's timeouts.
  void Sweep(int64_t now_micros);
  // Writes what waits, as far as the socket takes it.
  void Flush();

  // The answer to the request whose answer was to come later; nothing where it is not waited for
  // any more.
  void AnswerLater(const HttpAnswer& answer);

  // Subscriber.
  Encoding encoding() const override { return encoding_; }
  void Send(std::string_view message) override;
  bool SendPublic(const SharedMessage& message) override;
  void OnLogonEnded() override { host_.OnLogonEnded(*this); }

  Visitor& visitor() { return visitor_; }
  bool was_opened() const { return was_opened_; }  // as a WebSocket
  size_t queued_bytes() const { return queue_.bytes(); }

 private:
  enum class State : uint8_t {
    kHttp,       // requests are read and answered
    kOpen,       // a WebSocket
    kClosing,    // what waits is the last: a close frame, or an answer that ends the connection
    kLingering,  // our direction has ended; what still comes is thrown away
    kGone,       // the socket is closed
  };

  // ---- Reading ----
  void WaitToRead(boost::asio::ip::tcp::socket::wait_type what);
  void OnReadable();
  bool ReadOnce();
  void OnInput(std::span<char> input);
  void PauseReading(std::span<const char> rest);
  void ResumeReading();
  void OnEndOfInput();

  // ---- HTTP ----
  void OnHttpInput(std::span<const char> input);
  bool TakeRequest();
  void OnRequest(std::string_view head, const HttpRequest& request, bool has_more);
  void Upgrade(std::string_view head);
  void Answer(const HttpAnswer& answer, bool keep_alive, bool head_only);

  // ---- WebSocket ----
  void OnFrames(std::span<char> input);
  void OnFrame(const FrameEvent& event);
  void OnMessage(const FrameEvent& event);
  void OnCloseFrame(uint16_t code);

  // ---- Writing ----
  Opcode MessageOpcode() const {
    return encoding_ == Encoding::kJson ? Opcode::kText : Opcode::kBinary;
  }
  bool IsPaused() const { return queue_.bytes() > limits_.send_queue_pause_bytes; }
  void ScheduleFlush();
  void PushControl(Opcode opcode, std::string_view payload);
  void WriteQueue();
  void WaitToWrite();
  void AfterWriting();

  // ---- The end ----
  void Refuse(CloseCode code, RejectReason reason);
  void Overflow();
  void Close(uint16_t code);
  void BeginClosing(bool expects_answer);
  void Linger();

  boost::asio::ip::tcp::socket socket_;
  const std::unique_ptr<Transport> transport_;
  const GatewayLimits& limits_;
  SessionHost& host_;
  SessionThread& thread_;
  Visitor visitor_;
  const bool refused_;
  const bool allow_deflate_;

  State state_ = State::kHttp;
  bool was_opened_ = false;
  Encoding encoding_ = Encoding::kJson;
  bool deflates_ = false;  // long messages to the client

  FrameReader reader_;
  TokenBucket control_frames_;
  // Input that is not handled yet: the beginning of an HTTP request; what was read when the session
  // paused.
  std::string kept_input_;
  size_t searched_ = 0;       // of kept_input_, for the end of a request's head
  size_t http_requests_ = 0;  // answered
  // A request whose answer is to come later: nothing is read meanwhile.
  struct LaterAnswer {
    bool keep_alive = false;
    bool head_only = false;
  };
  std::optional<LaterAnswer> awaited_;
  size_t discarded_ = 0;  // bytes, at its end
  bool paused_ = false;   // neither reads nor waits to
  bool waits_to_read_ = false;
  bool ping_sent_ = false;  // since something came

  OutputQueue queue_;
  bool flush_scheduled_ = false;
  bool waits_to_write_ = false;
  bool public_refused_ = false;  // market data was refused since the queue had room
  bool expects_close_ = false;   // the client's answer to our close frame

  int64_t since_micros_;              // of the state; in kHttp, of the last answer
  int64_t heard_micros_;              // when something came
  int64_t stalled_since_micros_ = 0;  // the last progress while the socket takes nothing; or 0
  std::string why_;                   // it ends
};

}  // namespace warpbook::gateway
