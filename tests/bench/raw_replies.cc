#include <sys/eventfd.h>
#include <unistd.h>

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "engine/service/wakeup.h"
#include "schema/base/check.h"
#include "tests/bench/journal_timing.h"
#include "tests/bench/open_loop.h"
#include "tests/bench/raw_log.h"

namespace warpbook::bench {
namespace {

constexpr size_t kPage = 4'096;
constexpr uint64_t kFileSize = uint64_t{64} << 20;

// A first thread that takes requests and hands them to a second one, which makes them durable: as
// the sequencer and the journal's thread do, without their work.
class RawService {
 public:
  explicit RawService(const std::string& directory)
      : log_(directory + "/raw", kFileSize, false),
        page_(kPage),
        ready_fd_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)),
        first_([this] { RunFirst(); }),
        second_([this] { RunSecond(); }) {
    WARPBOOK_CHECK(ready_fd_ >= 0);
  }
  ~RawService() {
    stopping_.store(true);
    wakeup_.Notify();
    first_.join();
    second_.join();
    close(ready_fd_);
  }

  void Submit() {
    submitted_.fetch_add(1);
    wakeup_.Notify();
  }
  size_t Take() { return durable_.exchange(0); }
  int ready_fd() const { return ready_fd_; }

 private:
  void RunFirst() {
    while (!stopping_.load()) {
      const size_t count = submitted_.exchange(0);
      if (count == 0) {
        wakeup_.WaitUntil(std::chrono::steady_clock::now() + std::chrono::seconds(1));
        continue;
      }
      {
        const std::lock_guard lock(mutex_);
        handed_over_ += count;
      }
      changed_.notify_all();
    }
    {
      const std::lock_guard lock(mutex_);
      finishing_ = true;
    }
    changed_.notify_all();
  }

  void RunSecond() {
    std::unique_lock lock(mutex_);
    while (true) {
      changed_.wait(lock, [this] { return handed_over_ > 0 || finishing_; });
      if (finishing_) return;
      const size_t count = std::exchange(handed_over_, 0);
      lock.unlock();
      log_.Append(page_.bytes());
      durable_.fetch_add(count);
      const uint64_t one = 1;
      WARPBOOK_CHECK(write(ready_fd_, &one, sizeof one) == sizeof one);
      lock.lock();
    }
  }

  RawLog log_;
  const PageBuffer page_;
  const int ready_fd_;
  engine::Wakeup wakeup_;
  std::atomic<bool> stopping_ = false;
  std::atomic<size_t> submitted_ = 0;
  std::atomic<size_t> durable_ = 0;
  std::mutex mutex_;
  std::condition_variable changed_;
  size_t handed_over_ = 0;
  bool finishing_ = false;
  std::thread first_;
  std::thread second_;
};

}  // namespace

Percentiles TimeRawReplies(const std::string& directory, size_t count, int64_t requests_per_s) {
  RawService service(directory);
  return TimeOpenLoopReplies(
      count, requests_per_s, service.ready_fd(), [&](size_t) { service.Submit(); },
      [&] { return service.Take(); });
}

}  // namespace warpbook::bench
