// BatchHasher: the hash of the last batch, which only the next batch needs: so it is made behind
// the writer's back, a large batch's on a thread of its own while the batch is written and synced
// (half a millisecond for a mebibyte), a small one's when it is asked for. One thread owns a
// hasher.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <span>
#include <thread>

#include "schema/base/crypto.h"

namespace warpbook::journal {

class BatchHasher {
 public:
  explicit BatchHasher(const Sha256Digest& hash) : hash_(hash) {}
  ~BatchHasher();
  BatchHasher(const BatchHasher&) = delete;
  BatchHasher& operator=(const BatchHasher&) = delete;

  // The bytes must stay as they are until the next call of hash().
  void Begin(std::span<const std::byte> bytes);
  // Of the last bytes; before there are any, the one that it was made with.
  const Sha256Digest& hash();

 private:
  void Run();

  std::mutex mutex_;  // guards what follows
  std::condition_variable changed_;
  std::span<const std::byte> bytes_;  // empty: hash_ is made
  Sha256Digest hash_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace warpbook::journal
