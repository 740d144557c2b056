// Subscriber: a connection as the publisher sees it. A message is encoded once and shared by all
// who get it.
#pragma once

#include <memory>
#include <string>
#include <utility>

namespace warpbook::gateway {

using SharedText = std::shared_ptr<const std::string>;

inline SharedText Share(std::string text) {
  return std::make_shared<const std::string>(std::move(text));
}

// Neither function calls back into the publisher.
class Subscriber {
 public:
  virtual ~Subscriber() = default;
  // Replies and private events: taken, or the connection ends.
  virtual void Send(SharedText message) = 0;
  // Market data. False: its queue is too long and the message was not taken; once there is room
  // again, PublicFeed::Resume is called.
  virtual bool SendPublic(SharedText message) = 0;
};

}  // namespace warpbook::gateway
