// WebSocketSession: one connection of a client, from its HTTP request to its close. One read and
// one write at a time; what is to be sent waits in a bounded queue. Belongs to the I/O thread.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/admission/gatekeeper.h"
#include "gateway/admission/limits.h"
#include "gateway/publish/subscriber.h"

namespace warpbook::gateway {

// How a connection ends: the WebSocket close codes that the gateway itself gives (RFC 6455, 7.4.1).
enum class CloseCode : uint16_t { kGoingAway = 1001, kPolicyViolation = 1008 };

class WebSocketSession : public Subscriber {
 public:
  // Reads the HTTP request; opens the WebSocket or answers and closes.
  virtual void Start() = 0;
  // Sends what waits, and the close frame behind it. What comes in from now on is ignored.
  virtual void End(CloseCode code) = 0;
  // Closes the socket; `why` is for the log.
  virtual void Cut(std::string_view why) = 0;
  // Looks at the session's timeouts; to be called several times a second.
  virtual void Sweep(int64_t now_micros) = 0;

  virtual Visitor& visitor() = 0;
  virtual bool was_opened() const = 0;  // as a WebSocket
};

// What a session asks of the server.
class SessionHost {
 public:
  virtual ~SessionHost() = default;
  virtual bool IsReady() const = 0;  // /readyz
  virtual bool IsAllowedOrigin(std::string_view origin) const = 0;

  // The WebSocket is open. Until OnClosed the session may be sent to.
  virtual void OnOpened(WebSocketSession& session) = 0;
  virtual void OnText(WebSocketSession& session, std::string_view text) = 0;
  virtual void OnBinary(WebSocketSession& session, std::string_view bytes) = 0;
  // The queue has room for market data again, after some was refused.
  virtual void OnRoom(WebSocketSession& session) = 0;
  // Nobody is to send to it any more. Called once or twice for each session that was opened.
  virtual void OnEnding(WebSocketSession& session) = 0;
  // The connection is gone.
  virtual void OnGone(WebSocketSession& session, std::string_view why) = 0;
};

struct SessionOptions {
  uint64_t connection_id = 0;
  bool on_admin = false;
  // The exchange has no room for this connection: it gets 503 as its answer.
  bool refused = false;
  const GatewayLimits& limits;
  SessionHost& host;
};

std::shared_ptr<WebSocketSession> MakeSession(boost::asio::ip::tcp::socket socket, std::string peer,
                                              const SessionOptions& options);

}  // namespace warpbook::gateway
