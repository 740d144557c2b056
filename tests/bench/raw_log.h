// RawLog: what a durable log costs at the least: a file that is there already, one write and one
// fdatasync for each batch. The baseline of the journal's benchmarks.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <span>
#include <string>

namespace warpbook::bench {

// Memory at a multiple of 4 KiB, as O_DIRECT wants it, of bytes that are not zeros.
class PageBuffer {
 public:
  explicit PageBuffer(size_t size);
  std::span<const std::byte> bytes() const { return {bytes_.get(), size_}; }

 private:
  struct Free {
    void operator()(std::byte* bytes) const { std::free(bytes); }
  };
  std::unique_ptr<std::byte, Free> bytes_;
  size_t size_;
};

class RawLog {
 public:
  // Makes the file, of zeros, synced. It goes with the log.
  RawLog(std::string path, uint64_t size, bool direct);
  ~RawLog();
  RawLog(const RawLog&) = delete;
  RawLog& operator=(const RawLog&) = delete;

  // Begins at the file's start again where it is full. CHECKs that the disk takes it.
  void Append(std::span<const std::byte> bytes);

 private:
  const std::string path_;
  const uint64_t size_;
  int fd_;
  uint64_t offset_ = 0;
};

}  // namespace warpbook::bench
