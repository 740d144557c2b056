// Starts kernels on a stream; what they write is there when the stream has come so far. Addresses
// are the device's, sizes in entries unless said otherwise. The error is that of the launch.
#pragma once

#include <cuda_runtime_api.h>

#include <cstdint>

#include "gpu_probe/prover/cuda/chacha8_core.h"
#include "gpu_probe/prover/cuda/memory_core.h"
#include "gpu_probe/prover/cuda/sha256_core.h"

struct CUtensorMap_st;

namespace warpbook::probe {

// C (rows x columns) = A (rows x depth) x B (columns x depth, by columns), all by rows.
struct ProductShape {
  int64_t rows = 0, columns = 0, depth = 0;
  double operations() const {
    return 2.0 * static_cast<double>(rows) * static_cast<double>(columns) *
           static_cast<double>(depth);
  }
  friend bool operator==(const ProductShape&, const ProductShape&) = default;
};

// ---- commit_kernels.cu ------------------------------------------------------------------------
// All lines of an operand (0: A, 1: B), each of `depth` entries.
cudaError_t LaunchFillOperand(const SeedWords& seed, uint32_t operand, int64_t lines, int64_t depth,
                              int8_t* entries, cudaStream_t stream);
// The leaf hashes of the 64 x 64 tiles of a product, row by row.
cudaError_t LaunchHashTiles(const int32_t* result, int64_t rows, int64_t columns,
                            DigestWords* leaves, cudaStream_t stream);
// The leaf hashes of leaves of so many bytes, a multiple of 64, one behind the other.
cudaError_t LaunchHashLeaves(const void* bytes, int64_t leaf_bytes, int64_t leaves,
                             DigestWords* hashes, cudaStream_t stream);
// All other levels of a tree whose leaves stand first.
cudaError_t LaunchTree(DigestWords* nodes, int64_t leaves, cudaStream_t stream);
// Copies rows of `row_vectors` x 16 bytes, by their numbers, one behind the other.
cudaError_t LaunchCollect(const void* from, const uint64_t* rows, int64_t count, int row_vectors,
                          void* to, cudaStream_t stream);

// A tile of a round's product, made from nothing but its seed.
struct TileToMake {
  SeedWords seed;
  uint64_t row, column;  // of tiles
};
cudaError_t LaunchMakeTiles(const TileToMake* tiles, int64_t count, int64_t depth, int32_t* entries,
                            cudaStream_t stream);

// ---- mma_product.cu, wgmma_product.cu ---------------------------------------------------------
// Rows and columns are multiples of 64, as is the depth.
cudaError_t LaunchMmaProduct(const int8_t* left, const int8_t* right, int32_t* result,
                             const ProductShape& shape, cudaStream_t stream);

// Boxes that the maps of the operands are made for, both with kWgmmaStepBytes (product_core.h)
// entries a line and the 128-byte swizzle: a thread block's rows of A; half of the columns of B
// that two thread blocks share.
inline constexpr int kWgmmaLeftBox = 128;
inline constexpr int kWgmmaRightBox = 128;
cudaError_t LaunchWgmmaProduct(const CUtensorMap_st& left, const CUtensorMap_st& right,
                               int32_t* result, const ProductShape& shape, int multiprocessors,
                               cudaStream_t stream);

// ---- memory_kernels.cu ------------------------------------------------------------------------
// Fills chunks [first, first + count) of the arena.
cudaError_t LaunchFillArena(const SeedWords& seed, const ArenaShape& shape, uint64_t first,
                            uint64_t count, void* arena, cudaStream_t stream);
// Where the walks begin.
cudaError_t LaunchWalkStarts(const SeedWords& seed, int64_t walks, uint64_t* states,
                             cudaStream_t stream);
// All walks by `legs` legs from the states at `from`; the states after each leg one behind the
// other at `to`. The multipliers are one for each word of a block.
struct WalkPlan {
  ArenaShape shape;
  int64_t walks;
  int64_t first_leg;  // of the walks, by which their steps are numbered
  int64_t legs;
  int64_t all_legs;
  int steps_per_leg;
};
cudaError_t LaunchWalks(const WalkPlan& plan, const void* arena, const uint32_t* multipliers,
                        const uint64_t* from, uint64_t* to, cudaStream_t stream);

// ---- bench_kernels.cu -------------------------------------------------------------------------
// Loops without memory that keep one kind of unit busy.
enum class ArithmeticLoop { kFp32, kTf32, kBf16, kFp8 };
// Whether a device of that compute capability (10 x major + minor) has the instruction.
bool HasArithmetic(ArithmeticLoop loop, int capability);
// Gives how many operations were started, two for each multiplication with its addition. `sink` has
// room for 4 bytes.
cudaError_t LaunchArithmetic(ArithmeticLoop loop, int multiprocessors, int repetitions, void* sink,
                             double* operations, cudaStream_t stream);

}  // namespace warpbook::probe
