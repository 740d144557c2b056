// Ways to fake memory, by a prover that tries them against the whole verifier.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <random>
#include <utility>
#include <vector>

#include "gpu_probe/verifier/merkle_tree.h"
#include "tests/gpu_probe/support/judging.h"

namespace warpbook::probe {
namespace {

using test::AtClassSpeed;
using test::Judge;
using test::Proved;
using test::Proving;
using test::RefusalOf;

// Keeps no arena: makes each block anew when a walk reads it.
class RegeneratingProver : public CpuProver {
 public:
  using CpuProver::CpuProver;

  absl::Status FillMemory(const Progress&) override { return absl::OkStatus(); }
  inline static int64_t made = 0;  // blocks

 protected:
  std::span<const uint8_t> ReadBlock(int64_t block) override {
    const MemorySize& size = challenge().memory;
    block_.resize(static_cast<size_t>(size.block_bytes()));
    MakeArenaBlock(ArenaSeed(ForMemory()), size, block, block_);
    ++made;
    return block_;
  }

 private:
  std::vector<uint8_t> block_;
};

// Keeps a part of the arena and reads that in place of the rest.
class SmallArenaProver : public CpuProver {
 public:
  using CpuProver::CpuProver;

 protected:
  std::span<const uint8_t> ReadBlock(int64_t block) override {
    return CpuProver::ReadBlock(block % (challenge().memory.blocks * 9 / 10));
  }
};

// Says that it has filled the arena and has not.
class UnfilledProver : public CpuProver {
 public:
  using CpuProver::CpuProver;

 protected:
  std::span<const uint8_t> ReadBlock(int64_t) override {
    block_.resize(static_cast<size_t>(challenge().memory.block_bytes()));
    return block_;
  }

 private:
  std::vector<uint8_t> block_;
};

// Commits to states of its own choice: walk 0's for all walks, from the first leg on. One leg of
// each is wrong, and all the others would be right if steps did not count by their numbers.
class CopyingProver : public CpuProver {
 public:
  using CpuProver::CpuProver;

  absl::StatusOr<Sha256Digest> Gather(const Seed& gather_seed, const Progress&) override {
    const MemorySize& size = challenge().memory;
    const GatherKeys keys = MakeGatherKeys(ForMemory(), gather_seed);
    uint64_t state = WalkStart(keys, 0);
    std::vector<Sha256Digest> leaves;
    for (int32_t leg = 0; leg < size.legs; ++leg) {
      for (int32_t step = 0; step < kStepsPerLeg; ++step) {
        state =
            StepOf(keys, state, StepNumber(size, 0, leg, step), ReadBlock(BlockOf(size, state)));
      }
      states_.emplace_back().fill(state);
      leaves.insert(leaves.end(), static_cast<size_t>(size.leaves_per_leg()),
                    LeafHash(BytesOf(states_.back())));
    }
    tree_.emplace(std::move(leaves));
    return tree_->root();
  }

  absl::StatusOr<std::vector<LegOpening>> OpenLegs(std::span<const OpenedLeg> legs) override {
    const auto open = [this](int32_t walk, int32_t leg) {
      return StatesOpening{states_[static_cast<size_t>(leg)],
                           tree_->Path(LeafOf(challenge().memory, walk, leg))};
    };
    std::vector<LegOpening> openings;
    for (const OpenedLeg& leg : legs) {
      LegOpening& opening = openings.emplace_back();
      opening.leg = leg;
      if (leg.leg > 0) opening.before = open(leg.walk, leg.leg - 1);
      opening.after = open(leg.walk, leg.leg);
    }
    return openings;
  }

