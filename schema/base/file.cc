#include "schema/base/file.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"

namespace warpbook {
namespace {

constexpr int kNewFile = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW;
constexpr mode_t kFileMode = 0640;
constexpr mode_t kDirectoryMode = 0750;

absl::Status Fault(const char* operation, const std::string& path) {
  return absl::ErrnoToStatus(errno, absl::StrCat(operation, " ", path));
}

// Repeats a call that a signal interrupted.
template <typename Call>
auto Uninterrupted(Call call) {
  auto result = call();
  while (result == -1 && errno == EINTR) result = call();
  return result;
}

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (fd_ >= 0) close(fd_);
  }
  int get() const { return fd_; }

 private:
  const int fd_;
};

int OpenFlags(FileSystem::Mode mode) {
  switch (mode) {
    case FileSystem::Mode::kRead:
      return O_RDONLY;
    case FileSystem::Mode::kReadWrite:
      return O_RDWR;
    case FileSystem::Mode::kCreate:
      return O_RDWR | O_CREAT | O_TRUNC;
  }
  return O_RDONLY;
}

class PosixFile final : public File {
 public:
  PosixFile(std::string path, int fd) : path_(std::move(path)), fd_(fd) {}

  absl::StatusOr<size_t> ReadSome(uint64_t offset, std::span<std::byte> bytes) override {
    const ssize_t count = Uninterrupted(
        [&] { return pread(fd_.get(), bytes.data(), bytes.size(), static_cast<off_t>(offset)); });
    if (count < 0) return Fault("read", path_);
    return static_cast<size_t>(count);
  }

  absl::StatusOr<size_t> WriteSome(uint64_t offset, std::span<const std::byte> bytes) override {
    const ssize_t count = Uninterrupted(
        [&] { return pwrite(fd_.get(), bytes.data(), bytes.size(), static_cast<off_t>(offset)); });
    if (count < 0) return Fault("write", path_);
    return static_cast<size_t>(count);
  }

  absl::Status SyncData() override {
    // Not repeated after EINTR: what an interrupted sync did is not known.
    if (fdatasync(fd_.get()) != 0) return Fault("fdatasync", path_);
    return absl::OkStatus();
  }

  absl::Status Allocate(uint64_t size) override {
    const int result =
        Uninterrupted([&] { return fallocate(fd_.get(), 0, 0, static_cast<off_t>(size)); });
    if (result != 0 && errno != EOPNOTSUPP && errno != ENOSYS) return Fault("fallocate", path_);
    return absl::OkStatus();
  }

  absl::Status Truncate(uint64_t size) override {
    if (Uninterrupted([&] { return ftruncate(fd_.get(), static_cast<off_t>(size)); }) != 0) {
      return Fault("truncate", path_);
    }
    return absl::OkStatus();
  }

  absl::StatusOr<uint64_t> Size() override {
    struct stat status = {};
    if (fstat(fd_.get(), &status) != 0) return Fault("stat", path_);
    return static_cast<uint64_t>(status.st_size);
  }

 private:
  const std::string path_;
  const Descriptor fd_;
};

class PosixMapping final : public SharedMapping {
 public:
  PosixMapping(void* address, size_t size) : address_(address), size_(size) {}
  ~PosixMapping() override { munmap(address_, size_); }
  std::span<std::byte> bytes() override { return {static_cast<std::byte*>(address_), size_}; }

 private:
  void* const address_;
  const size_t size_;
};

class PosixDirectoryLock final : public DirectoryLock {
 public:
  explicit PosixDirectoryLock(int fd) : fd_(fd) {}

 private:
  const Descriptor fd_;  // flock ends with the descriptor, however the process ends
};

class PosixFiles final : public FileSystem {
 public:
  absl::StatusOr<std::unique_ptr<File>> Open(const std::string& path, Mode mode) override {
    const int fd =
        Uninterrupted([&] { return open(path.c_str(), OpenFlags(mode) | O_CLOEXEC, kFileMode); });
    if (fd < 0) return Fault("open", path);
    return std::make_unique<PosixFile>(path, fd);
  }

