#include "engine/service/snapshot_file.h"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstring>
#include <memory>
#include <thread>

#include "absl/strings/str_cat.h"
#include "schema/base/crc32c.h"
#include "schema/journal/format.h"
#include "schema/journal/snapshot_names.h"

namespace warpbook::engine {
namespace {

using journal::kPageSize;

constexpr char kMagic[8] = {'W', 'R', 'P', 'B', 'S', 'N', 'F', '1'};
constexpr uint32_t kFormat = 1;
// The journal's own syncs may queue behind one of these.
constexpr uint64_t kPieceSize = uint64_t{256} << 10;
constexpr uint64_t kPieceSizeAtOnce = uint64_t{8} << 20;

struct FilePage {
  char magic[8];
  uint32_t format;
  uint32_t rules_version;
  uint64_t sequence;
  uint64_t engine_bytes;
  uint64_t follower_bytes;
  uint32_t crc;
  uint32_t padding;
};
static_assert(sizeof(FilePage) == 48);

uint32_t CrcOf(const FilePage& page) {
  return Crc32c(std::as_bytes(std::span(&page, 1)).first(offsetof(FilePage, crc)));
}

// Writes bytes one behind the other; after a fault nothing more.
class PieceWriter {
 public:
  PieceWriter(File& file, uint64_t offset, const SnapshotPace& pace)
      : file_(file), pace_(pace), offset_(offset), synced_(offset) {}
  void Write(std::span<const std::byte> bytes) {
    if (!status_.ok()) return;
    status_ = WriteFully(file_, offset_, bytes);
    offset_ += bytes.size();
    const bool is_piece =
        offset_ - synced_ >= (pace_.stop == nullptr ? kPieceSizeAtOnce : kPieceSize);
    if (status_.ok() && is_piece) EndPiece();
  }
  uint64_t offset() const { return offset_; }
  const absl::Status& status() const { return status_; }

 private:
  using SteadyClock = std::chrono::steady_clock;

  void EndPiece() {
    status_ = file_.SyncData();
    synced_ = offset_;
    if (pace_.stop == nullptr || !status_.ok()) return;
    if (pace_.stop->load()) {
      status_ = absl::CancelledError("it was stopped");
      return;
    }
    std::this_thread::sleep_for(SnapshotPace::kRest * (SteadyClock::now() - begun_));
    begun_ = SteadyClock::now();
  }

  File& file_;
  const SnapshotPace pace_;
  uint64_t offset_;
  uint64_t synced_;
  SteadyClock::time_point begun_ = SteadyClock::now();  // the piece
  absl::Status status_;
};

absl::Status WriteContent(File& file, const Engine& engine, const Follower* follower,
                          uint32_t rules_version, const SnapshotPace& pace) {
  const uint64_t engine_at = kPageSize;
  PieceWriter writer(file, engine_at + kSnapshotHeaderSize, pace);
  const auto sink = [&writer](std::span<const std::byte> piece) { writer.Write(piece); };
  const SnapshotHeader header = engine.WriteSnapshot(rules_version, sink);
  const uint64_t follower_at = writer.offset();
  if (follower != nullptr) follower->Write(sink);
  if (!writer.status().ok()) return writer.status();

  FilePage page = {};
  std::memcpy(page.magic, kMagic, sizeof kMagic);
  page.format = kFormat;
  page.rules_version = rules_version;
  page.sequence = engine.last_sequence().value();
  page.engine_bytes = follower_at - engine_at;
  page.follower_bytes = writer.offset() - follower_at;
  page.crc = CrcOf(page);
  std::vector<std::byte> first(kPageSize);
  std::memcpy(first.data(), &page, sizeof page);
  absl::Status status = WriteFully(file, engine_at, header);
  if (status.ok()) status = WriteFully(file, 0, first);
  if (status.ok()) status = file.SyncData();
  return status;
}

// What is wrong with a file's first page; "" where nothing is.
std::string PageFault(const FilePage& page, bool padding_is_zero, uint64_t sequence,
                      uint64_t size) {
  if (std::memcmp(page.magic, kMagic, sizeof kMagic) != 0) return "it is no snapshot";
  if (page.crc != CrcOf(page) || !padding_is_zero) return "its first page is damaged";
  if (page.format != kFormat) {
    return absl::StrCat("it is of format ", page.format, ", this program reads format ", kFormat);
  }
  if (page.sequence != sequence) {
    return absl::StrCat("it is of sequence ", page.sequence, ", not of that in its name");
  }
  const uint64_t rest = size - kPageSize;
  if (page.engine_bytes > rest || page.follower_bytes != rest - page.engine_bytes) {
    return "it is cut short, or longer than it says";
  }
  return "";
}

}  // namespace

absl::Status WriteSnapshotFile(FileSystem& files, const std::string& journal_directory,
                               const Engine& engine, const Follower* follower,
                               uint32_t rules_version, const SnapshotPace& pace) {
  const std::string directory = journal::SnapshotsDirectory(journal_directory);
  absl::Status status = files.MakeDirectory(directory);
  if (status.ok()) status = files.SyncDirectory(journal_directory);
  if (!status.ok()) return status;
  const std::string name = journal::SnapshotName(engine.last_sequence().value());
  const std::string temporary = absl::StrCat(directory, "/.", name);
  {
    absl::StatusOr<std::unique_ptr<File>> file = files.Open(temporary, FileSystem::Mode::kCreate);
    if (!file.ok()) return file.status();
    status = WriteContent(**file, engine, follower, rules_version, pace);
  }
  if (!status.ok()) {
    // Its room may be what is lacking.
    files.Remove(temporary).IgnoreError();
    return status;
  }
  status = files.Rename(temporary, absl::StrCat(directory, "/", name));
  if (status.ok()) status = files.SyncDirectory(directory);
  return status;
}

absl::StatusOr<SnapshotFile> ReadSnapshotFile(FileSystem& files,
                                              const std::string& journal_directory,
                                              uint64_t sequence) {
  const std::string path = journal::SnapshotPath(journal_directory, sequence);
  absl::StatusOr<std::unique_ptr<File>> file = files.Open(path, FileSystem::Mode::kRead);
  if (!file.ok()) return file.status();
  const absl::StatusOr<uint64_t> size = (*file)->Size();
  if (!size.ok()) return size.status();
  SnapshotFile snapshot;
  snapshot.bytes.resize(*size);
  const absl::StatusOr<size_t> count = ReadFully(**file, 0, snapshot.bytes);
  if (!count.ok()) return count.status();
  std::string fault = "it is shorter than a page";
  FilePage page = {};
  if (*count == *size && *size >= kPageSize) {
    std::memcpy(&page, snapshot.bytes.data(), sizeof page);
    const auto padding =
        std::span(snapshot.bytes).first(kPageSize).subspan(offsetof(FilePage, padding));
    const bool zeros = std::ranges::all_of(padding, [](std::byte b) { return b == std::byte{0}; });
    fault = PageFault(page, zeros, sequence, *size);
  }
  if (!fault.empty()) return absl::DataLossError(absl::StrCat(path, ": ", fault));
  snapshot.rules_version = page.rules_version;
  snapshot.sequence = Sequence(page.sequence);
  const auto rest = std::span<const std::byte>(snapshot.bytes).subspan(kPageSize);
  snapshot.engine = rest.first(page.engine_bytes);
  snapshot.follower = rest.subspan(page.engine_bytes);
  return snapshot;
}

}  // namespace warpbook::engine
