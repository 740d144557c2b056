#include "gpu_probe/verifier/draw.h"

#include <set>

#include "schema/base/check.h"

namespace warpbook::probe {

uint64_t Draw::Next() {
  if (next_ == words_.size()) {
    ChaCha8(seed_, {}, block_++, {reinterpret_cast<uint8_t*>(words_.data()), sizeof(words_)});
    next_ = 0;
  }
  return words_[next_++];
}

uint64_t Draw::Below(uint64_t bound) {
  const uint64_t biased = -bound % bound;  // so many words too many for the lowest numbers
  while (true) {
    const uint64_t word = Next();
    if (word >= biased) return word % bound;
  }
}

std::vector<uint64_t> Draw::Different(size_t count, uint64_t bound) {
  WARPBOOK_CHECK(count <= bound);
  std::set<uint64_t> drawn;
  while (drawn.size() < count) drawn.insert(Below(bound));
  return {drawn.begin(), drawn.end()};
}

}  // namespace warpbook::probe
