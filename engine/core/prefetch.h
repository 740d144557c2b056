// Prefetch: hints to the processor. Nothing is read or changed; any address will do.
#pragma once

#include <cstddef>

namespace warpbook::engine {

// Begins to fetch all lines of an object, to be changed.
template <typename T>
void Prefetch(const T* object) {
  const auto* bytes = reinterpret_cast<const std::byte*>(object);
  for (size_t line = 0; line < sizeof(T); line += 64) __builtin_prefetch(bytes + line, 1);
}

}  // namespace warpbook::engine
