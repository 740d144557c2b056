// SegmentMaker: segments made ahead, so that the writer never waits for their zeros: file
// `directory`/prepared.segment, written with zeros and synced with its directory. A batch then
// changes no metadata, and its fdatasync is one write to the device.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <string>
#include <thread>

#include "absl/status/status.h"
#include "schema/base/file.h"

namespace warpbook::journal {

// Owned by the writer's thread; the making runs on a thread of its own, or inside Take() where
// `in_background` is false.
class SegmentMaker {
 public:
  SegmentMaker(FileSystem& files, std::string directory, uint64_t segment_size, bool in_background);
  ~SegmentMaker();
  SegmentMaker(const SegmentMaker&) = delete;
  SegmentMaker& operator=(const SegmentMaker&) = delete;

  // Begins to make the next segment, where it is not there already.
  void Prepare();

  // Waits until there is a segment of zeros and says where: the caller writes its header and gives
  // it a segment's name. Where the making ahead failed, it is tried once more, at once; for more
  // than `segment_size` bytes a segment of that size is made, at once.
  absl::Status Take(uint64_t size, std::string* prepared_path);

 private:
  absl::Status MakeUnlessThere() const;
  absl::Status Make(const std::string& name, uint64_t size) const;
  std::string PreparedPath() const;
  void Run();

  FileSystem& files_;
  const std::string directory_;
  const uint64_t segment_size_;

  std::mutex mutex_;  // guards what follows
  std::condition_variable changed_;
  bool wanted_ = false;
  bool stopping_ = false;
  absl::Status last_made_;
  std::thread thread_;  // not joinable where nothing runs in the background
};

}  // namespace warpbook::journal