  absl::StatusOr<std::unique_ptr<SharedMapping>> Map(const std::string& path, Mode mode,
                                                     size_t size) override {
    const Descriptor fd(
        Uninterrupted([&] { return open(path.c_str(), OpenFlags(mode) | O_CLOEXEC, kFileMode); }));
    if (fd.get() < 0) return Fault("open", path);
    struct stat status = {};
    if (fstat(fd.get(), &status) != 0) return Fault("stat", path);
    if (static_cast<uint64_t>(status.st_size) < size) {
      return absl::DataLossError(absl::StrCat(path, ": shorter than ", size, " bytes"));
    }
    const int protection = mode == Mode::kRead ? PROT_READ : PROT_READ | PROT_WRITE;
    void* address = mmap(nullptr, size, protection, MAP_SHARED, fd.get(), 0);
    if (address == MAP_FAILED) return Fault("mmap", path);
    return std::make_unique<PosixMapping>(address, size);
  }

  absl::Status Rename(const std::string& from, const std::string& to) override {
    if (rename(from.c_str(), to.c_str()) != 0) return Fault("rename", from);
    return absl::OkStatus();
  }

  absl::Status Remove(const std::string& path) override {
    if (unlink(path.c_str()) != 0) return Fault("unlink", path);
    return absl::OkStatus();
  }

  absl::Status MakeDirectory(const std::string& path) override {
    if (mkdir(path.c_str(), kDirectoryMode) != 0 && errno != EEXIST) return Fault("mkdir", path);
    return absl::OkStatus();
  }

  absl::Status SyncDirectory(const std::string& path) override {
    const Descriptor fd(
        Uninterrupted([&] { return open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); }));
    if (fd.get() < 0) return Fault("open", path);
    if (fsync(fd.get()) != 0) return Fault("fsync", path);
    return absl::OkStatus();
  }

  absl::StatusOr<std::vector<std::string>> List(const std::string& path) override {
    const std::unique_ptr<DIR, int (*)(DIR*)> directory(opendir(path.c_str()), closedir);
    if (directory == nullptr) return Fault("opendir", path);
    std::vector<std::string> names;
    errno = 0;
    while (const dirent* entry = readdir(directory.get())) {
      struct stat status = {};
      if (fstatat(dirfd(directory.get()), entry->d_name, &status, 0) == 0 &&
          S_ISREG(status.st_mode)) {
        names.emplace_back(entry->d_name);
      }
      errno = 0;
    }
    if (errno != 0) return Fault("readdir", path);
    std::sort(names.begin(), names.end());
    return names;
  }

  absl::StatusOr<uint64_t> FreeBytes(const std::string& directory) override {
    struct statvfs status = {};
    if (statvfs(directory.c_str(), &status) != 0) return Fault("statvfs", directory);
    return uint64_t{status.f_bavail} * status.f_frsize;
  }

  absl::StatusOr<std::unique_ptr<DirectoryLock>> Lock(const std::string& directory) override {
    const std::string path = directory + "/lock";
    const int fd =
        Uninterrupted([&] { return open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, kFileMode); });
    if (fd < 0) return Fault("open", path);
    auto lock = std::make_unique<PosixDirectoryLock>(fd);
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
      if (errno != EWOULDBLOCK) return Fault("flock", path);
      return absl::FailedPreconditionError(
          absl::StrCat(directory, " is in use by another process (", path, " is locked)"));
    }
    return lock;
  }
};

// Of a path that is there: whether it is to be written into, instead of being replaced.
bool IsWrittenInto(const std::string& path) {
  struct stat status = {};
  if (stat(path.c_str(), &status) != 0) return false;
  if (!S_ISREG(status.st_mode)) return true;
  // /dev/stdout, which leads through /proc to a file.
  std::array<char, 32> target = {};
  const ssize_t length = readlink(path.c_str(), target.data(), target.size());
  return length > 0 && std::string_view(target.data(), length).starts_with("/proc/self/fd/");
}

absl::Status WriteAll(int fd, std::string_view content, const std::string& path) {
  while (!content.empty()) {
    const ssize_t count = Uninterrupted([&] { return write(fd, content.data(), content.size()); });
    if (count < 0) return Fault("write", path);
    content.remove_prefix(static_cast<size_t>(count));
  }
  return absl::OkStatus();
}

