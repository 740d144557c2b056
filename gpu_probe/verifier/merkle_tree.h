// A Merkle tree over SHA-256, as RFC 6962 (Certificate Transparency) defines it for any number of
// leaves: leaves and nodes are hashed with another first byte, so that neither passes for the
// other.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "schema/base/crypto.h"

namespace warpbook::probe {

Sha256Digest LeafHash(std::span<const std::byte> leaf);

class MerkleTree {
 public:
  // Of at least one leaf, each as LeafHash has it.
  explicit MerkleTree(std::vector<Sha256Digest> leaves);

  const Sha256Digest& root() const { return levels_.back().front(); }
  size_t leaves() const { return levels_.front().size(); }
  // The siblings on the way from a leaf to the root, the leaf's own first.
  std::vector<Sha256Digest> Path(size_t leaf) const;

 private:
  std::vector<std::vector<Sha256Digest>> levels_;  // the leaves first, the root last
};

// The root of a tree of `leaves` in which that leaf has that path; nullopt where no leaf of such a
// tree has one of that length. With untrusted numbers.
std::optional<Sha256Digest> RootOfPath(const Sha256Digest& leaf, uint64_t index, uint64_t leaves,
                                       std::span<const Sha256Digest> path);

}  // namespace warpbook::probe
