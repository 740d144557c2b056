#include "gpu_probe/verifier/merkle_tree.h"

#include <doctest/doctest.h>

#include <vector>

namespace warpbook::probe {
namespace {

std::vector<Sha256Digest> MakeLeaves(size_t count) {
  std::vector<Sha256Digest> leaves;
  for (size_t i = 0; i < count; ++i) {
    leaves.push_back(LeafHash(std::as_bytes(std::span(&i, 1))));
  }
  return leaves;
}

TEST_CASE("Every leaf's path leads to the root, and to no other place") {
  for (size_t count = 1; count <= 40; ++count) {
    CAPTURE(count);
    const std::vector<Sha256Digest> leaves = MakeLeaves(count);
    const MerkleTree tree(leaves);
    for (size_t i = 0; i < count; ++i) {
      std::vector<Sha256Digest> path = tree.Path(i);
      CHECK(RootOfPath(leaves[i], i, count, path) == tree.root());
      for (size_t j = 0; j < count; ++j) {
        if (j != i) CHECK(RootOfPath(leaves[i], j, count, path) != tree.root());
      }
      CHECK(RootOfPath(leaves[i], i + count, count, path) == std::nullopt);
      if (path.empty()) continue;
      path.front()[0] ^= 1;
      CHECK(RootOfPath(leaves[i], i, count, path) != tree.root());
      path.front()[0] ^= 1;
      path.push_back(path.back());
      CHECK(RootOfPath(leaves[i], i, count, path) == std::nullopt);
      path.resize(path.size() - 2);
      CHECK(RootOfPath(leaves[i], i, count, path) == std::nullopt);
    }
  }
}

TEST_CASE("A node is no leaf, whatever its bytes are") {
  const std::vector<Sha256Digest> leaves = MakeLeaves(2);
  std::vector<std::byte> node;
  for (const Sha256Digest& leaf : leaves) {
    for (const uint8_t byte : leaf) node.push_back(std::byte{byte});
  }
  CHECK(LeafHash(node) != MerkleTree(leaves).root());
}

TEST_CASE("Nothing leads into a tree without leaves") {
  CHECK(RootOfPath({}, 0, 0, {}) == std::nullopt);
}

}  // namespace
}  // namespace warpbook::probe
