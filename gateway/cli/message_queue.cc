#include "gateway/cli/message_queue.h"

#include <utility>

namespace warpbook::gateway {

CliSession::MessageCallback MessageQueue::Callback() {
  return [this](const JsonValue& message, std::string_view text) {
    const std::lock_guard lock(mutex_);
    if (!status_.ok()) return;
    if (messages_.size() >= kMessagesMax) {
      status_ = absl::ResourceExhaustedError("messages come faster than they can be shown");
    } else {
      messages_.push_back({message, std::string(text)});
    }
    changed_.notify_one();
  };
}

void MessageQueue::Close(const absl::Status& status) {
  const std::lock_guard lock(mutex_);
  if (status_.ok()) status_ = status;
  changed_.notify_one();
}

std::optional<Message> MessageQueue::Pop(std::chrono::steady_clock::time_point deadline) {
  std::unique_lock lock(mutex_);
  changed_.wait_until(lock, deadline, [this] { return !messages_.empty() || !status_.ok(); });
  if (messages_.empty()) return std::nullopt;
  Message message = std::move(messages_.front());
  messages_.pop_front();
  return message;
}

absl::Status MessageQueue::status() const {
  const std::lock_guard lock(mutex_);
  return status_;
}

}  // namespace warpbook::gateway
