// Memory in large pieces, which the system is asked to back by large pages: what is spread over
// more memory than small pages' addresses can be remembered for costs a walk of the page tables
// each time. A hint: where the system has no large pages, everything works as well.
#pragma once

#include <sys/mman.h>

#include <cstddef>
#include <cstdlib>
#include <memory>
#include <new>
#include <type_traits>

namespace warpbook::engine {

inline constexpr size_t kLargePage = size_t{2} << 20;

struct LargeMemoryDeleter {
  void operator()(void* memory) const { std::free(memory); }
};
template <typename T>
using LargeArray = std::unique_ptr<T[], LargeMemoryDeleter>;

// `count` objects as T() makes them; trivially destructible, as nothing destroys them. A piece
// below a large page is not worth asking for; it begins with a cache line.
template <typename T>
LargeArray<T> MakeLargeArray(size_t count) {
  static_assert(std::is_trivially_destructible_v<T> && alignof(T) <= 64);
  const size_t alignment = count * sizeof(T) < kLargePage ? 64 : kLargePage;
  const size_t size = (count * sizeof(T) + alignment - 1) / alignment * alignment;
  void* memory = std::aligned_alloc(alignment, size);
  if (memory == nullptr) throw std::bad_alloc();
  if (alignment == kLargePage) madvise(memory, size, MADV_HUGEPAGE);
  T* objects = static_cast<T*>(memory);
  std::uninitialized_value_construct_n(objects, count);
  return LargeArray<T>(objects);
}

}  // namespace warpbook::engine
