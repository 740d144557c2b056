// Random: the only chance in a simulated run. The same seed gives the same numbers everywhere.
#pragma once

#include <cstdint>
#include <random>
#include <vector>

namespace warpbook::simulation {

class Random {
 public:
  explicit Random(uint64_t seed) : numbers_(seed) {}

  // [0, bound)
  uint64_t Below(uint64_t bound) { return numbers_() % bound; }
  // [low, high]
  int64_t Between(int64_t low, int64_t high) {
    return low + static_cast<int64_t>(Below(static_cast<uint64_t>(high - low + 1)));
  }
  bool Percent(uint64_t percent) { return Below(100) < percent; }
  bool OneIn(uint64_t count) { return Below(count) == 0; }
  // Null where there is nothing to choose from.
  template <typename T>
  const T* Pick(const std::vector<T>& from) {
    return from.empty() ? nullptr : &from[Below(from.size())];
  }

 private:
  std::mt19937_64 numbers_;
};

}  // namespace warpbook::simulation
