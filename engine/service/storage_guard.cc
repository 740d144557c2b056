#include "engine/service/storage_guard.h"

#include <cstdio>
#include <utility>

namespace warpbook::engine {

StorageGuard::StorageGuard(FileSystem& files, std::string directory, uint64_t reserve_bytes)
    : files_(files), directory_(std::move(directory)), reserve_bytes_(reserve_bytes) {}

bool StorageGuard::IsLow() {
  const absl::StatusOr<uint64_t> free = files_.FreeBytes(directory_);
  if (!free.ok()) return low_;
  free_bytes_ = *free;
  if (reserve_bytes_ == 0) return false;
  const uint64_t wanted = low_ ? reserve_bytes_ + reserve_bytes_ / 4 : reserve_bytes_;
  const bool low = *free < wanted;
  if (low != low_) {
    std::fprintf(stderr,
                 low ? "warpbook: %llu MiB are free for the journal in %s: nothing new is taken "
                       "until there are more\n"
                     : "warpbook: %llu MiB are free for the journal in %s again: everything is "
                       "taken\n",
                 static_cast<unsigned long long>(*free >> 20), directory_.c_str());
  }
  low_ = low;
  return low_;
}

}  // namespace warpbook::engine
