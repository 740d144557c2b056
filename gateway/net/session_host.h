// What the sessions of one I/O thread have in common: whom they ask (SessionHost), and what they
// work with and none of them keeps (SessionThread).
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/admission/limits.h"
#include "gateway/net/deflate.h"
#include "gateway/net/http_messages.h"
#include "gateway/net/monotonic_time.h"
#include "gateway/net/output_queue.h"
#include "gateway/net/turn_clock.h"
#include "schema/base/clock.h"

namespace warpbook::gateway {

class Session;

// Why a connection was cut whose socket took nothing for too long.
inline constexpr std::string_view kWriteStall = "write stall";

class SessionHost {
 public:
  virtual ~SessionHost() = default;
  virtual bool IsReady() const = 0;  // takes connections and commands
  // Nothing has become durable for a while, though something does each second: /readyz says so.
  virtual bool IsBehind() const { return false; }
  virtual bool IsAllowedOrigin(std::string_view origin) const = 0;
  // 0, or how many microseconds that address is to wait before it asks by HTTP again.
  virtual int64_t WaitForHttp(const std::string& peer) = 0;
  // GET of a target under /api/v1/ on the clients' listener; nullopt: there is no such thing. An
  // answer that is to come `later` is brought by Session::AnswerLater, of that connection.
  virtual std::optional<HttpAnswer> OnHttpGet(std::string_view target, uint64_t connection_id) {
    static_cast<void>(target), static_cast<void>(connection_id);
    return std::nullopt;
  }

  // GET /metrics on the operators' listener: brought by Session::AnswerLater; false: not now.
  virtual bool AskMetrics(uint64_t connection_id) {
    static_cast<void>(connection_id);
    return false;
  }

  // The WebSocket is open. Until OnEnding the session may be sent to.
  virtual void OnOpened(Session& session) = 0;
  virtual void OnText(Session& session, std::string_view text) = 0;
  virtual void OnBinary(Session& session, std::string_view bytes) = 0;
  // The queue has room for market data again, after some was refused.
  virtual void OnRoom(Session& session) = 0;
  // Its key was revoked.
  virtual void OnLogonEnded(Session& session) = 0;
  // Nobody is to send to it any more. At least once for each session that was opened.
  virtual void OnEnding(Session& session) = 0;
  // The connection is gone.
  virtual void OnGone(Session& session, std::string_view why) = 0;
};

// Of each connection that is read only here; a frame that did not come whole is kept by its
// session.
inline constexpr size_t kReadBufferBytes = 64 * 1024;

class SessionThread {
 public:
  explicit SessionThread(const GatewayLimits& limits)
      : read_buffer(kReadBufferBytes), inflater(limits.message_bytes_max) {}

  // Writes what the sessions have queued: after what was read of one of them, after a batch, and
  // whenever else something may have been sent.
  void FlushAll();

  // At the beginning of each turn of the loop.
  void BeginTurn() {
    real_clock_.BeginTurn();
    monotonic_clock_.BeginTurn();
  }
  const Clock& real_clock() const { return real_clock_; }
  const Clock& monotonic_clock() const { return monotonic_clock_; }
  int64_t now_micros() const { return monotonic_clock_.NowMicros(); }  // the monotonic clock's

  std::vector<char> read_buffer;
  OutputPool output_pool;
  MessageDeflater deflater;
  MessageInflater inflater;
  std::vector<std::shared_ptr<Session>> to_flush;

 private:
  const SystemClock system_clock_;
  const MonotonicClock machine_clock_;
  TurnClock real_clock_{system_clock_};
  TurnClock monotonic_clock_{machine_clock_};
};

}  // namespace warpbook::gateway
