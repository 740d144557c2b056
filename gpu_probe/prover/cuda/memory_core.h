// The memory proof's arithmetic (verifier/memory_proof.h), the way the kernels split it among
// threads: one thread makes 64 bytes of one block, and a walk's block is read by 16 bytes.
#pragma once

#include <cstdint>

#include "gpu_probe/prover/cuda/chacha8_core.h"

namespace warpbook::probe {

// What the kernels know of the arena.
struct ArenaShape {
  uint64_t blocks;
  uint32_t columns;
  uint32_t passes;
  WARPBOOK_HOST_DEVICE constexpr uint64_t chunks() const { return blocks * columns; }
};

// Chunk `index` of the arena, 64 bytes of a block, after all passes.
WARPBOOK_HOST_DEVICE constexpr ChaChaWords ArenaChunk(const SeedWords& seed,
                                                      const ArenaShape& shape, uint64_t index) {
  const uint64_t block = index / shape.columns;
  ChaChaWords chunk =
      KeystreamBlock(seed, static_cast<uint32_t>(index % shape.columns),
                     static_cast<uint32_t>(block), static_cast<uint32_t>(block >> 32), 0);
  for (uint32_t pass = 0; pass < shape.passes; ++pass) chunk = CoreOf(chunk);
  return chunk;
}

WARPBOOK_HOST_DEVICE constexpr uint64_t BlockToRead(uint64_t blocks, uint64_t state) {
  return (state >> 32) * blocks >> 32;
}

// What 16 bytes of a block add to a walk's state, with their multipliers.
WARPBOOK_HOST_DEVICE constexpr uint64_t SumOf(uint64_t state, const uint32_t (&words)[4],
                                              const uint32_t (&multipliers)[4]) {
  const auto low = static_cast<uint32_t>(state);
  const auto high = static_cast<uint32_t>(state >> 32);
  return uint64_t{words[0] ^ low * multipliers[0]} * (words[1] ^ high * multipliers[1]) +
         uint64_t{words[2] ^ low * multipliers[2]} * (words[3] ^ high * multipliers[3]);
}

// `state` is that before the step plus what the block adds; `number` that of the step, of all.
WARPBOOK_HOST_DEVICE constexpr uint64_t FinishStep(uint64_t state, uint64_t number) {
  state += number * 0x9e3779b97f4a7c15;
  state = (state ^ state >> 30) * 0xbf58476d1ce4e5b9;
  state = (state ^ state >> 27) * 0x94d049bb133111eb;
  return state ^ state >> 31;
}

// How many lanes read a block together: a power of two up to 32.
constexpr uint32_t LanesPerWalk(uint32_t columns) {
  uint32_t lanes = 4;
  while (lanes < 32 && lanes < columns * 4) lanes *= 2;
  return lanes;
}

}  // namespace warpbook::probe
