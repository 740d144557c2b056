// StableVector: grows at its end alone, and what is in it never moves. Kept in blocks, so that
// finding an element takes a shift and two loads.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

namespace warpbook::engine {

template <typename T>
class StableVector {
 public:
  size_t size() const { return size_; }
  T& operator[](size_t i) { return blocks_[i / kBlock][i % kBlock]; }
  const T& operator[](size_t i) const { return blocks_[i / kBlock][i % kBlock]; }
  T& AddLast() {
    if (size_ % kBlock == 0) blocks_.push_back(std::make_unique<T[]>(kBlock));
    return (*this)[size_++];
  }

  // Visits the elements in order.
  template <typename Visit>
  void ForEach(Visit&& visit) const {
    for (size_t i = 0; i < size_; ++i) visit((*this)[i]);
  }

 private:
  static constexpr size_t kBlock = 64;
  std::vector<std::unique_ptr<T[]>> blocks_;
  size_t size_ = 0;
};

}  // namespace warpbook::engine
