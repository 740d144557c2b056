// BlockPool: the memory of many objects of one type, in blocks that are never moved. What is
// released is used again; blocks go back when the pool does. Its owner bounds how many there are.
// Addresses hold until Release, and nothing depends on their order.
#pragma once

#include <cstddef>
#include <memory>
#include <new>
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

  // A fresh T.
  T* Acquire() {
    if (free_.empty()) [[unlikely]]
      AddBlock();
    Slot* slot = free_.back();
    free_.pop_back();
    return new (slot) T();
  }
  void Release(T* object) { free_.push_back(reinterpret_cast<Slot*>(object)); }
  size_t live() const { return blocks_.size() * kObjectsPerBlock - free_.size(); }

 private:
  // About 64 KiB.
  static constexpr size_t kObjectsPerBlock = sizeof(T) < 1'024 ? 65'536 / sizeof(T) : 64;
  struct alignas(T) Slot {
    std::byte bytes[sizeof(T)];
  };

  void AddBlock() {
    blocks_.emplace_back(new Slot[kObjectsPerBlock]);
    for (size_t i = kObjectsPerBlock; i-- > 0;) free_.push_back(&blocks_.back()[i]);
  }

  std::vector<std::unique_ptr<Slot[]>> blocks_;
  std::vector<Slot*> free_;  // used from the back: the last released is the warmest
};

}  // namespace warpbook::engine
