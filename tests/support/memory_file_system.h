// A file system in memory that can lose power. It knows what a disk would know: written bytes are
// sure after SyncData, names after SyncDirectory; until then AfterCrash may keep or lose each
// 512-byte sector and each name on its own. A sync that fails does what Linux does: the pages that
// it did not write stay in the cache, count as clean, and no later sync brings them to the disk
// until they are written again. Any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "schema/base/file.h"

namespace warpbook::test {

// A file whose sync can be made to fail (FaultyFileSystem does).
class SyncFailure {
 public:
  virtual ~SyncFailure() = default;
  virtual void FailSync() = 0;
};

class MemoryFileSystem final : public FileSystem {
 public:
  static constexpr size_t kSectorSize = 512;
  static constexpr size_t kPageSize = 4'096;  // of the cache

  MemoryFileSystem() = default;

  absl::StatusOr<std::unique_ptr<File>> Open(const std::string& path, Mode mode) override;
  absl::StatusOr<std::unique_ptr<SharedMapping>> Map(const std::string& path, Mode mode,
                                                     size_t size) override;
  absl::Status Rename(const std::string& from, const std::string& to) override;
  absl::Status Remove(const std::string& path) override;
  absl::Status MakeDirectory(const std::string& path) override;
  absl::Status SyncDirectory(const std::string& path) override;
  absl::StatusOr<std::vector<std::string>> List(const std::string& path) override;
  // As much as SetFreeBytes says; at first more than anybody needs.
  absl::StatusOr<uint64_t> FreeBytes(const std::string& directory) override;
  absl::StatusOr<std::unique_ptr<DirectoryLock>> Lock(const std::string& directory) override;

  // What a machine finds after losing power. `keep` is asked once for each sector that was written
  // but not synced, for each truncation, and for each change of a name, in order.
  std::unique_ptr<MemoryFileSystem> AfterCrash(const std::function<bool()>& keep) const;
  // A copy in which everything that is seen now is on disk. (What a process finds after another one
  // was killed is the file system itself, unsynced as it is.)
  std::unique_ptr<MemoryFileSystem> Synced() const;

  void SetFreeBytes(uint64_t bytes);
  // A file's bytes, to be looked at or damaged. CHECKs that it is there.
  std::vector<std::byte>& content(const std::string& path);
  bool exists(const std::string& path) const;
  // Whether the file would be found as it is after any loss of power: its bytes and its name are on
  // disk.
  bool IsSynced(const std::string& path) const;
  // All files with their bytes: to see that nothing changed.
  std::map<std::string, std::vector<std::byte>> contents() const;

 private:
  friend class MemoryFile;
  friend class MemoryLock;

  struct Change {  // of a file's bytes, not synced
    bool truncates = false;
    uint64_t offset = 0;  // of a truncation: the new size
    std::vector<std::byte> bytes;
    bool clean = false;  // a sync of it failed: it may be on disk, and no sync will bring it there
  };
  struct Node {
    std::vector<std::byte> cached;
    std::vector<std::byte> durable;
    std::vector<Change> unsynced;
    bool mapped = false;
  };
  struct NameChange {
    std::string directory;
    std::string removed;  // "": nothing
    std::string added;
    std::shared_ptr<Node> node;
  };
  using Names = std::map<std::string, std::shared_ptr<Node>>;

  static void Make(Change change, Node& node);
  static void Apply(const Change& change, std::vector<std::byte>& bytes);
  static void Apply(const NameChange& change, Names& names);
  // The pieces of a write, cut at the multiples of a size.
  static void ForEachPiece(const Change& change, size_t size,
                           const std::function<void(Change)>& visit);
  static std::vector<std::byte> BytesAfterCrash(const Node& node,
                                                const std::function<bool()>& keep);
  std::shared_ptr<Node> Find(const std::string& path, Mode mode);  // null: not found

  mutable std::mutex mutex_;
  std::set<std::string> directories_ = {"."};
  Names names_;
  Names durable_names_;
  std::vector<NameChange> unsynced_names_;
  std::set<std::string> locked_;
  uint64_t free_bytes_ = uint64_t{1} << 50;
};

}  // namespace warpbook::test
