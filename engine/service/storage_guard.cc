#include "engine/service/storage_guard.h"

#include <utility>

#include "schema/base/log.h"

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
    Log(low ? LogLevel::kError : LogLevel::kInfo, low ? "storage_low" : "storage_enough",
        JsonObject()
            .Integer("free_mebibytes", static_cast<int64_t>(*free >> 20))
            .Text("directory", directory_));
  }
  low_ = low;
  return low_;
}

}  // namespace warpbook::engine
