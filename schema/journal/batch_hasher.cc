#include "schema/journal/batch_hasher.h"

#include <utility>

namespace warpbook::journal {
namespace {

// Less is hashed before a thread has woken up.
constexpr size_t kLargeBatch = size_t{64} << 10;

}  // namespace

BatchHasher::~BatchHasher() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void BatchHasher::Begin(std::span<const std::byte> bytes) {
  {
    const std::lock_guard lock(mutex_);
    bytes_ = bytes;
  }
  if (bytes.size() < kLargeBatch) return;
  if (!thread_.joinable()) thread_ = std::thread([this] { Run(); });
  changed_.notify_all();
}

const Sha256Digest& BatchHasher::hash() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return bytes_.size() < kLargeBatch; });
  if (!bytes_.empty()) hash_ = Sha256(std::exchange(bytes_, {}));
  return hash_;
}

void BatchHasher::Run() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return bytes_.size() >= kLargeBatch || stopping_; });
    if (stopping_) return;
    const std::span<const std::byte> bytes = bytes_;
    lock.unlock();
    const Sha256Digest hash = Sha256(bytes);
    lock.lock();
    hash_ = hash;
    bytes_ = {};
    changed_.notify_all();
  }
}

}  // namespace warpbook::journal
