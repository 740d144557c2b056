#include "tests/bench/raw_log.h"

#include <fcntl.h>
#include <unistd.h>

#include <cstring>
#include <utility>
#include <vector>

#include "schema/base/check.h"

namespace warpbook::bench {
namespace {

constexpr size_t kPage = 4'096;
constexpr size_t kPiece = size_t{4} << 20;

}  // namespace

PageBuffer::PageBuffer(size_t size)
    : bytes_(static_cast<std::byte*>(std::aligned_alloc(kPage, size))), size_(size) {
  WARPBOOK_CHECK(bytes_ != nullptr);
  std::memset(bytes_.get(), 0x5a, size);
}

RawLog::RawLog(std::string path, uint64_t size, bool direct) : path_(std::move(path)), size_(size) {
  const int made = open(path_.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  WARPBOOK_CHECK(made >= 0);
  const std::vector<std::byte> zeros(kPiece);
  for (uint64_t at = 0; at < size; at += kPiece) {
    WARPBOOK_CHECK(pwrite(made, zeros.data(), kPiece, static_cast<off_t>(at)) ==
                   static_cast<ssize_t>(kPiece));
  }
  WARPBOOK_CHECK(fsync(made) == 0);
  close(made);
  fd_ = open(path_.c_str(), O_RDWR | O_CLOEXEC | (direct ? O_DIRECT : 0));
  WARPBOOK_CHECK(fd_ >= 0);
}

RawLog::~RawLog() {
  close(fd_);
  unlink(path_.c_str());
}

void RawLog::Append(std::span<const std::byte> bytes) {
  if (offset_ + bytes.size() > size_) offset_ = 0;
  WARPBOOK_CHECK(pwrite(fd_, bytes.data(), bytes.size(), static_cast<off_t>(offset_)) ==
                 static_cast<ssize_t>(bytes.size()));
  WARPBOOK_CHECK(fdatasync(fd_) == 0);
  offset_ += bytes.size();
}

}  // namespace warpbook::bench
