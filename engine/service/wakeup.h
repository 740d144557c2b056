// Wakeup: how other threads wake one that sleeps. A notification is never lost: one that comes
// while the owner is awake makes its next wait return at once. Many notifications are one.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>

namespace warpbook::engine {

class Wakeup {
 public:
  // Any thread. Costs one atomic exchange unless the owner may be asleep.
  void Notify() {
    if (notified_.exchange(true)) return;
    // The lock orders this with an owner that has looked and is about to sleep.
    { const std::lock_guard lock(mutex_); }
    sleeper_.notify_one();
  }

  // The owner: sleeps until it is notified or the time has come, and takes the notification.
  void WaitUntil(std::chrono::steady_clock::time_point deadline) {
    if (!notified_.load()) {
      std::unique_lock lock(mutex_);
      sleeper_.wait_until(lock, deadline, [this] { return notified_.load(); });
    }
    // An exchange, not a store: it also sees what the last notifier did before.
    notified_.exchange(false);
  }

 private:
  std::atomic<bool> notified_ = false;
  std::mutex mutex_;
  std::condition_variable sleeper_;
};

}  // namespace warpbook::engine
