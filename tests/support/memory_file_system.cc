#include "tests/support/memory_file_system.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "schema/base/check.h"

namespace warpbook::test {
namespace {

std::string DirectoryOf(const std::string& path) {
  const size_t slash = path.find_last_of('/');
  return slash == std::string::npos ? "." : path.substr(0, slash);
}

class MemoryMapping final : public SharedMapping {
 public:
  MemoryMapping(std::shared_ptr<void> owner, std::span<std::byte> bytes)
      : owner_(std::move(owner)), bytes_(bytes) {}
  std::span<std::byte> bytes() override { return bytes_; }

 private:
  const std::shared_ptr<void> owner_;
  const std::span<std::byte> bytes_;
};

}  // namespace

class MemoryFile final : public File, public SyncFailure {
 public:
  using Node = MemoryFileSystem::Node;
  using Change = MemoryFileSystem::Change;
  MemoryFile(MemoryFileSystem& files, std::shared_ptr<Node> node)
      : files_(files), node_(std::move(node)) {}

  absl::StatusOr<size_t> ReadSome(uint64_t offset, std::span<std::byte> bytes) override {
    const std::lock_guard lock(files_.mutex_);
    if (offset >= node_->cached.size()) return size_t{0};
    const size_t count = std::min<size_t>(bytes.size(), node_->cached.size() - offset);
    std::memcpy(bytes.data(), node_->cached.data() + offset, count);
    return count;
  }

  absl::StatusOr<size_t> WriteSome(uint64_t offset, std::span<const std::byte> bytes) override {
    const std::lock_guard lock(files_.mutex_);
    Make({false, offset, std::vector<std::byte>(bytes.begin(), bytes.end())});
    return bytes.size();
  }

  absl::Status SyncData() override {
    const std::lock_guard lock(files_.mutex_);
    std::erase_if(node_->unsynced, [this](const Change& change) {
      if (change.clean) return false;
      MemoryFileSystem::Apply(change, node_->durable);
      return true;
    });
    return absl::OkStatus();
  }

  // Each page on its own, for each can be written again on its own. A truncation is no page: it
  // waits in the file system's own journal.
  void FailSync() override {
    const std::lock_guard lock(files_.mutex_);
    std::vector<Change> changes;
    for (Change& change : node_->unsynced) {
      if (change.truncates || change.clean) {
        changes.push_back(std::move(change));
      } else {
        MemoryFileSystem::ForEachPiece(change, MemoryFileSystem::kPageSize, [&](Change piece) {
          piece.clean = true;
          changes.push_back(std::move(piece));
        });
      }
    }
    node_->unsynced = std::move(changes);
  }

  absl::Status Allocate(uint64_t) override { return absl::OkStatus(); }

  absl::Status Truncate(uint64_t size) override {
    const std::lock_guard lock(files_.mutex_);
    Make({true, size, {}});
    return absl::OkStatus();
  }

  absl::StatusOr<uint64_t> Size() override {
    const std::lock_guard lock(files_.mutex_);
    return node_->cached.size();
  }

 private:
  void Make(Change change) {
    WARPBOOK_CHECK(!node_->mapped);
    MemoryFileSystem::Make(std::move(change), *node_);
  }

  MemoryFileSystem& files_;
  const std::shared_ptr<Node> node_;
};

class MemoryLock final : public DirectoryLock {
 public:
  MemoryLock(MemoryFileSystem& files, std::string directory)
      : files_(files), directory_(std::move(directory)) {}
  ~MemoryLock() override {
    const std::lock_guard lock(files_.mutex_);
    files_.locked_.erase(directory_);
  }

