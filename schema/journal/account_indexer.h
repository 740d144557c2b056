// AccountIndexer: makes the account indexes (account_index.h) of a journal's sealed segments, those
// of the archive left as they are. It works beside the writer and needs no lock; one process does
// this at a time, and one thread owns it. Its memory is bounded by a segment.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <utility>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "schema/base/file.h"

namespace warpbook::journal {

class AccountIndexer {
 public:
  AccountIndexer(FileSystem& files, std::string directory)
      : files_(files), directory_(std::move(directory)) {}

  // Makes the indexes that are missing or cannot be used, the oldest segment's first, and tells the
  // segment's number after each. Those that one of its calls has seen to be good are not looked at
  // again. CancelledError where `stop` came first.
  absl::Status MakeMissing(
      const std::atomic<bool>& stop, absl::FunctionRef<void(uint64_t)> on_made = [](uint64_t) {});

 private:
  FileSystem& files_;
  const std::string directory_;
  uint64_t done_ = 0;  // the number of the last segment whose index was good
};

}  // namespace warpbook::journal
