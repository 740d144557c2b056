// Memory in large pieces, which the system is asked to back by large pages: what is spread over
// more memory than small pages' addresses can be remembered for costs a walk of the page tables
// each time. A hint: where the system has no large pages, everything works as well.
#pragma once

#include <sys/mman.h>

#include <cstddef>
#include <memory>
#include <new>
#include <type_traits>

namespace warpbook::engine {

inline constexpr size_t kLargePage = size_t{2} << 20;

struct LargeMemoryDeleter {
  void operator()(void* memory) const { ::operator delete(memory, std::align_val_t(kLargePage)); }
};
template <typename T>
using LargeArray = std::unique_ptr<T[], LargeMemoryDeleter>;

// `count` objects as T() makes them; trivially destructible, as nothing destroys them. Pieces below
// a large page are not worth asking for.
template <typename T>
LargeArray<T> MakeLargeArray(size_t count) {
  static_assert(std::is_trivially_destructible_v<T>);
  const size_t size = count * sizeof(T);
  void* memory = ::operator new(size, std::align_val_t(kLargePage));
  if (size >= kLargePage) madvise(memory, size, MADV_HUGEPAGE);
  T* objects = static_cast<T*>(memory);
  std::uninitialized_value_construct_n(objects, count);
  return LargeArray<T>(objects);
}

}  // namespace warpbook::engine
