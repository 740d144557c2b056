#include "engine/core/price_ladder.h"

#include "schema/base/check.h"

namespace warpbook::engine {
namespace {

// The bits above bit i.
constexpr uint64_t Above(uint32_t i) { return ~uint64_t{1} << i; }
constexpr uint64_t Bit(uint32_t i) { return uint64_t{1} << i; }
uint32_t First(uint64_t bits) { return static_cast<uint32_t>(std::countr_zero(bits)); }

}  // namespace

PriceLadder::PriceLadder(Side side, const PriceGrid& grid, LadderMemory& memory)
    : side_(side), grid_(grid), id_base_(++memory.ladders << 32), memory_(memory) {
  while (uint64_t{grid.size()} > uint64_t{1} << ((top_step_ + 1) * kBits)) ++top_step_;
}

PriceLadder::~PriceLadder() {
  while (best_ != nullptr) {
    best_->orders_and_touched = 0;
    best_->gpus = Quantity(0);
    best_->queues = {};
    Erase(*best_);
  }
  if (root_ != nullptr) FreeBelow(root_, top_step_);
}

void PriceLadder::FreeBelow(Node* node, int step) {
  if (step > 1) {
    for (Node* child : node->children) {
      if (child != nullptr) FreeBelow(child, step - 1);
    }
  }
  *node = {};
  memory_.nodes.Release(node);
}

void PriceLadder::SetBit(uint32_t rank) {
  if (root_ == nullptr) root_ = memory_.nodes.Acquire();
  Node* node = root_;
  for (int step = top_step_; step > 1; --step) {
    node->used |= Bit(SlotOf(rank, step));
    Node*& child = node->children[SlotOf(rank, step)];
    if (child == nullptr) child = memory_.nodes.Acquire();
    node = child;
  }
  node->used |= Bit(SlotOf(rank, 1));
  node->words[SlotOf(rank, 1)] |= Bit(SlotOf(rank, 0));
}

void PriceLadder::ClearBit(uint32_t rank) {
  std::array<Node*, 32 / kBits + 1> path;
  Node* node = root_;
  for (int step = top_step_; step > 1; --step) {
    path[static_cast<size_t>(step)] = node;
    node = node->children[SlotOf(rank, step)];
  }
  uint64_t& word = node->words[SlotOf(rank, 1)];
  word &= ~Bit(SlotOf(rank, 0));
  if (word != 0) return;
  node->used &= ~Bit(SlotOf(rank, 1));
  for (int step = 2; step <= top_step_ && node->used == 0; ++step) {
    node = path[static_cast<size_t>(step)];
    node->used &= ~Bit(SlotOf(rank, step));
  }
}

PriceLevel& PriceLadder::AddLevel(uint32_t rank) {
  WARPBOOK_CHECK(rank < grid_.size());
  PriceLevel* level = memory_.levels.Acquire();
  level->id = IdOf(rank);
  memory_.index.Insert(level);
  SetBit(rank);
  ++level_count_;
  if (best_ == nullptr || rank < best_->rank()) best_ = level;
  return *level;
}

void PriceLadder::Erase(PriceLevel& level) {
  WARPBOOK_CHECK(level.orders() == 0);
  ClearBit(level.rank());
  if (best_ == &level) best_ = NextAfter(level.rank());
  memory_.index.Erase(level.id);
  memory_.levels.Release(&level);
  --level_count_;
}

PriceLevel* PriceLadder::NextAfter(uint32_t rank) const {
  // The lowest step of the path at which something lies behind it.
  const Node* node = root_;
  const Node* turn = nullptr;
  int turn_step = 0;
  uint64_t behind = 0;
  for (int step = top_step_;; --step) {
    const uint32_t slot = SlotOf(rank, step);
    if (const uint64_t used = node->used & Above(slot); used != 0) {
      turn = node;
      turn_step = step;
      behind = used;
    }
    if (step == 1) break;
    node = node->children[slot];
  }
  if (const uint64_t used = node->words[SlotOf(rank, 1)] & Above(SlotOf(rank, 0)); used != 0) {
    return memory_.index.Find(IdOf((rank & ~(kSlots - 1)) | First(used)));
  }
  if (turn == nullptr) return nullptr;
  // Down to the first level below the turn.
  uint32_t slot = First(behind);
  uint32_t next = (rank >> (turn_step * kBits) & ~(kSlots - 1)) | slot;
  for (; turn_step > 1; --turn_step) {
    turn = turn->children[slot];
    slot = First(turn->used);
    next = next << kBits | slot;
  }
  return memory_.index.Find(IdOf(next << kBits | First(turn->words[slot])));
}

}  // namespace warpbook::engine
