// SendQueue: what waits to be written on one connection. Bounded by bytes and by messages; what
// happens beyond is the connection's to do (gateway/admission/limits.h). The I/O thread owns it.
#pragma once

#include <cstddef>
#include <deque>

#include "gateway/admission/limits.h"
#include "gateway/publish/subscriber.h"

namespace warpbook::gateway {

class SendQueue {
 public:
  explicit SendQueue(const GatewayLimits& limits) : limits_(limits) {}

  // False: the limit is reached, and nothing was taken.
  bool Push(SharedMessage message) {
    if (messages_.size() >= limits_.send_queue_messages_max ||
        bytes_ + message->payload.size() > limits_.send_queue_bytes_max) {
      return false;
    }
    bytes_ += message->payload.size();
    messages_.push_back(std::move(message));
    return true;
  }
  // Market data has a lower limit. The first message always fits: a snapshot may be longer.
  bool PushPublic(SharedMessage message) {
    if (bytes_ != 0 && bytes_ + message->payload.size() > limits_.send_queue_public_bytes)
      return false;
    return Push(std::move(message));
  }
  SharedMessage Pop() {
    SharedMessage message = std::move(messages_.front());
    messages_.pop_front();
    bytes_ -= message->payload.size();
    return message;
  }
  void Clear() {
    messages_.clear();
    bytes_ = 0;
  }

  bool empty() const { return messages_.empty(); }
  size_t bytes() const { return bytes_; }
  // Whether market data may be offered again after it was refused.
  bool has_room_for_public() const { return bytes_ <= limits_.send_queue_public_bytes / 2; }

 private:
  const GatewayLimits& limits_;
  std::deque<SharedMessage> messages_;
  size_t bytes_ = 0;
};

}  // namespace warpbook::gateway
