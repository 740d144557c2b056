// Files behind an interface, so that tests can lose power between any two of their operations
// (tests/support/memory_file_system.h). The semantics are POSIX's: what was written is sure only
// after SyncData, a name that was made, renamed or removed only after SyncDirectory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace warpbook {

// One open file. One thread at a time. Every fault names the path.
class File {
 public:
  virtual ~File() = default;
  // May read or write less than asked, as pread and pwrite may. Reading 0 bytes: the end of file.
  virtual absl::StatusOr<size_t> ReadSome(uint64_t offset, std::span<std::byte> bytes) = 0;
  virtual absl::StatusOr<size_t> WriteSome(uint64_t offset, std::span<const std::byte> bytes) = 0;
  // fdatasync: the contents and what is needed to read them. After a failure nobody knows what is
  // on disk, and a second call would say OK all the same: never retry.
  virtual absl::Status SyncData() = 0;
  // fallocate: reserves the room. A file system that cannot is not a fault.
  virtual absl::Status Allocate(uint64_t size) = 0;
  virtual absl::Status Truncate(uint64_t size) = 0;
  virtual absl::StatusOr<uint64_t> Size() = 0;
};

// A part of a file that all processes that map it share.
class SharedMapping {
 public:
  virtual ~SharedMapping() = default;
  virtual std::span<std::byte> bytes() = 0;
};

// Held until it is destroyed.
class DirectoryLock {
 public:
  virtual ~DirectoryLock() = default;
};

// Any thread.
class FileSystem {
 public:
  enum class Mode { kRead, kReadWrite, kCreate };  // kCreate: makes the file or empties it

  virtual ~FileSystem() = default;
  // NotFound where the file (kRead, kReadWrite) or its directory is not there.
  virtual absl::StatusOr<std::unique_ptr<File>> Open(const std::string& path, Mode mode) = 0;
  // Maps the first `size` bytes of a file that is at least that long.
  virtual absl::StatusOr<std::unique_ptr<SharedMapping>> Map(const std::string& path, Mode mode,
                                                             size_t size) = 0;
  virtual absl::Status Rename(const std::string& from, const std::string& to) = 0;
  virtual absl::Status Remove(const std::string& path) = 0;
  // Also where it is there already. Its parent must be there.
  virtual absl::Status MakeDirectory(const std::string& path) = 0;
  virtual absl::Status SyncDirectory(const std::string& path) = 0;
  // The names of the files (not directories) in it, ascending.
  virtual absl::StatusOr<std::vector<std::string>> List(const std::string& path) = 0;
  // Bytes that may still be written on the disk that a directory is on.
  virtual absl::StatusOr<uint64_t> FreeBytes(const std::string& directory) = 0;
  // Takes `directory`/lock for this process. FailedPrecondition where another has it.
  virtual absl::StatusOr<std::unique_ptr<DirectoryLock>> Lock(const std::string& directory) = 0;
};

// The machine's own.
FileSystem& PosixFileSystem();

// Reads until the buffer is full or the file ends; says how much.
absl::StatusOr<size_t> ReadFully(File& file, uint64_t offset, std::span<std::byte> bytes);
// Writes everything.
absl::Status WriteFully(File& file, uint64_t offset, std::span<const std::byte> bytes);
// The whole of a small file.
absl::StatusOr<std::string> ReadWholeFile(FileSystem& files, const std::string& path);
// Replaces a small file whole: temporary file beside it (a name that begins with a dot), sync,
// rename, sync of the directory. The directory is one in which nobody else writes.
absl::Status ReplaceFile(FileSystem& files, const std::string& directory, const std::string& name,
                         std::string_view content);

// Writes a file for people where they said, which may be a folder that strangers write in, too
// (/tmp). It is there whole or not at all: a temporary file of a name that nobody can foresee and
// that is not there yet, sync, rename, sync of the folder. A link of that name is replaced, not
// followed; but what is there and is no regular file, such as a device, a pipe or what /dev/stdout
// leads to, is written into. Errors name the path.
absl::Status WriteOutputFile(const std::string& path, std::string_view content);

}  // namespace warpbook
