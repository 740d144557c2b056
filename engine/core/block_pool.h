// BlockPool: the memory of many objects of one type, in blocks that are never moved. Objects are
// made once, with their block; what is released is handed out again as it was released. Blocks go
// back when the pool does. Its owner bounds how many there are. Addresses hold until Release, and
// nothing depends on their order.
#pragma once

#include <cstddef>
#include <memory>
#include <type_traits>
#include <vector>

#include "engine/core/large_memory.h"

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
      return AcquireNew();
    T* object = free_.back();
    free_.pop_back();
    return object;
  }
  void Release(T* object) { free_.push_back(object); }
  size_t live() const { return handed_out_ - free_.size(); }

 private:
  // A pool that has become large takes large pages.
  static constexpr size_t kSmallBlock = size_t{64} << 10;
  static constexpr size_t kSmallBlocksMax = kLargePage / kSmallBlock;

  void AddBlock() {
    const bool is_small = blocks_.size() < kSmallBlocksMax;
    const size_t count = (is_small ? kSmallBlock : kLargePage) / sizeof(T);
    blocks_.push_back(is_small ? Block{std::make_unique<T[]>(count), nullptr}
                               : Block{nullptr, MakeLargeArray<T>(count)});
    next_ = is_small ? blocks_.back().small.get() : blocks_.back().large.get();
    end_ = next_ + count;
  }
  T* AcquireNew() {
    if (next_ == end_) AddBlock();
    ++handed_out_;
    return next_++;
  }

  struct Block {  // one of the two
    std::unique_ptr<T[]> small;
    LargeArray<T> large;
  };
  std::vector<Block> blocks_;
  // Of the last block: what was never handed out.
  T* next_ = nullptr;
  T* end_ = nullptr;
  size_t handed_out_ = 0;  // ever, of all blocks
  std::vector<T*> free_;   // used from the back: the last released is the warmest
};

}  // namespace warpbook::engine
