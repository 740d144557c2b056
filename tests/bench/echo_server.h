// What a WebSocket server costs that does nothing: each text message goes back as it came. The
// baselines of gateway_bench; Beast as its examples use it, one read and one write a message.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "engine/service/engine_port.h"

namespace warpbook::bench {

// An echo on a port of its own, with a thread of its own.
class EchoServer {
 public:
  // The bare echo.
  EchoServer();
  // Before a message goes back its bytes wait for a command that passes through the port: through
  // the same threads and rings as an order, up to the durable event of its refusal.
  explicit EchoServer(std::unique_ptr<engine::EnginePort> port);
  ~EchoServer();

  uint16_t port() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace warpbook::bench
