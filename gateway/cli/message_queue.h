// MessageQueue: channel messages on their way from a client's loop to the command's own thread.
// Push on any thread, Pop on one. Bounded: a command that does not keep up loses its connection's
// messages no further than kMessagesMax, and is told so.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "gateway/cli/session.h"
#include "gateway/client/json_value.h"

namespace warpbook::gateway {

struct Message {
  JsonValue value;
  std::string text;
};

class MessageQueue {
 public:
  static constexpr size_t kMessagesMax = 100'000;

  // For a client's on_message and on_closed; the queue must outlive the client.
  CliSession::MessageCallback Callback();
  void Close(const absl::Status& status);

  // The next message; nullopt at the deadline, or at once when closed and empty.
  std::optional<Message> Pop(std::chrono::steady_clock::time_point deadline);
  // Why the queue was closed; ok while it is open.
  absl::Status status() const;

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Message> messages_;
  absl::Status status_;
};

}  // namespace warpbook::gateway
