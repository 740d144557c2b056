#include "schema/journal/segment_maker.h"

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

namespace warpbook::journal {
namespace {

constexpr char kPreparedName[] = "prepared.segment";
constexpr char kLargeName[] = "large.segment";
// Synced piece by piece, so that the batches' own syncs never queue behind a whole segment.
constexpr uint64_t kPieceSize = uint64_t{4} << 20;

}  // namespace

SegmentMaker::SegmentMaker(FileSystem& files, std::string directory, uint64_t segment_size,
                           bool in_background)
    : files_(files), directory_(std::move(directory)), segment_size_(segment_size) {
  if (in_background) thread_ = std::thread([this] { Run(); });
}

SegmentMaker::~SegmentMaker() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void SegmentMaker::Prepare() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    wanted_ = true;
  }
  changed_.notify_all();
}

absl::Status SegmentMaker::Take(uint64_t size, std::string* prepared_path) {
  if (size > segment_size_) {
    *prepared_path = absl::StrCat(directory_, "/", kLargeName);
    return Make(kLargeName, size);
  }
  *prepared_path = PreparedPath();
  if (!thread_.joinable()) return MakeUnlessThere();
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return !wanted_; });
  if (last_made_.ok()) return absl::OkStatus();
  // It may be long ago that room or descriptors lacked, and they may be there by now.
  return MakeUnlessThere();
}

std::string SegmentMaker::PreparedPath() const {
  return absl::StrCat(directory_, "/", kPreparedName);
}

absl::Status SegmentMaker::MakeUnlessThere() const {
  absl::StatusOr<std::unique_ptr<File>> file = files_.Open(PreparedPath(), FileSystem::Mode::kRead);
  if (file.ok()) {
    const absl::StatusOr<uint64_t> size = (*file)->Size();
    if (!size.ok()) return size.status();
    // It was renamed to this name when it was whole; only its first page was ever written since.
    // Whoever did that may have been ended before the name was on disk.
    if (*size == segment_size_) return files_.SyncDirectory(directory_);
  } else if (!absl::IsNotFound(file.status())) {
    return file.status();
  }
  return Make(kPreparedName, segment_size_);
}

absl::Status SegmentMaker::Make(const std::string& name, uint64_t size) const {
  const std::string temporary = absl::StrCat(directory_, "/.", name);
  {
    absl::StatusOr<std::unique_ptr<File>> file = files_.Open(temporary, FileSystem::Mode::kCreate);
    if (!file.ok()) return file.status();
    const absl::Status allocated = (*file)->Allocate(size);
    if (!allocated.ok()) return allocated;
    const std::vector<std::byte> zeros(std::min(kPieceSize, size));
    for (uint64_t at = 0; at < size; at += zeros.size()) {
      const std::span<const std::byte> piece =
          std::span(zeros).first(std::min<uint64_t>(zeros.size(), size - at));
      absl::Status status = WriteFully(**file, at, piece);
      if (status.ok()) status = (*file)->SyncData();
      if (!status.ok()) return status;
    }
  }
  const absl::Status renamed = files_.Rename(temporary, absl::StrCat(directory_, "/", name));
  if (!renamed.ok()) return renamed;
  return files_.SyncDirectory(directory_);
}

void SegmentMaker::Run() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return wanted_ || stopping_; });
    if (stopping_) return;
    lock.unlock();
    absl::Status made = MakeUnlessThere();
    lock.lock();
    last_made_ = std::move(made);
    wanted_ = false;
    changed_.notify_all();
  }
}

}  // namespace warpbook::journal
