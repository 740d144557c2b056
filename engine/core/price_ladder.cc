#include "engine/core/price_ladder.h"

#include <utility>

#include "schema/base/check.h"

namespace warpbook::engine {
namespace {

// The bits above bit i.
constexpr uint64_t Above(uint32_t i) { return ~uint64_t{1} << i; }
constexpr uint64_t Bit(uint32_t i) { return uint64_t{1} << i; }

template <typename Node>
void* FirstChild(const Node& node, uint64_t among) {
  return node.children[static_cast<size_t>(std::countr_zero(among))];
}

}  // namespace

PriceLadder::PriceLadder(Side side, const PriceGrid& grid, LadderMemory& memory)
    : side_(side), grid_(grid), memory_(memory) {
  while (uint64_t{grid.size()} > uint64_t{kSlotMask + 1} << (top_step_ * kBits)) ++top_step_;
}

PriceLadder::~PriceLadder() {
  if (root_ == nullptr) return;
  FreeBelow(root_, top_step_);
  memory_.nodes.Release(root_);
}

void PriceLadder::FreeBelow(Node* node, int step) {
  for (uint64_t used = node->used; used != 0; used &= used - 1) {
    void* child = FirstChild(*node, used);
    if (step == 0) {
      *static_cast<PriceLevel*>(child) = {};
      memory_.levels.Release(static_cast<PriceLevel*>(child));
    } else {
      FreeBelow(static_cast<Node*>(child), step - 1);
      memory_.nodes.Release(static_cast<Node*>(child));
    }
  }
  *node = {};
}

const PriceLevel* PriceLadder::Find(Price price) const {
  if (grid_.Find(price) == PriceGrid::kNone) return nullptr;
  const uint32_t rank = RankOf(price);
  const Node* leaf = FindLeaf(rank);
  return leaf == nullptr ? nullptr : static_cast<PriceLevel*>(leaf->children[rank & kSlotMask]);
}

LadderMemory::Node* PriceLadder::FindLeaf(uint32_t rank) const {
  Node* node = root_;
  for (int step = top_step_; step > 0 && node != nullptr; --step) {
    node = static_cast<Node*>(node->children[SlotOf(rank, step)]);
  }
  return node;
}

LadderMemory::Node* PriceLadder::FindOrAddLeaf(uint32_t rank) {
  WARPBOOK_CHECK(rank < grid_.size());
  if (root_ == nullptr) root_ = memory_.nodes.Acquire();
  Node* node = root_;
  for (int step = top_step_; step > 0; --step) {
    const uint32_t slot = SlotOf(rank, step);
    if (node->children[slot] == nullptr) {
      node->children[slot] = memory_.nodes.Acquire();
      node->used |= Bit(slot);
    }
    node = static_cast<Node*>(node->children[slot]);
  }
  const uint32_t number = rank >> kBits;
  recent_[number % recent_.size()] = {node, number};
  return node;
}

PriceLevel& PriceLadder::AddLevel(Node& leaf, uint32_t rank) {
  PriceLevel* level = memory_.levels.Acquire();
  level->rank = rank;
  leaf.children[rank & kSlotMask] = level;
  leaf.used |= Bit(rank & kSlotMask);
  ++level_count_;
  if (best_ == nullptr || rank < best_->rank) best_ = level;
  return *level;
}

void PriceLadder::Erase(PriceLevel& level) {
  WARPBOOK_CHECK(level.orders == 0);
  const uint32_t rank = level.rank;
  Node* recent = RecentLeaf(rank);
  Node& leaf = recent != nullptr ? *recent : *FindOrAddLeaf(rank);
  if (best_ == &level) {
    const uint64_t behind = leaf.used & Above(rank & kSlotMask);
    best_ = behind != 0 ? static_cast<PriceLevel*>(FirstChild(leaf, behind)) : NextAfter(rank);
  }
  leaf.children[rank & kSlotMask] = nullptr;
  leaf.used &= ~Bit(rank & kSlotMask);
  memory_.levels.Release(&level);
  --level_count_;
  if (leaf.used == 0 && top_step_ > 0) Prune(rank);
}

void PriceLadder::Prune(uint32_t rank) {
  recent_[(rank >> kBits) % recent_.size()] = {};
  // The lowest node of the path that keeps another child; all below it go.
  Node* kept = root_;
  int kept_step = top_step_;
  Node* node = root_;
  for (int step = top_step_; step > 0; --step) {
    if ((node->used & ~Bit(SlotOf(rank, step))) != 0) {
      kept = node;
      kept_step = step;
    }
    node = static_cast<Node*>(node->children[SlotOf(rank, step)]);
  }
  void*& child = kept->children[SlotOf(rank, kept_step)];
  node = static_cast<Node*>(child);
  child = nullptr;
  kept->used &= ~Bit(SlotOf(rank, kept_step));
  for (int step = kept_step - 1; node != nullptr; --step) {
    Node* below = nullptr;
    if (step > 0) {
      below = static_cast<Node*>(std::exchange(node->children[SlotOf(rank, step)], nullptr));
      node->used = 0;
    }
    memory_.nodes.Release(node);
    node = below;
  }
}

PriceLevel* PriceLadder::NextAfter(uint32_t rank) const {
  // The lowest step of the path at which something lies behind it.
  const Node* node = root_;
  void* next = nullptr;
  int next_step = 0;
  for (int step = top_step_;; --step) {
    const uint32_t slot = SlotOf(rank, step);
    if (const uint64_t behind = node->used & Above(slot); behind != 0) {
      next = FirstChild(*node, behind);
      next_step = step;
    }
    if (step == 0) break;
    node = static_cast<const Node*>(node->children[slot]);
  }
  if (next == nullptr) return nullptr;
  for (; next_step > 0; --next_step) {
    const Node& below = *static_cast<const Node*>(next);
    next = FirstChild(below, below.used);
  }
  return static_cast<PriceLevel*>(next);
}

}  // namespace warpbook::engine
