// StorageGuard: whether the journal's disk has room to go on as usual. Below a reserve the exchange
// takes cancels and what settles, but nothing new (RejectReason kStorageLow), so that what is left
// lasts until somebody makes room; then it comes back by itself. One thread owns it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "schema/base/file.h"

namespace warpbook::engine {

class StorageGuard {
 public:
  // reserve_bytes 0: there is always room.
  StorageGuard(FileSystem& files, std::string directory, uint64_t reserve_bytes);

  // Looks at the disk, logs where its answer changes, and gives it: whether room
  // is short. Once it is, a quarter more than the reserve must be free before it is not. Where the
  // disk cannot be asked the answer stays what it was.
  bool IsLow();
  // As it was told when last asked; nullopt: it never was.
  std::optional<uint64_t> free_bytes() const { return free_bytes_; }

 private:
  FileSystem& files_;
  const std::string directory_;
  const uint64_t reserve_bytes_;
  bool low_ = false;
  std::optional<uint64_t> free_bytes_;
};

}  // namespace warpbook::engine
