// Numbers that a seed names, from ChaCha8(seed, no nonce) in words of 8 bytes: what is opened.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "gpu_probe/verifier/chacha8.h"
#include "gpu_probe/verifier/operands.h"

namespace warpbook::probe {

class Draw {
 public:
  explicit Draw(const Seed& seed) : seed_(seed) {}
  // A number below the bound, each as likely as any other. The bound is not 0.
  uint64_t Below(uint64_t bound);
  // So many different ones below the bound, ascending; each set as likely as any other.
  std::vector<uint64_t> Different(size_t count, uint64_t bound);

 private:
  uint64_t Next();

  const Seed seed_;
  std::array<uint64_t, kChaChaBlockBytes / sizeof(uint64_t)> words_{};
  size_t next_ = words_.size();
  uint32_t block_ = 0;
};

}  // namespace warpbook::probe
