// What a hardware class is held to: the vector (int8 rate, memory bandwidth, memory) that a GPU of
// it attains in these proofs; and the sizes of a challenge, which follow from it. Made from the
// catalogue. Rows that nobody has measured yet are shares of the vendor's figures.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "gpu_probe/verifier/challenge.h"
#include "schema/catalogue/catalogue.h"

namespace warpbook::probe {

// Of a vendor's dense int8 rate and of its bandwidth: what is taken to be attained until a card of
// the class has been measured.
inline constexpr int64_t kAttainedInt8Percent = 60;
inline constexpr int64_t kAttainedBandwidthPercent = 75;
// Of a GPU's memory: how much of it has to be kept at once. The rest is the driver's, the products'
// and the walks'.
inline constexpr int64_t kArenaPercent = 90;

// What a prover is taken to make anew of an arena that it does not keep, at most, for each GPU that
// it claims: bytes of ChaCha8's core in a second. The fastest of the cards that are known (an RTX
// 5090) reaches some 8e12 by the width of its integer units.
inline constexpr int64_t kMadeAnewBytesPerSecond = 10'000'000'000'000;

// In basis points of a row: a rate below this is not of the class (design, Money flow: measured
// below 70% counts as nothing), nor is less of the arena; a rate beyond the other is flagged as
// that of a faster one.
inline constexpr int64_t kClassShareMin = 7'000;
inline constexpr int64_t kArenaShareMin = 8'500;
inline constexpr int64_t kFasterShareMin = 14'000;

// A transcript of more would have room for too few openings of each to bound what was skipped.
inline constexpr int32_t kGpusProvedMax = 16;

struct ClassRow {
  std::string name;
  int64_t int8_ops_per_s = 0;
  int64_t bytes_per_s = 0;
  int64_t memory_bytes = 0;  // of which kArenaPercent are to be kept
  int64_t made_anew_bytes_per_s = kMadeAnewBytesPerSecond;
  // False: no program of ours runs on it, or nothing is known that it could be held to.
  bool has_probe = true;
};

class ClassTable {
 public:
  explicit ClassTable(const Catalogue& catalogue);
  explicit ClassTable(std::vector<ClassRow> rows) : rows_(std::move(rows)) {}

  const ClassRow* Find(std::string_view name) const;
  const std::vector<ClassRow>& rows() const { return rows_; }

 private:
  std::vector<ClassRow> rows_;  // as the catalogue has them
};

// The sizes at which a class proves itself in seconds: products and gather for about two seconds
// and half a second at its rates, the arena of kArenaPercent of its memory, in passes enough that
// making it anew takes many times as long as reading it, and as many openings as a transcript of so
// many GPUs has room for. 1 <= gpus <= kGpusProvedMax; the row has a probe.
ProofSize SizesFor(const ClassRow& row, int32_t gpus);

// Sizes that a CPU answers in milliseconds: for tests and demonstrations. Every step is the same,
// and nothing is proved of a class.
ProofSize SmallProfile();

}  // namespace warpbook::probe
