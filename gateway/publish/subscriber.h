// Subscriber: a connection as the publisher sees it. Market data is encoded once and shared by all
// who get it.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "gateway/protocol/encoding.h"

namespace warpbook::gateway {

// One message for many.
struct Message {
  Encoding encoding = Encoding::kJson;
  std::string payload;
  // The same compressed, made by the first connection that sends it so (gateway/net/deflate.h).
  mutable std::string deflated = {};
};
using SharedMessage = std::shared_ptr<const Message>;

inline SharedMessage Share(Encoding encoding, std::string payload) {
  return std::make_shared<const Message>(
      Message{.encoding = encoding, .payload = std::move(payload)});
}

// None of these functions calls back into the publisher.
class Subscriber {
 public:
  virtual ~Subscriber() = default;
  // Of what is sent to it.
  virtual Encoding encoding() const = 0;
  // Replies and private events: taken (the bytes are copied), or the connection ends.
  virtual void Send(std::string_view message) = 0;
  // Market data. False: its queue is too long and the message was not taken; once there is room
  // again, PublicFeed::Resume is called.
  virtual bool SendPublic(const SharedMessage& message) = 0;
  // Its logon has ended, and by no request of its own: it may do what anybody may.
  virtual void OnLogonEnded() = 0;
};

}  // namespace warpbook::gateway
