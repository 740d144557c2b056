// A file system that passes everything on to another one, except where a test tells it otherwise:
// errors, short writes, lies, writes to the wrong place, or a wait.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "schema/base/file.h"
#include "tests/support/memory_file_system.h"

namespace warpbook::test {

// An operation that changes something, makes it sure or lists it, before it is done.
struct FileOperation {
  enum class Kind { kWrite, kSyncData, kTruncate, kCreate, kRename, kSyncDirectory, kList };
  Kind kind;
  std::string path;
};

struct FileFault {
  // Not OK: this is the answer, and nothing is done; a sync in memory fails as Linux's does.
  absl::Status status = absl::OkStatus();
  size_t max_bytes = SIZE_MAX;  // a write takes no more
  bool lost = false;            // nothing is done, and the answer is OK
  int64_t moved_by = 0;         // a write goes that many bytes further on
};

class FaultyFileSystem final : public FileSystem {
 public:
  // `judge` is called before each operation, by whichever thread does it.
  using Judge = std::function<FileFault(const FileOperation&)>;
  FaultyFileSystem(FileSystem& inner, Judge judge) : inner_(inner), judge_(std::move(judge)) {}

  absl::StatusOr<std::unique_ptr<File>> Open(const std::string& path, Mode mode) override {
    if (mode == Mode::kCreate) {
      const FileFault fault = judge_({FileOperation::Kind::kCreate, path});
      if (!fault.status.ok()) return fault.status;
    }
    absl::StatusOr<std::unique_ptr<File>> file = inner_.Open(path, mode);
    if (!file.ok()) return file.status();
    return std::make_unique<FaultyFile>(*this, path, *std::move(file));
  }
  absl::StatusOr<std::unique_ptr<SharedMapping>> Map(const std::string& path, Mode mode,
                                                     size_t size) override {
    return inner_.Map(path, mode, size);
  }
  absl::Status Rename(const std::string& from, const std::string& to) override {
    const FileFault fault = judge_({FileOperation::Kind::kRename, from});
    if (!fault.status.ok()) return fault.status;
    return fault.lost ? absl::OkStatus() : inner_.Rename(from, to);
  }
  absl::Status Remove(const std::string& path) override { return inner_.Remove(path); }
  absl::Status MakeDirectory(const std::string& path) override {
    return inner_.MakeDirectory(path);
  }
  absl::Status SyncDirectory(const std::string& path) override {
    const FileFault fault = judge_({FileOperation::Kind::kSyncDirectory, path});
    if (!fault.status.ok()) return fault.status;
    return fault.lost ? absl::OkStatus() : inner_.SyncDirectory(path);
  }
  absl::StatusOr<std::vector<std::string>> List(const std::string& path) override {
    const FileFault fault = judge_({FileOperation::Kind::kList, path});
    if (!fault.status.ok()) return fault.status;
    return inner_.List(path);
  }
  absl::StatusOr<uint64_t> FreeBytes(const std::string& directory) override {
    return inner_.FreeBytes(directory);
  }
  absl::StatusOr<std::unique_ptr<DirectoryLock>> Lock(const std::string& directory) override {
    return inner_.Lock(directory);
  }

 private:
  class FaultyFile final : public File {
   public:
    FaultyFile(FaultyFileSystem& files, std::string path, std::unique_ptr<File> inner)
        : files_(files), path_(std::move(path)), inner_(std::move(inner)) {}
    absl::StatusOr<size_t> ReadSome(uint64_t offset, std::span<std::byte> bytes) override {
      return inner_->ReadSome(offset, bytes);
    }
    absl::StatusOr<size_t> WriteSome(uint64_t offset, std::span<const std::byte> bytes) override {
      const FileFault fault = files_.judge_({FileOperation::Kind::kWrite, path_});
      if (!fault.status.ok()) return fault.status;
      if (fault.lost) return bytes.size();
      return inner_->WriteSome(offset + static_cast<uint64_t>(fault.moved_by),
                               bytes.first(std::min(bytes.size(), fault.max_bytes)));
    }
    absl::Status SyncData() override {
      const FileFault fault = files_.judge_({FileOperation::Kind::kSyncData, path_});
      if (!fault.status.ok()) {
        if (auto* memory = dynamic_cast<SyncFailure*>(inner_.get())) memory->FailSync();
        return fault.status;
      }
      return fault.lost ? absl::OkStatus() : inner_->SyncData();
    }
    absl::Status Allocate(uint64_t size) override { return inner_->Allocate(size); }
    absl::Status Truncate(uint64_t size) override {
      const FileFault fault = files_.judge_({FileOperation::Kind::kTruncate, path_});
      if (!fault.status.ok()) return fault.status;
      return inner_->Truncate(size);
    }
    absl::StatusOr<uint64_t> Size() override { return inner_->Size(); }

   private:
    FaultyFileSystem& files_;
    const std::string path_;
    const std::unique_ptr<File> inner_;
  };

  FileSystem& inner_;
  const Judge judge_;
};

}  // namespace warpbook::test
