#include "schema/base/file.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <filesystem>

#include "tests/support/faulty_file_system.h"
#include "tests/support/memory_file_system.h"
#include "tests/support/temporary_directory.h"

namespace warpbook {
namespace {

using Mode = FileSystem::Mode;

std::span<const std::byte> Bytes(std::string_view text) { return std::as_bytes(std::span(text)); }

// What both file systems must do alike. `root` is there and empty.
void CheckFileSystem(FileSystem& files, const std::string& root) {
  CHECK(absl::IsNotFound(files.Open(root + "/a", Mode::kRead).status()));
  CHECK(absl::IsNotFound(files.Open(root + "/a", Mode::kReadWrite).status()));
  CHECK(absl::IsNotFound(files.Open(root + "/none/a", Mode::kCreate).status()));
  CHECK(absl::IsNotFound(files.List(root + "/none").status()));
  CHECK(absl::IsNotFound(files.Remove(root + "/a")));
  {
    const auto file = files.Open(root + "/a", Mode::kCreate);
    REQUIRE(file.ok());
    REQUIRE((*file)->Allocate(100).ok());
    REQUIRE(WriteFully(**file, 3, Bytes("hello")).ok());
    REQUIRE((*file)->SyncData().ok());
    REQUIRE((*file)->Truncate(6).ok());
    CHECK(*(*file)->Size() == 6);
    std::byte buffer[10] = {};
    CHECK(*ReadFully(**file, 1, buffer) == 5);
    CHECK(std::memcmp(buffer, "\0\0hel", 5) == 0);
    CHECK(*ReadFully(**file, 6, buffer) == 0);
    CHECK(*ReadFully(**file, 600, buffer) == 0);
  }
  REQUIRE(ReplaceFile(files, root, "b", "second").ok());
  REQUIRE(ReplaceFile(files, root, "b", "third").ok());
  CHECK(*ReadWholeFile(files, root + "/b") == "third");
  REQUIRE(files.Rename(root + "/a", root + "/c").ok());
  REQUIRE(files.MakeDirectory(root + "/sub").ok());
  REQUIRE(files.MakeDirectory(root + "/sub").ok());
  CHECK(absl::IsNotFound(files.MakeDirectory(root + "/none/sub")));
  REQUIRE(files.SyncDirectory(root).ok());
  CHECK(*files.List(root) == std::vector<std::string>{"b", "c"});
  REQUIRE(files.Remove(root + "/c").ok());
  {
    const auto one = files.Map(root + "/b", Mode::kReadWrite, 5);
    const auto other = files.Map(root + "/b", Mode::kRead, 5);
    REQUIRE(one.ok());
    REQUIRE(other.ok());
    (*one)->bytes()[0] = std::byte{'T'};
    CHECK((*other)->bytes()[0] == std::byte{'T'});
    CHECK(absl::IsDataLoss(files.Map(root + "/b", Mode::kRead, 6).status()));
    CHECK(absl::IsNotFound(files.Map(root + "/none", Mode::kRead, 6).status()));
  }
  {
    const auto lock = files.Lock(root);
    REQUIRE(lock.ok());
    CHECK(absl::IsFailedPrecondition(files.Lock(root).status()));
  }
  CHECK(files.Lock(root).ok());
}

TEST_CASE("The machine's files and those in memory do the same") {
  const test::TemporaryDirectory directory;
  CheckFileSystem(PosixFileSystem(), directory.path());
  test::MemoryFileSystem memory;
  REQUIRE(memory.MakeDirectory("root").ok());
  CheckFileSystem(memory, "root");
}

TEST_CASE("A file's faults name it") {
  const test::TemporaryDirectory directory;
  FileSystem& files = PosixFileSystem();
  const absl::Status missing = files.Open(directory / "missing", Mode::kRead).status();
  CHECK(missing.message().find(directory / "missing") != std::string::npos);
  const auto full = files.Open("/dev/full", Mode::kReadWrite);
  REQUIRE(full.ok());
  const absl::Status no_space = WriteFully(**full, 0, Bytes("x"));
  CHECK(absl::IsResourceExhausted(no_space));
  CHECK(no_space.message().find("/dev/full") != std::string::npos);
}

TEST_CASE("A directory that another process has locked is named, and free once that one ended") {
  const test::TemporaryDirectory directory;
  int to_child[2];
  int to_parent[2];
  REQUIRE(pipe(to_child) == 0);
  REQUIRE(pipe(to_parent) == 0);
  const pid_t child = fork();
  if (child == 0) {
    const auto lock = PosixFileSystem().Lock(directory.path());
    char byte = lock.ok() ? 'y' : 'n';
    if (write(to_parent[1], &byte, 1) != 1 || read(to_child[0], &byte, 1) != 1) _exit(1);
    _exit(0);  // without a word to the lock
  }
  char byte = 0;
  REQUIRE(read(to_parent[0], &byte, 1) == 1);
  CHECK(byte == 'y');
  const absl::Status taken = PosixFileSystem().Lock(directory.path()).status();
  CHECK(absl::IsFailedPrecondition(taken));
  CHECK(taken.message().find(directory.path() + " is in use by another process") !=
        std::string::npos);
  REQUIRE(write(to_child[1], &byte, 1) == 1);
  REQUIRE(waitpid(child, nullptr, 0) == child);
  CHECK(PosixFileSystem().Lock(directory.path()).ok());
  for (const int fd : {to_child[0], to_child[1], to_parent[0], to_parent[1]}) close(fd);
}

TEST_CASE("A crash keeps synced bytes and names, and may lose each of the others") {
  test::MemoryFileSystem files;
  REQUIRE(files.MakeDirectory("d").ok());
  {
    const auto file = files.Open("d/a", Mode::kCreate);
    REQUIRE(WriteFully(**file, 0, std::vector<std::byte>(1'024, std::byte{1})).ok());
    REQUIRE((*file)->SyncData().ok());
    REQUIRE(files.SyncDirectory("d").ok());
    REQUIRE(WriteFully(**file, 256, std::vector<std::byte>(512, std::byte{2})).ok());
    REQUIRE(files.Open("d/b", Mode::kCreate).ok());
  }
  const auto lost = files.AfterCrash([] { return false; });
  CHECK_FALSE(lost->exists("d/b"));
  CHECK(lost->content("d/a") == std::vector<std::byte>(1'024, std::byte{1}));
  int asked = 0;
  const auto second_sector = files.AfterCrash([&] { return ++asked == 3; });
  CHECK(asked == 3);  // the name, and a piece of each of two sectors
  CHECK(second_sector->content("d/a")[511] == std::byte{1});
  CHECK(second_sector->content("d/a")[512] == std::byte{2});
  CHECK(second_sector->content("d/a")[768] == std::byte{1});
}

TEST_CASE("What a sync failed to write is seen, and on disk only after it was written again") {
  test::MemoryFileSystem memory;
  bool failing = false;
  test::FaultyFileSystem files(memory, [&](const test::FileOperation&) {
    return test::FileFault{.status = failing ? absl::UnknownError("EIO") : absl::OkStatus()};
  });
  const auto file = files.Open("a", Mode::kCreate);
  const std::vector<std::byte> old_pages(2 * 4'096, std::byte{1});
  REQUIRE(WriteFully(**file, 0, old_pages).ok());
  REQUIRE((*file)->SyncData().ok());
  REQUIRE(files.SyncDirectory(".").ok());
  const std::vector<std::byte> new_pages(2 * 4'096, std::byte{2});
  REQUIRE(WriteFully(**file, 0, new_pages).ok());
  failing = true;
  CHECK_FALSE((*file)->SyncData().ok());
  failing = false;
  CHECK((*file)->SyncData().ok());
  CHECK(memory.content("a") == new_pages);
  CHECK(memory.AfterCrash([] { return false; })->content("a") == old_pages);
  CHECK(memory.AfterCrash([] { return true; })->content("a") == new_pages);

  // A byte written makes its page dirty again, and no other one.
  REQUIRE(WriteFully(**file, 4'095, Bytes("x")).ok());
  REQUIRE((*file)->SyncData().ok());
  std::vector<std::byte> expected = old_pages;
  std::fill(expected.begin(), expected.begin() + 4'095, std::byte{2});
  expected[4'095] = std::byte{'x'};
  CHECK(memory.AfterCrash([] { return false; })->content("a") == expected);
}

std::string Content(const std::string& path) {
  return ReadWholeFile(PosixFileSystem(), path).value_or("(none)");
}

TEST_CASE("An output file is written whole, over what was there, and nothing is left beside it") {
  const test::TemporaryDirectory directory;
  REQUIRE(WriteOutputFile(directory / "report", "first, which is longer").ok());
  REQUIRE(WriteOutputFile(directory / "report", "second").ok());
  CHECK(Content(directory / "report") == "second");
  CHECK(*PosixFileSystem().List(directory.path()) == std::vector<std::string>{"report"});
  CHECK(absl::IsNotFound(WriteOutputFile(directory / "none/report", "third")));
  CHECK(absl::IsInvalidArgument(WriteOutputFile(directory.path() + "/", "third")));
  CHECK_FALSE(WriteOutputFile(directory.path(), "third").ok());
}

TEST_CASE("An output file is written through no link that somebody has laid") {
  const test::TemporaryDirectory directory;
  REQUIRE(WriteOutputFile(directory / "victim", "kept").ok());
  // Where the file is to be, and where its temporary one could be foreseen.
  for (const char* name : {"report", ".report", ".report.tmp"}) {
    std::filesystem::create_symlink(directory / "victim", directory / name);
  }
  REQUIRE(WriteOutputFile(directory / "report", "new").ok());
  CHECK(Content(directory / "victim") == "kept");
  CHECK(Content(directory / "report") == "new");
  CHECK_FALSE(std::filesystem::is_symlink(directory / "report"));
}

TEST_CASE("What is no regular file is written into and stays what it is") {
  const test::TemporaryDirectory directory;
  const std::string pipe = directory / "pipe";
  REQUIRE(mkfifo(pipe.c_str(), 0600) == 0);
  const int reader = open(pipe.c_str(), O_RDONLY | O_NONBLOCK);
  REQUIRE(reader >= 0);
  REQUIRE(WriteOutputFile(pipe, "through it").ok());
  std::array<char, 32> bytes{};
  const ssize_t count = read(reader, bytes.data(), bytes.size());
  close(reader);
  CHECK(std::string(bytes.data(), static_cast<size_t>(std::max<ssize_t>(count, 0))) ==
        "through it");
  CHECK(std::filesystem::is_fifo(pipe));
  // As /dev/stdout is: through /proc to a file.
  const int file = open((directory / "file").c_str(), O_WRONLY | O_CREAT, 0600);
  REQUIRE(file >= 0);
  std::filesystem::create_symlink("/proc/self/fd/" + std::to_string(file), directory / "link");
  CHECK(WriteOutputFile(directory / "link", "into it").ok());
  close(file);
  CHECK(Content(directory / "file") == "into it");
  CHECK(std::filesystem::is_symlink(directory / "link"));
}

}  // namespace
}  // namespace warpbook
