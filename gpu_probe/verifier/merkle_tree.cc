#include "gpu_probe/verifier/merkle_tree.h"

#include <array>
#include <cstring>
#include <utility>

#include "schema/base/check.h"

namespace warpbook::probe {
namespace {

constexpr std::byte kLeaf{0};
constexpr std::byte kNode{1};

Sha256Digest NodeHash(const Sha256Digest& left, const Sha256Digest& right) {
  std::array<std::byte, 1 + 2 * sizeof(Sha256Digest)> bytes;
  bytes[0] = kNode;
  std::memcpy(&bytes[1], left.data(), left.size());
  std::memcpy(&bytes[1 + left.size()], right.data(), right.size());
  return Sha256(bytes);
}

}  // namespace

Sha256Digest LeafHash(std::span<const std::byte> leaf) {
  std::vector<std::byte> bytes(1 + leaf.size());
  bytes[0] = kLeaf;
  std::memcpy(bytes.data() + 1, leaf.data(), leaf.size());
  return Sha256(bytes);
}

// RFC 6962 splits at the largest power of two below the number of leaves, which is the same as to
// join neighbours level by level and to hand on the last one where it has none.
MerkleTree::MerkleTree(std::vector<Sha256Digest> leaves) {
  WARPBOOK_CHECK(!leaves.empty());
  levels_.push_back(std::move(leaves));
  while (levels_.back().size() > 1) {
    const std::vector<Sha256Digest>& below = levels_.back();
    std::vector<Sha256Digest> level;
    for (size_t i = 0; i + 1 < below.size(); i += 2) {
      level.push_back(NodeHash(below[i], below[i + 1]));
    }
    if (below.size() % 2 == 1) level.push_back(below.back());
    levels_.push_back(std::move(level));
  }
}

std::vector<Sha256Digest> MerkleTree::Path(size_t leaf) const {
  WARPBOOK_CHECK(leaf < leaves());
  std::vector<Sha256Digest> path;
  for (const std::vector<Sha256Digest>& level : levels_) {
    const size_t sibling = leaf ^ 1;
    if (sibling < level.size()) path.push_back(level[sibling]);
    leaf /= 2;
  }
  return path;
}

std::optional<Sha256Digest> RootOfPath(const Sha256Digest& leaf, uint64_t index, uint64_t leaves,
                                       std::span<const Sha256Digest> path) {
  if (index >= leaves) return std::nullopt;
  Sha256Digest hash = leaf;
  for (; leaves > 1; index /= 2, leaves = leaves / 2 + leaves % 2) {
    if ((index ^ 1) >= leaves) continue;  // it has no neighbour on this level
    if (path.empty()) return std::nullopt;
    hash = index % 2 == 0 ? NodeHash(hash, path.front()) : NodeHash(path.front(), hash);
    path = path.subspan(1);
  }
  return path.empty() ? std::optional(hash) : std::nullopt;
}

}  // namespace warpbook::probe
