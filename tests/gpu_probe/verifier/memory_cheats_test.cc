// Ways to fake memory, by a prover that tries them against the whole verifier.
#include <doctest/doctest.h>

#include <optional>

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
  inline static int64_t cores = 0;  // of ChaCha8, for each of a block's columns

 protected:
  std::span<const uint8_t> ReadBlock(int64_t block) override {
    const MemorySize& size = challenge().memory;
    block_.resize(static_cast<size_t>(size.block_bytes()));
    MakeArenaBlock(ArenaSeed(ForMemory()), size, block, scratch_, block_);
    cores += (int64_t{2} << size.passes) - 1;
    return block_;
  }

 private:
  std::vector<uint8_t> scratch_, block_;
};

// Keeps a part of the arena and reads that in place of the rest.
class SmallArenaProver : public CpuProver {
 public:
  using CpuProver::CpuProver;

 protected:
  std::span<const uint8_t> ReadBlock(int64_t block) override {
    return CpuProver::ReadBlock(block % (challenge().memory.blocks * 7 / 8));
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

TEST_CASE("Memory made anew in place of being kept is right, and too slow") {
  RegeneratingProver::cores = 0;
  Proving proving = AtClassSpeed();
  proving.make = test::Make<RegeneratingProver>();
  proving.challenge.expires_us += 10 * test::kPatienceUs;
  const MemorySize& size = proving.challenge.size.memory;
  proving.Run();
  const int64_t cores_per_read = (int64_t{2} << size.passes) - 1;
  CHECK(RegeneratingProver::cores == size.all_legs() * kStepsPerLeg * cores_per_read);
  // A card that makes four times as many bytes as it can read, which none does.
  const auto slower = [&](int64_t missing_permille) {
    return test::kClassUs + test::kClassUs * missing_permille * cores_per_read / 1'000 / 4;
  };
  proving.times.gather_us = slower(1'000);
  CHECK(Judge(proving.Run()).refusal() == ProbeReason::kSlowMemory);
  // Of a part that is missing: found out, or not counted as kept.
  proving.make = test::Make();
  for (const int64_t missing_permille : {0, 1, 2, 3, 10, 300}) {
    CAPTURE(missing_permille);
    proving.times.gather_us = slower(missing_permille);
    const Verdict verdict = Judge(proving.Run());
    CHECK(verdict.passed() == (missing_permille <= 2));
    if (!verdict.passed()) continue;
    CHECK(verdict.bounds.memory_bytes <= size.arena_bytes() * (1'000 - missing_permille) / 1'000);
  }
}

}  // namespace
}  // namespace warpbook::probe