// Of a name that is not there yet. Leaves nothing behind where it fails.
absl::Status WriteNewFile(const std::string& path, std::string_view content) {
  const Descriptor fd(
      Uninterrupted([&] { return open(path.c_str(), kNewFile | O_CLOEXEC, kFileMode); }));
  if (fd.get() < 0) return Fault("open", path);
  absl::Status status = WriteAll(fd.get(), content, path);
  // Not repeated after EINTR: what an interrupted sync did is not known.
  if (status.ok() && fdatasync(fd.get()) != 0) status = Fault("fdatasync", path);
  if (!status.ok()) unlink(path.c_str());
  return status;
}

}  // namespace

FileSystem& PosixFileSystem() {
  static PosixFiles files;
  return files;
}

absl::StatusOr<size_t> ReadFully(File& file, uint64_t offset, std::span<std::byte> bytes) {
  size_t done = 0;
  while (done < bytes.size()) {
    const absl::StatusOr<size_t> count = file.ReadSome(offset + done, bytes.subspan(done));
    if (!count.ok()) return count.status();
    if (*count == 0) break;
    done += *count;
  }
  return done;
}

absl::Status WriteFully(File& file, uint64_t offset, std::span<const std::byte> bytes) {
  size_t done = 0;
  while (done < bytes.size()) {
    const absl::StatusOr<size_t> count = file.WriteSome(offset + done, bytes.subspan(done));
    if (!count.ok()) return count.status();
    if (*count == 0) return absl::DataLossError("a write of 0 bytes");
    done += *count;
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> ReadWholeFile(FileSystem& files, const std::string& path) {
  absl::StatusOr<std::unique_ptr<File>> file = files.Open(path, FileSystem::Mode::kRead);
  if (!file.ok()) return file.status();
  const absl::StatusOr<uint64_t> size = (*file)->Size();
  if (!size.ok()) return size.status();
  std::string content(*size, '\0');
  const absl::StatusOr<size_t> count =
      ReadFully(**file, 0, std::as_writable_bytes(std::span(content)));
  if (!count.ok()) return count.status();
  content.resize(*count);
  return content;
}

absl::Status ReplaceFile(FileSystem& files, const std::string& directory, const std::string& name,
                         std::string_view content) {
  const std::string temporary = absl::StrCat(directory, "/.", name);
  {
    absl::StatusOr<std::unique_ptr<File>> file = files.Open(temporary, FileSystem::Mode::kCreate);
    if (!file.ok()) return file.status();
    absl::Status status = WriteFully(**file, 0, std::as_bytes(std::span(content)));
    if (status.ok()) status = (*file)->SyncData();
    if (!status.ok()) return status;
  }
  const absl::Status renamed = files.Rename(temporary, absl::StrCat(directory, "/", name));
  if (!renamed.ok()) return renamed;
  return files.SyncDirectory(directory);
}

absl::Status WriteOutputFile(const std::string& path, std::string_view content) {
  const size_t slash = path.rfind('/');
  const std::string folder = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  const std::string name = slash == std::string::npos ? path : path.substr(slash + 1);
  if (name.empty()) return absl::InvalidArgumentError(absl::StrCat(path, ": not a file's name"));
  if (IsWrittenInto(path)) {
    const Descriptor fd(Uninterrupted([&] { return open(path.c_str(), O_WRONLY | O_CLOEXEC); }));
    if (fd.get() < 0) return Fault("open", path);
    return WriteAll(fd.get(), content, path);
  }
  std::array<unsigned char, 8> random = {};
  if (getrandom(random.data(), random.size(), 0) != std::ssize(random)) {
    return Fault("getrandom for", path);
  }
  std::string temporary = absl::StrCat(folder, "/.", name, ".");
  for (const unsigned char byte : random) {
    absl::StrAppend(&temporary, absl::Hex(byte, absl::kZeroPad2));
  }
  const absl::Status written = WriteNewFile(temporary, content);
  if (!written.ok()) return written;
  FileSystem& files = PosixFileSystem();
  const absl::Status renamed = files.Rename(temporary, path);
  if (!renamed.ok()) {
    unlink(temporary.c_str());
    return renamed;
  }
  return files.SyncDirectory(folder);
}

}  // namespace warpbook
