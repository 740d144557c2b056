// HandlePool: the memory of many small records, named by handles of 32 bits instead of pointers. In
// blocks that are never moved; what is released is used again, and its place in the list of free
// ones lies in its own bytes, so that a record costs its size and nothing more. Handles start at 1;
// nothing depends on which one a record gets.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <new>
#include <type_traits>
#include <vector>

namespace warpbook::engine {

template <typename T>
class HandlePool {
  static_assert(std::is_trivially_copyable_v<T> && std::is_trivially_destructible_v<T> &&
                sizeof(T) >= sizeof(uint32_t));

 public:
  // A fresh T's.
  uint32_t Acquire() {
    uint32_t handle = first_free_;
    if (handle != 0) {
      std::memcpy(&first_free_, BytesOf(handle), sizeof first_free_);
    } else {
      if (made_ == blocks_.size() * kBlock) blocks_.emplace_back(new Slot[kBlock]);
      handle = ++made_;
    }
    new (BytesOf(handle)) T();
    ++live_;
    return handle;
  }
  void Release(uint32_t handle) {
    std::memcpy(BytesOf(handle), &first_free_, sizeof first_free_);
    first_free_ = handle;
    --live_;
  }
  T& operator[](uint32_t handle) { return *std::launder(reinterpret_cast<T*>(BytesOf(handle))); }
  const T& operator[](uint32_t handle) const {
    return *std::launder(reinterpret_cast<const T*>(BytesOf(handle)));
  }
  size_t live() const { return live_; }

 private:
  static constexpr uint32_t kBlock = 1'024;
  struct alignas(T) Slot {
    std::byte bytes[sizeof(T)];
  };

  std::byte* BytesOf(uint32_t handle) const {
    return blocks_[(handle - 1) / kBlock][(handle - 1) % kBlock].bytes;
  }

  std::vector<std::unique_ptr<Slot[]>> blocks_;
  uint32_t first_free_ = 0;  // 0: none
  uint32_t made_ = 0;
  uint32_t live_ = 0;
};

}  // namespace warpbook::engine
