// ScriptedGateway: a WebSocket peer that answers as a test tells it to, so that the client is
// tested against silence, disorder and broken lines, which the real gateway does not offer.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace warpbook::gateway {

// What to do with one message from the client.
struct Answer {
  std::vector<std::string> messages;
  bool close = false;  // politely, with 1001 "going away"
  bool cut = false;    // the socket, without a word
};

class ScriptedGateway {
 public:
  // Listens on a free port of 127.0.0.1. The script is called on the connection's own thread.
  explicit ScriptedGateway(std::function<Answer(const std::string& message)> script);
  ~ScriptedGateway();

  // "127.0.0.1:port".
  std::string address() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace warpbook::gateway
