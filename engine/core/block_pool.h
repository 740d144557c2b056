// BlockPool: the memory of many objects of one type, in blocks that are never moved. Objects are
// made once, with their block; what is released is handed out again as it was released. Blocks go
// back when the pool does. Its owner bounds how many there are. Addresses hold until Release, and
// nothing depends on their order.
#pragma once

#include <cstddef>
#include <memory>
#include <type_traits>
#include <vector>

namespace warpbook::engine {

template <typename T>
class BlockPool {
  static_assert(std::is_trivially_destructible_v<T>);

 public:
  BlockPool() = default;
  BlockPool(const BlockPool&) = delete;
  BlockPool& operator=(const BlockPool&) = delete;

  // A fresh T, or one as its last user left it.
  T* Acquire() {
    if (free_.empty()) [[unlikely]]
      AddBlock();
    T* object = free_.back();
    free_.pop_back();
    return object;
  }
  void Release(T* object) { free_.push_back(object); }
  size_t live() const { return blocks_.size() * kObjectsPerBlock - free_.size(); }

 private:
  // About 64 KiB.
  static constexpr size_t kObjectsPerBlock = sizeof(T) < 1'024 ? 65'536 / sizeof(T) : 64;

  void AddBlock() {
    blocks_.push_back(std::make_unique<T[]>(kObjectsPerBlock));
    free_.reserve(blocks_.size() * kObjectsPerBlock);
    for (size_t i = kObjectsPerBlock; i-- > 0;) free_.push_back(&blocks_.back()[i]);
  }

  std::vector<std::unique_ptr<T[]>> blocks_;
  std::vector<T*> free_;  // used from the back: the last released is the warmest
};

}  // namespace warpbook::engine