 private:
  MemoryFileSystem& files_;
  const std::string directory_;
};

void MemoryFileSystem::Make(Change change, Node& node) {
  // Whoever writes a part of a page makes the whole page dirty.
  const uint64_t first_page = change.offset / kPageSize;
  const uint64_t end = change.truncates ? UINT64_MAX : change.offset + change.bytes.size();
  for (Change& earlier : node.unsynced) {
    const uint64_t page = earlier.offset / kPageSize;
    if (page >= first_page && page * kPageSize < end) earlier.clean = false;
  }
  Apply(change, node.cached);
  node.unsynced.push_back(std::move(change));
}

void MemoryFileSystem::ForEachPiece(const Change& change, size_t size,
                                    const std::function<void(Change)>& visit) {
  for (size_t at = 0; at < change.bytes.size();) {
    const size_t count = std::min<size_t>(change.bytes.size() - at,
                                          size - static_cast<size_t>((change.offset + at) % size));
    const auto begin = change.bytes.begin() + static_cast<ptrdiff_t>(at);
    visit({false, change.offset + at, {begin, begin + static_cast<ptrdiff_t>(count)}});
    at += count;
  }
}

void MemoryFileSystem::Apply(const Change& change, std::vector<std::byte>& bytes) {
  if (change.truncates) {
    bytes.resize(change.offset);
    return;
  }
  bytes.resize(std::max<size_t>(bytes.size(), change.offset + change.bytes.size()));
  std::copy(change.bytes.begin(), change.bytes.end(),
            bytes.begin() + static_cast<ptrdiff_t>(change.offset));
}

void MemoryFileSystem::Apply(const NameChange& change, Names& names) {
  if (!change.removed.empty()) names.erase(change.removed);
  if (!change.added.empty()) names[change.added] = change.node;
}

std::shared_ptr<MemoryFileSystem::Node> MemoryFileSystem::Find(const std::string& path, Mode mode) {
  if (!directories_.contains(DirectoryOf(path))) return nullptr;
  const auto found = names_.find(path);
  if (mode != Mode::kCreate) return found == names_.end() ? nullptr : found->second;
  if (found != names_.end()) {
    Make({true, 0, {}}, *found->second);
    return found->second;
  }
  const NameChange made{DirectoryOf(path), "", path, std::make_shared<Node>()};
  Apply(made, names_);
  unsynced_names_.push_back(made);
  return made.node;
}

absl::StatusOr<std::unique_ptr<File>> MemoryFileSystem::Open(const std::string& path, Mode mode) {
  const std::lock_guard lock(mutex_);
  std::shared_ptr<Node> node = Find(path, mode);
  if (node == nullptr) return absl::NotFoundError(absl::StrCat("open ", path));
  return std::make_unique<MemoryFile>(*this, std::move(node));
}

absl::StatusOr<std::unique_ptr<SharedMapping>> MemoryFileSystem::Map(const std::string& path,
                                                                     Mode mode, size_t size) {
  const std::lock_guard lock(mutex_);
  const std::shared_ptr<Node> node = Find(path, mode);
  if (node == nullptr) return absl::NotFoundError(absl::StrCat("open ", path));
  if (node->cached.size() < size) return absl::DataLossError(absl::StrCat(path, ": too short"));
  node->mapped = true;
  return std::make_unique<MemoryMapping>(node, std::span(node->cached).first(size));
}

absl::Status MemoryFileSystem::Rename(const std::string& from, const std::string& to) {
  const std::lock_guard lock(mutex_);
  const auto found = names_.find(from);
  if (found == names_.end()) return absl::NotFoundError(absl::StrCat("rename ", from));
  const NameChange change{DirectoryOf(to), from, to, found->second};
  Apply(change, names_);
  unsynced_names_.push_back(change);
  return absl::OkStatus();
}

absl::Status MemoryFileSystem::Remove(const std::string& path) {
  const std::lock_guard lock(mutex_);
  if (!names_.contains(path)) return absl::NotFoundError(absl::StrCat("unlink ", path));
  const NameChange change{DirectoryOf(path), path, "", nullptr};
  Apply(change, names_);
  unsynced_names_.push_back(change);
  return absl::OkStatus();
}

absl::Status MemoryFileSystem::MakeDirectory(const std::string& path) {
  const std::lock_guard lock(mutex_);
  if (!directories_.contains(DirectoryOf(path))) {
    return absl::NotFoundError(absl::StrCat("mkdir ", path));
  }
  directories_.insert(path);
  return absl::OkStatus();
}

absl::Status MemoryFileSystem::SyncDirectory(const std::string& path) {
  const std::lock_guard lock(mutex_);
  for (const NameChange& change : unsynced_names_) {
    if (change.directory == path) Apply(change, durable_names_);
  }
  std::erase_if(unsynced_names_,
                [&](const NameChange& change) { return change.directory == path; });
  return absl::OkStatus();
}

absl::StatusOr<std::vector<std::string>> MemoryFileSystem::List(const std::string& path) {
  const std::lock_guard lock(mutex_);
  if (!directories_.contains(path)) return absl::NotFoundError(absl::StrCat("opendir ", path));
  std::vector<std::string> names;
  const std::string prefix = path + "/";
  for (auto it = names_.lower_bound(prefix); it != names_.end(); ++it) {
    if (!it->first.starts_with(prefix)) break;
    const std::string name = it->first.substr(prefix.size());
    if (name.find('/') == std::string::npos) names.push_back(name);
  }
  return names;
}

absl::StatusOr<uint64_t> MemoryFileSystem::FreeBytes(const std::string& directory) {
  const std::lock_guard lock(mutex_);
  if (!directories_.contains(directory)) {
    return absl::NotFoundError(absl::StrCat("statvfs ", directory));
  }
  return free_bytes_;
}

void MemoryFileSystem::SetFreeBytes(uint64_t bytes) {
  const std::lock_guard lock(mutex_);
  free_bytes_ = bytes;
}

absl::StatusOr<std::unique_ptr<DirectoryLock>> MemoryFileSystem::Lock(
    const std::string& directory) {
  const std::lock_guard lock(mutex_);
  if (!locked_.insert(directory).second) {
    return absl::FailedPreconditionError(absl::StrCat(directory, " is in use"));
  }
  return std::make_unique<MemoryLock>(*this, directory);
}

std::vector<std::byte> MemoryFileSystem::BytesAfterCrash(const Node& node,
                                                         const std::function<bool()>& keep) {
  if (node.mapped) return keep() ? node.cached : node.durable;
  std::vector<std::byte> bytes = node.durable;
  for (const Change& change : node.unsynced) {
    if (change.truncates) {
      if (keep()) Apply(change, bytes);
      continue;
    }
    ForEachPiece(change, kSectorSize, [&](const Change& piece) {
      if (keep()) Apply(piece, bytes);
    });
  }
  return bytes;
}

std::unique_ptr<MemoryFileSystem> MemoryFileSystem::AfterCrash(
    const std::function<bool()>& keep) const {
  const std::lock_guard lock(mutex_);
  auto after = std::make_unique<MemoryFileSystem>();
  after->directories_ = directories_;
  Names names = durable_names_;
  for (const NameChange& change : unsynced_names_) {
    if (keep()) Apply(change, names);
  }
  std::map<const Node*, std::shared_ptr<Node>> copies;
  for (const auto& [path, node] : names) {
    std::shared_ptr<Node>& copy = copies[node.get()];
    if (copy == nullptr) {
      copy = std::make_shared<Node>();
      copy->cached = BytesAfterCrash(*node, keep);
      copy->durable = copy->cached;
    }
    after->names_[path] = copy;
  }
  after->durable_names_ = after->names_;
  return after;
}

std::unique_ptr<MemoryFileSystem> MemoryFileSystem::Synced() const {
  const std::lock_guard lock(mutex_);
  auto after = std::make_unique<MemoryFileSystem>();
  after->directories_ = directories_;
  for (const auto& [path, node] : names_) {
    auto copy = std::make_shared<Node>();
    copy->cached = node->cached;
    copy->durable = node->cached;
    after->names_[path] = copy;
  }
  after->durable_names_ = after->names_;
  return after;
}

std::vector<std::byte>& MemoryFileSystem::content(const std::string& path) {
  const std::lock_guard lock(mutex_);
  const auto found = names_.find(path);
  WARPBOOK_CHECK(found != names_.end());
  return found->second->cached;
}

bool MemoryFileSystem::exists(const std::string& path) const {
  const std::lock_guard lock(mutex_);
  return names_.contains(path);
}

bool MemoryFileSystem::IsSynced(const std::string& path) const {
  const std::lock_guard lock(mutex_);
  const auto found = names_.find(path);
  const auto durable = durable_names_.find(path);
  return found != names_.end() && durable != durable_names_.end() &&
         found->second == durable->second && found->second->unsynced.empty();
}

std::map<std::string, std::vector<std::byte>> MemoryFileSystem::contents() const {
  const std::lock_guard lock(mutex_);
  std::map<std::string, std::vector<std::byte>> contents;
  for (const auto& [path, node] : names_) contents[path] = node->cached;
  return contents;
}

}  // namespace warpbook::test