 private:
  std::vector<WalkStates> states_;
  std::optional<MerkleTree> tree_;
};

TEST_CASE("States that were copied from another walk lead nowhere") {
  Proving proving = AtClassSpeed();
  proving.challenge.size.memory.legs = 8;
  proving.challenge.size.memory.opened = 1;
  proving.make = test::Make<CopyingProver>();
  int later = 0;
  for (uint8_t nonce = 1; nonce <= 20; ++nonce) {
    proving.challenge.nonce = {nonce};
    // One leg is opened, each time another.
    proving.opening_seed = Seed{nonce};
    const Proved proved = proving.Run();
    const OpenedLeg opened =
        LegsToOpen(proving.challenge.size.memory, proved.record.opening_seed).front();
    later += opened.walk > 0 && opened.leg > 0 ? 1 : 0;
    // (One opening bounds nothing, so that an honest leg is refused as slow memory.)
    CHECK(Judge(proved).refusal() ==
          (opened.walk == 0 ? ProbeReason::kSlowMemory : ProbeReason::kWrongWalk));
  }
  CHECK(later > 10);
}

TEST_CASE("Memory that is not there, or not all of it, gives wrong walks") {
  CHECK(RefusalOf<SmallArenaProver>() == ProbeReason::kWrongWalk);
  CHECK(RefusalOf<UnfilledProver>() == ProbeReason::kWrongWalk);
}

// How long a gather takes in which so many blocks are made anew, on a card of the class: reading
// goes on beside.
int64_t GatherUs(const MemorySize& size, int64_t made) {
  const auto for_each_read =
      static_cast<double>(made) / static_cast<double>(size.all_legs() * kStepsPerLeg);
  const double share = for_each_read * size.passes / static_cast<double>(test::kMadeAnewPerRead);
  const double class_us = test::kClassUs * static_cast<double>(size.gathered_bytes()) /
                          static_cast<double>(test::TestSize().memory.gathered_bytes());
  return static_cast<int64_t>(class_us * std::max(1.0, share));
}

// What is said of a proof whose gather took so long: refused, or at most what was kept.
void CheckSaidOfMemory(const MemorySize& size, int64_t gather_us, double absent) {
  CAPTURE(absent);
  CAPTURE(gather_us);
  Proving proving = AtClassSpeed();
  proving.challenge.size.memory = size;
  proving.times.gather_us = gather_us;
  proving.challenge.expires_us += gather_us;
  const Verdict verdict = Judge(proving.Run());
  if (!verdict.passed()) return;
  CHECK(static_cast<double>(verdict.bounds.memory_bytes) <=
        static_cast<double>(test::TestSize().memory.arena_bytes()) * (1 - absent));
}

TEST_CASE("Memory made anew in place of being kept is right, and too slow") {
  RegeneratingProver::made = 0;
  Proving proving = AtClassSpeed();
  proving.make = test::Make<RegeneratingProver>();
  proving.challenge.expires_us += 100 * test::kPatienceUs;
  const MemorySize& size = proving.challenge.size.memory;
  proving.Run();
  const int64_t reads = size.all_legs() * kStepsPerLeg;
  CHECK(RegeneratingProver::made == reads);
  proving.times.gather_us = GatherUs(size, reads);
  CHECK(Judge(proving.Run()).refusal() == ProbeReason::kSlowMemory);
  for (const double absent : {0.0, 0.01, 0.03, 0.04, 0.045, 0.05, 0.1}) {
    CheckSaidOfMemory(
        size, GatherUs(size, static_cast<int64_t>(static_cast<double>(reads) * absent)), absent);
  }
}

// A gather by pieces of walks, each of which waits when it comes to an absent block, until that is
// made for all that wait for it: how many blocks are made in all.
class BatchedGather {
 public:
  BatchedGather(const MemorySize& size, double absent, int64_t wrong_legs)
      : absent_(absent),
        waiting_(static_cast<size_t>(static_cast<double>(size.blocks) * absent)),
        reads_left_(size.all_legs() * kStepsPerLeg) {
    for (int64_t piece = 0; piece < size.walks + wrong_legs; ++piece) GoOn();
  }

  // In turn, over and over.
  int64_t MadeInTurn() {
    for (size_t block = 0; reads_left_ > 0; block = (block + 1) % waiting_.size()) Make(block);
    return made_;
  }
  // The one that most wait for first.
  int64_t MadeByNeed() {
    while (reads_left_ > 0) {
      Make(static_cast<size_t>(std::ranges::max_element(waiting_) - waiting_.begin()));
    }
    return made_;
  }

 private:
  void Make(size_t block) {
    ++made_;
    for (int64_t served = std::exchange(waiting_[block], 0); served > 0; --served) GoOn();
  }
  // One piece, to the next absent block.
  void GoOn() {
    reads_left_ -= 1 + static_cast<int64_t>(std::log(1 - Chance()) / std::log(1 - absent_));
    ++waiting_[static_cast<size_t>(Chance() * static_cast<double>(waiting_.size()))];
  }
  double Chance() { return std::uniform_real_distribution<double>()(random_); }

  const double absent_;
  std::vector<int64_t> waiting_;  // pieces, by absent block
  int64_t reads_left_;
  int64_t made_ = 0;
  std::mt19937_64 random_{1};
};

TEST_CASE(
    "Absent blocks made for many walks at once, with legs left wrong, are no cheaper than said") {
  // Long walks: legs that may be left wrong make many more pieces than there are walks.
  MemorySize size = test::TestSize().memory;
  size.walks = kWalksPerLeaf;
  size.legs = 30;
  const auto skipped = static_cast<double>(SkippedShareMax(size.opened, kDoubtBits)) / 1'000'000;
  const auto wrong_max = static_cast<int64_t>(skipped * static_cast<double>(size.all_legs()));
  for (const double absent : {0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.12, 0.15, 0.2, 0.4}) {
    for (const int64_t wrong : {int64_t{0}, wrong_max}) {
      CAPTURE(wrong);
      CheckSaidOfMemory(size, GatherUs(size, BatchedGather(size, absent, wrong).MadeInTurn()),
                        absent);
      CheckSaidOfMemory(size, GatherUs(size, BatchedGather(size, absent, wrong).MadeByNeed()),
                        absent);
    }
  }
}

}  // namespace
}  // namespace warpbook::probe
