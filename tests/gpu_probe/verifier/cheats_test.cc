// Each known way to fake a GPU, by a prover that tries it against the whole verifier: each is
// refused for its own reason.
#include <doctest/doctest.h>

#include <cmath>
#include <map>
#include <set>

#include "gpu_probe/verifier/verdict.h"
#include "tests/gpu_probe/support/judging.h"
#include "tests/simulation/random.h"

namespace warpbook::probe {
namespace {

using test::AtClassSpeed;
using test::Judge;
using test::kClass;
using test::Proved;
using test::Proving;
using test::RefusalOf;
using test::Table;

TEST_CASE("An honest GPU of its class passes, with bounds below what it did") {
  const Proved proved = AtClassSpeed().Run();
  const Verdict verdict = Judge(proved);
  CHECK(verdict.passed());
  CHECK(verdict.causes.empty());
  CHECK(verdict.share_bps == 10'000);
  CHECK(verdict.nearest_class == kClass);
  const ClassRow row = test::TestRow(kClass);
  // 128 openings bound what was skipped to 10.26455%.
  CHECK(verdict.skipped_tiles_ppm_max == 102'646);
  CHECK(verdict.bounds.int8_ops_per_s == row.int8_ops_per_s * 897'354 / 1'000'000);
  CHECK(verdict.bounds.bytes_per_s == row.bytes_per_s * 897'354 / 1'000'000);
  CHECK(verdict.bounds.memory_bytes < test::TestSize().memory.arena_bytes());
  CHECK(verdict.bounds.memory_bytes > test::TestSize().memory.arena_bytes() * 90 / 100);
}

// ---- The products ------------------------------------------------------------------------------

// Operands as if rows were shifts of each other, as structured inputs would be that a fast product
// (Hankel, Toeplitz) takes: what public checkers that ask for such inputs fall for.
class HankelProver : public CpuProver {
 public:
  using CpuProver::CpuProver;

 protected:
  void MakeTile(const OpenedTile& which, const Seed& seed, Tile& tile) const override {
    const auto depth = static_cast<size_t>(challenge().compute.k);
    std::vector<int8_t> left(depth + kTileSide * 1'024), right(left.size());
    FillLine(seed, Operand::kLeft, 0, 0, std::span(left).first(left.size()));
    FillLine(seed, Operand::kRight, 0, 0, std::span(right).first(right.size()));
    for (size_t i = 0; i < kTileSide; ++i) {
      for (size_t j = 0; j < kTileSide; ++j) {
        int32_t sum = 0;
        const size_t row = static_cast<size_t>(which.place.row * kTileSide) + i;
        const size_t column = static_cast<size_t>(which.place.column * kTileSide) + j;
        for (size_t k = 0; k < depth; ++k) sum += left[row + k] * right[column + k];
        tile[i * kTileSide + j] = sum;
      }
    }
  }
};

// Sums kept in fewer bits, as a product in float16 or fp8 keeps them.
template <int bits>
class RoundingProver : public CpuProver {
 public:
  using CpuProver::CpuProver;

 protected:
  void MakeTile(const OpenedTile& which, const Seed& seed, Tile& tile) const override {
    ComputeTile(seed, which.place, challenge().compute.k, tile);
    for (int32_t& entry : tile) {
      int exponent = 0;
      const double mantissa = std::frexp(static_cast<double>(entry), &exponent);
      entry =
          static_cast<int32_t>(std::ldexp(std::round(std::ldexp(mantissa, bits)), exponent - bits));
    }
  }
};

// Operands cut to 4 bits, which the hardware multiplies twice as fast.
class Int4Prover : public CpuProver {
 public:
  using CpuProver::CpuProver;

 protected:
  void MakeTile(const OpenedTile& which, const Seed& seed, Tile& tile) const override {
    const auto depth = static_cast<size_t>(challenge().compute.k);
    std::vector<int8_t> left(depth), right(depth);
    for (size_t i = 0; i < kTileSide; ++i) {
      FillLine(seed, Operand::kLeft, static_cast<uint64_t>(which.place.row * kTileSide) + i, 0,
               left);
      for (size_t j = 0; j < kTileSide; ++j) {
        FillLine(seed, Operand::kRight, static_cast<uint64_t>(which.place.column * kTileSide) + j,
                 0, right);
        int32_t sum = 0;
        for (size_t k = 0; k < depth; ++k) sum += (left[k] / 16) * (right[k] / 16);
        tile[i * kTileSide + j] = sum * 256;
      }
    }
  }
};

// Computes a tile only when it is asked for; before, it commits to nothing.
class LazyProver : public CpuProver {
 public:
  using CpuProver::CpuProver;

  absl::StatusOr<std::vector<Opening>> OpenTiles(std::span<const OpenedTile> tiles) override {
    is_opening_ = true;
    return CpuProver::OpenTiles(tiles);
  }

 protected:
  void MakeTile(const OpenedTile& which, const Seed& seed, Tile& tile) const override {
    tile.fill(0);
    if (is_opening_) ComputeTile(seed, which.place, challenge().compute.k, tile);
  }

 private:
  bool is_opening_ = false;
};

// Leaves every tenth tile out.
class SkippingProver : public CpuProver {
 public:
  using CpuProver::CpuProver;

 protected:
  void MakeTile(const OpenedTile& which, const Seed& seed, Tile& tile) const override {
    const ComputeSize& size = challenge().compute;
    tile.fill(0);
    if ((which.round * size.tiles_per_round() + static_cast<int64_t>(LeafOf(size, which.place))) %
            10 !=
        0) {
      ComputeTile(seed, which.place, size.k, tile);
    }
  }
};

// Takes its operands from an older challenge, whose tiles it has stored.
class StaleProver : public CpuProver {
 public:
  using CpuProver::CpuProver;

 protected:
  Seed SeedOfRound(int32_t round) const override {
    ComputeChallenge older = challenge().ForCompute();
    older.nonce[0] ^= 1;
    return RoundSeed(older, round, {});
  }
};

// Computes all rounds at once, on the first one's seed.
class UnchainedProver : public CpuProver {
 public:
  using CpuProver::CpuProver;

 protected:
  Seed SeedOfRound(int32_t) const override { return RoundSeed(challenge().ForCompute(), 0, {}); }
};

TEST_CASE("Products that are not those asked for are refused") {
  CHECK(RefusalOf<HankelProver>() == ProbeReason::kWrongProduct);
  CHECK(RefusalOf<RoundingProver<11>>() == ProbeReason::kWrongProduct);  // float16
  CHECK(RefusalOf<RoundingProver<4>>() == ProbeReason::kWrongProduct);   // fp8
  CHECK(RefusalOf<Int4Prover>() == ProbeReason::kWrongProduct);
  CHECK(RefusalOf<StaleProver>() == ProbeReason::kWrongProduct);
  CHECK(RefusalOf<UnchainedProver>() == ProbeReason::kWrongProduct);
}

TEST_CASE("Whoever computes only what is opened had committed to something else") {
  CHECK(RefusalOf<LazyProver>() == ProbeReason::kTileNotCommitted);
}

TEST_CASE("A tenth of the tiles left out does not pass 128 openings") {
  // Of these 128 tiles all are opened; that openings find a share as often as the formula says is
  // tested beside TilesToOpen.
  CHECK(RefusalOf<SkippingProver>() == ProbeReason::kWrongProduct);
}

TEST_CASE(
    "Skipping a share of the tiles survives as often as (1 - d)^k says, whole proofs judged") {
  // Few openings, so that some survive. Of 32 tiles 4 are skipped and 3 are opened.
  class SkipsFour : public CpuProver {
   public:
    using CpuProver::CpuProver;

   protected:
    void MakeTile(const OpenedTile& which, const Seed& seed, Tile& tile) const override {
      tile.fill(0);
      if (which.round != 0 || which.place.row != 0) {
        ComputeTile(seed, which.place, challenge().compute.k, tile);
      }
    }
  };
  Proving proving;
  proving.challenge.size = SmallProfile();
  proving.challenge.size.compute = {.m = 256, .n = 256, .k = 64, .rounds = 2, .opened = 3};
  proving.challenge.size.memory.opened = 1;
  proving.make = test::Make<SkipsFour>();
  constexpr int kTries = 300;
  int survived = 0;
  const CheckVectors vectors = test::SecretVectors();
  for (int i = 0; i < kTries; ++i) {
    proving.challenge.nonce = {static_cast<uint8_t>(i), static_cast<uint8_t>(i >> 8), 3};
    proving.opening_seed = Sha256(std::as_bytes(std::span(&i, 1)));
    const Proved proved = proving.Run();
    const ProbeReason reason = Verify(proved.record, proved.transcript, Table(), vectors).refusal();
    const bool is_opened = std::ranges::any_of(
        TilesToOpen(proving.challenge.size.compute, proved.record.opening_seed),
        [](const OpenedTile& tile) { return tile.round == 0 && tile.place.row == 0; });
    CHECK((reason == ProbeReason::kWrongProduct) == is_opened);
    survived += is_opened ? 0 : 1;
  }
  // Without replacement: 28/32 x 27/31 x 26/30.
  const double expected = 28.0 / 32 * 27 / 31 * 26 / 30;
  const double sigma = std::sqrt(kTries * expected * (1 - expected));
  CHECK(std::abs(survived - kTries * expected) < 4 * sigma);
}

// ---- Several GPUs, and others' ------------------------------------------------------------------

TEST_CASE("One GPU that answers for two takes twice the time, and is refused") {
  Proving proving = AtClassSpeed(2);
  CHECK(Judge(proving.Run()).passed());
  proving.times.products_us *= 2;
  CHECK(Judge(proving.Run()).refusal() == ProbeReason::kRenamed);
  proving.claims = test::Claims(2, "");
  CHECK(Judge(proving.Run()).refusal() == ProbeReason::kSlowProducts);
  proving.times.products_us /= 2;
  proving.times.gather_us *= 2;
  CHECK(Judge(proving.Run()).refusal() == ProbeReason::kSlowMemory);
}

TEST_CASE("One GPU's answer is not taken for the other's") {
  Proving proving = AtClassSpeed(2);
  proving.edit = [](Transcript& transcript) { transcript.gpus[1] = transcript.gpus[0]; };
  const Verdict verdict = Judge(proving.Run());
  CHECK(verdict.refusal() == ProbeReason::kRootsChanged);
  CHECK(verdict.causes.front().gpu == 1);
  // Nor where the roots that stop the clock are the first's, too.
  proving.edit = nullptr;
  proving.make = [](GpuChallenge challenge) {
    challenge.gpu = 0;
    return std::make_unique<CpuProver>(challenge);
  };
  const Verdict copied = Judge(proving.Run());
  CHECK(copied.refusal() == ProbeReason::kWrongProduct);
  CHECK(copied.causes.front().gpu == 1);
}

TEST_CASE("Two GPUs with one identity are refused") {
  Proving proving = AtClassSpeed(3);
  proving.claims[2].uuid = proving.claims[0].uuid;
  const Verdict verdict = Judge(proving.Run());
  CHECK(verdict.causes == std::vector<Verdict::Cause>{{ProbeReason::kDuplicateGpu, 2}});
  proving.claims.pop_back();
  proving.edit = [](Transcript& transcript) { transcript.gpus.pop_back(); };
  proving.claims = test::Claims(3);
  CHECK(Judge(proving.Run()).refusal() == ProbeReason::kGpusMissing);
}

// ---- The device --------------------------------------------------------------------------------

TEST_CASE("A renamed device is refused: its name says the class, its proof does not") {
  Proving proving = AtClassSpeed();
  // An RTX 4090 that gives its name as H100.
  proving.times.products_us *= 4;
  proving.times.gather_us *= 4;
  const Verdict renamed = Judge(proving.Run());
  CHECK(renamed.refusal() == ProbeReason::kRenamed);
  // And says so of the 4090 no more than it has shown: its gather is too slow for more.
  CHECK(renamed.bounds.int8_ops_per_s < test::TestRow(kClass).int8_ops_per_s / 4);
  // Under its own name it is merely slow; a slice is called one.
  proving.claims = test::Claims(1, "NVIDIA GeForce RTX 4090");
  CHECK(Judge(proving.Run()).refusal() == ProbeReason::kSlowProducts);
  proving.claims[0].is_slice = true;
  CHECK(Judge(proving.Run()).refusal() == ProbeReason::kSlice);
}

TEST_CASE("What fits the class and looks odd is flagged, and passes") {
  const auto causes = [](const Proving& proving) {
    const Verdict verdict = Judge(proving.Run());
    CHECK(verdict.passed());
    std::vector<ProbeReason> reasons;
    for (const auto& cause : verdict.causes) reasons.push_back(cause.reason);
    return reasons;
  };
  Proving proving = AtClassSpeed();
  proving.times.products_us /= 2;
  CHECK(causes(proving) == std::vector{ProbeReason::kFasterThanClass});
  proving = AtClassSpeed();
  proving.claims = test::Claims(1, "NVIDIA H200");
  CHECK(causes(proving) == std::vector{ProbeReason::kOtherName});
  proving.claims = test::Claims(1);
  proving.claims[0].is_slice = true;
  CHECK(causes(proving) == std::vector{ProbeReason::kSliceClaimed});
}

TEST_CASE("The share of pay is that of the slower of the two rates") {
  const auto share = [](int64_t products_percent, int64_t gather_percent) {
    Proving proving = AtClassSpeed();
    proving.times.products_us = test::kClassUs * 100 / products_percent;
    proving.times.gather_us = test::kClassUs * 100 / gather_percent;
    return Judge(proving.Run()).share_bps;
  };
  CHECK(share(100, 100) == 10'000);
  CHECK(share(80, 100) == 8'000);
  CHECK(share(100, 84) == doctest::Approx(8'400).epsilon(0.001));
  CHECK(share(90, 84) == doctest::Approx(8'400).epsilon(0.001));
  CHECK(share(125, 125) == 10'000);
  // 78% less what can have been skipped is 70%; a little less is none of the class.
  CHECK(share(77, 100) == 0);
}

// ---- The record --------------------------------------------------------------------------------

TEST_CASE("Another key's transcript is refused") {
  Proving proving = AtClassSpeed();
  proving.signer = &test::OtherKey();
  CHECK(Judge(proving.Run()).refusal() == ProbeReason::kWrongKey);
}

TEST_CASE("A transcript that was edited after it was signed is refused") {
  const Proved proved = AtClassSpeed().Run();
  REQUIRE(Judge(proved).passed());
  // Each thousandth byte: in entries, paths, names. The signature covers all of them.
  int refused = 0;
  for (size_t at = 0; at < proved.transcript.size(); at += proved.transcript.size() / 97) {
    Proved edited = proved;
    edited.transcript[at] = static_cast<char>(edited.transcript[at] ^ 0x10);
    const ProbeReason reason = Judge(edited).refusal();
    refused += reason == ProbeReason::kWrongKey || reason == ProbeReason::kMalformed;
  }
  CHECK(refused >= 97);
}

TEST_CASE("Parts that were changed before signing are refused for what they are") {
  const auto refusal = [](const std::function<void(Transcript&)>& edit) {
    Proving proving = AtClassSpeed();
    proving.edit = edit;
    return Judge(proving.Run()).refusal();
  };
  CHECK(refusal([](Transcript& t) { t.gpus[0].roots[0][0] ^= 1; }) == ProbeReason::kRootsChanged);
  CHECK(refusal([](Transcript& t) { t.gpus[0].gather_root[0] ^= 1; }) ==
        ProbeReason::kRootsChanged);
  CHECK(refusal([](Transcript& t) { t.gpus[0].tiles.pop_back(); }) == ProbeReason::kTilesMissing);
  CHECK(refusal([](Transcript& t) { t.gpus[0].tiles[3].entries[9] ^= 1; }) ==
        ProbeReason::kTileNotCommitted);
  CHECK(refusal([](Transcript& t) { t.gpus[0].legs.pop_back(); }) == ProbeReason::kLegsMissing);
  CHECK(refusal([](Transcript& t) { t.gpus[0].legs[3].after.states[9] ^= 1; }) ==
        ProbeReason::kLegNotCommitted);
  CHECK(refusal([](Transcript& t) { t.gather_seed[0] ^= 1; }) == ProbeReason::kWrongChallenge);
  CHECK(refusal([](Transcript& t) { t.opening_seed[0] ^= 1; }) == ProbeReason::kWrongChallenge);
  CHECK(refusal([](Transcript& t) {
          Challenge other = DecodeChallenge(t.challenge).value();
          ++other.id;
          t.challenge = EncodeChallenge(other);
        }) == ProbeReason::kWrongChallenge);
  CHECK(refusal([](Transcript& t) { t.claims.clear(); }) == ProbeReason::kGpusMissing);
  CHECK(refusal([](Transcript& t) { t.prover = "anything"; }) == ProbeReason::kNone);
}

TEST_CASE("A replayed transcript is the answer to no other challenge") {
  const Proved proved = AtClassSpeed().Run();
  Proved replayed = proved;
  replayed.record.challenge.nonce[0] ^= 1;
  CHECK(Judge(replayed).refusal() == ProbeReason::kWrongChallenge);
  replayed = proved;
  ++replayed.record.challenge.id;
  CHECK(Judge(replayed).refusal() == ProbeReason::kWrongChallenge);
}

TEST_CASE("What comes late is refused, whatever it says") {
  Proved proved = AtClassSpeed().Run();
  proved.record.answered_us = proved.record.challenge.expires_us;
  CHECK(Judge(proved).passed());
  ++proved.record.answered_us;
  CHECK(Judge(proved).refusal() == ProbeReason::kTooLate);
}

TEST_CASE("Anything may be sent in a transcript's place") {
  Proved proved = AtClassSpeed().Run();
  simulation::Random random(11);
  const std::string honest = proved.transcript;
  for (const std::string& bytes :
       {std::string(), std::string(1, 'x'), std::string(1'000, '\0'),
        std::string(kTranscriptBytesMax + 1, 'x'), honest.substr(0, honest.size() / 2)}) {
    proved.transcript = bytes;
    CHECK(Judge(proved).refusal() == ProbeReason::kMalformed);
  }
  // Signed, and no transcript.
  proved.transcript = SignTranscript("nothing of the kind", test::DeviceKey());
  CHECK(Judge(proved).refusal() == ProbeReason::kMalformed);
  // A signed transcript with bytes changed before it was signed: any reason, and no crash.
  const std::string inner = DecodeSignedTranscript(honest).value().transcript;
  for (int i = 0; i < 300; ++i) {
    std::string changed = inner;
    for (int j = 0; j < 4; ++j) {
      const size_t at = static_cast<size_t>(random.Below(i % 2 == 0 ? 2'000 : changed.size()));
      changed[at] = static_cast<char>(random.Below(256));
    }
    proved.transcript = SignTranscript(changed, test::DeviceKey());
    Judge(proved);
  }
}

TEST_CASE("The small profile proves every step and nothing of a class") {
  const Verdict verdict = Judge(Proving().Run());
  CHECK(verdict.passed());
  CHECK(verdict.causes == std::vector<Verdict::Cause>{{ProbeReason::kSmallProfile, -1}});
  CHECK(verdict.bounds == GpuBounds{});
}

TEST_CASE("A class that no probe runs on stays unproved") {
  ClassRow row = test::TestRow(kClass);
  row.has_probe = false;
  const Proved proved = AtClassSpeed().Run();
  CHECK(Verify(proved.record, proved.transcript, ClassTable({row}), test::SecretVectors())
            .refusal() == ProbeReason::kNoProbe);
  CHECK(Verify(proved.record, proved.transcript, ClassTable(std::vector<ClassRow>{}),
               test::SecretVectors())
            .refusal() == ProbeReason::kNoProbe);
}

}  // namespace
}  // namespace warpbook::probe
