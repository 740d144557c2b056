#include "gpu_probe/verifier/verdict.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <set>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_split.h"

namespace warpbook::probe {
namespace {

constexpr double kMicros = 1e6;
constexpr int64_t kBasisPoints = 10'000;
constexpr double kMillion = 1e6;

ProbeReason ReasonOf(ComputeFault fault) {
  switch (fault) {
    case ComputeFault::kNone:
      return ProbeReason::kNone;
    case ComputeFault::kRootsMissing:
    case ComputeFault::kOpenings:
      return ProbeReason::kTilesMissing;
    case ComputeFault::kNotCommittedTo:
      return ProbeReason::kTileNotCommitted;
    case ComputeFault::kWrongProduct:
      return ProbeReason::kWrongProduct;
  }
  return ProbeReason::kMalformed;
}

ProbeReason ReasonOf(MemoryFault fault) {
  switch (fault) {
    case MemoryFault::kNone:
      return ProbeReason::kNone;
    case MemoryFault::kOpenings:
      return ProbeReason::kLegsMissing;
    case MemoryFault::kNotCommittedTo:
      return ProbeReason::kLegNotCommitted;
    case MemoryFault::kWrongWalk:
      return ProbeReason::kWrongWalk;
  }
  return ProbeReason::kMalformed;
}

int64_t Whole(double value) { return static_cast<int64_t>(std::min(value, 9e18)); }

// What was done in so many microseconds, per second.
double Rate(double amount, int64_t micros) {
  return amount * kMicros / static_cast<double>(std::max<int64_t>(micros, 1));
}

double OpsOf(const ComputeSize& size) {
  return 2.0 * static_cast<double>(size.m) * static_cast<double>(size.n) *
         static_cast<double>(size.k) * size.rounds;
}

// The largest share x of the arena that can have been absent. Of legs that all had to be walked
// some part can have been left out. And absent blocks can have been made anew in the gather's time.
// Made as they are read, that is x of them for each read. Made for all walks that wait for one by
// then, over and over, it is less: as the N x absent blocks are made once, a piece of a walk is
// served twice, since it waits for half of them, reads 1 / x blocks and waits again; or up to four
// times, where those that most wait for are made first. So it is x^2 N / (4 pieces) for each read.
// There are as many pieces as walks, and one more for each leg that is wrong, behind which a prover
// can go on from anywhere. What is made for each read is then at least half the harmonic mean of
// the two, whatever the order (memory_cheats_test.cc tries some).
double AbsentShareMax(const VerifierRecord& record, const ClassRow& row, double skipped_legs) {
  const MemorySize& size = record.challenge.size.memory;
  const double left_out = 1 - std::pow(1 - skipped_legs, 1.0 / kStepsPerLeg);
  const double made = static_cast<double>(row.made_anew_bytes_per_s) / size.passes *
                      static_cast<double>(std::max<int64_t>(record.gather_us, 1)) / kMicros;
  const double for_each_read = made / static_cast<double>(size.gathered_bytes());
  const double pieces = size.walks + skipped_legs * static_cast<double>(size.all_legs());
  const double waiting = 4 * pieces / static_cast<double>(size.blocks);
  const double absent =
      (for_each_read + std::sqrt(for_each_read * (for_each_read + 4 * waiting))) / 2;
  return std::min(1.0, left_out + absent);
}

bool Reaches(const GpuBounds& bounds, const ClassRow& row) {
  const auto reaches = [](int64_t bound, int64_t wanted, int64_t share) {
    return bound >= wanted / kBasisPoints * share;
  };
  return reaches(bounds.int8_ops_per_s, row.int8_ops_per_s, kClassShareMin) &&
         reaches(bounds.bytes_per_s, row.bytes_per_s, kClassShareMin) &&
         reaches(bounds.memory_bytes, row.memory_bytes / 100 * kArenaPercent, kArenaShareMin);
}

// What classes' names have and devices' have in many ways: the form, and the memory.
constexpr std::array<std::string_view, 2> kNotInNames = {"SXM", "80"};

// Whether a device's name, "NVIDIA H100 80GB HBM3", is one of the class's: "H100-SXM".
bool IsNameOf(const std::string& device, const std::string& hardware_class) {
  const std::vector<std::string> words = absl::StrSplit(hardware_class, '-');
  return std::ranges::all_of(words, [&](const std::string& word) {
    return std::ranges::find(kNotInNames, word) != kNotInNames.end() ||
           absl::StrContains(device, word);
  });
}

class Judge {
 public:
  Judge(const VerifierRecord& record, const ClassTable& table, const CheckVectors& vectors)
      : record_(record), challenge_(record.challenge), table_(table), vectors_(vectors) {}

  Verdict Decide(std::string_view signed_transcript) {
    const ProbeReason reason = CheckDocument(signed_transcript);
    if (reason != ProbeReason::kNone) return VerdictOf(reason);
    if (!CheckClaims()) return verdict_;
    for (int32_t gpu = 0; gpu < challenge_.gpus; ++gpu) {
      const ProbeReason wrong = CheckGpu(gpu);
      if (wrong != ProbeReason::kNone) {
        Add(wrong, gpu);
        return verdict_;
      }
    }
    if (challenge_.size == SmallProfile()) {
      Add(ProbeReason::kSmallProfile);
      verdict_.share_bps = kBasisPoints;
      return verdict_;
    }
    DecideClass();
    return verdict_;
  }

 private:
  void Add(ProbeReason reason, int32_t gpu = -1) { verdict_.causes.push_back({reason, gpu}); }

  // That the transcript is the answer to what was asked, by whom it was asked of.
  ProbeReason CheckDocument(std::string_view bytes) {
    if (record_.answered_us > challenge_.expires_us) return ProbeReason::kTooLate;
    if (bytes.size() > kTranscriptBytesMax) return ProbeReason::kMalformed;
    const absl::StatusOr<SignedTranscript> document = DecodeSignedTranscript(bytes);
    if (!document.ok()) return ProbeReason::kMalformed;
    // The signature before the rest: nobody else's bytes are unfolded.
    if (!document->IsSignedBy(challenge_.device_key)) return ProbeReason::kWrongKey;
    absl::StatusOr<Transcript> transcript = DecodeTranscript(document->transcript);
    if (!transcript.ok()) return ProbeReason::kMalformed;
    transcript_ = *std::move(transcript);
    if (transcript_.challenge != EncodeChallenge(challenge_) ||
        transcript_.gather_seed != record_.gather_seed ||
        transcript_.opening_seed != record_.opening_seed) {
      return ProbeReason::kWrongChallenge;
    }
    const auto gpus = static_cast<size_t>(challenge_.gpus);
    if (transcript_.gpus.size() != gpus || transcript_.claims.size() != gpus ||
        record_.product_roots.size() != gpus || record_.gather_roots.size() != gpus) {
      return ProbeReason::kGpusMissing;
    }
    return ProbeReason::kNone;
  }

  bool CheckClaims() {
    std::set<std::string_view> identities;
    for (int32_t gpu = 0; gpu < challenge_.gpus; ++gpu) {
      const GpuClaim& claim = transcript_.claims[static_cast<size_t>(gpu)];
      if (!claim.uuid.empty() && !identities.insert(claim.uuid).second) {
        Add(ProbeReason::kDuplicateGpu, gpu);
        return false;
      }
    }
    return true;
  }

  ProbeReason CheckGpu(int32_t gpu) const {
    const GpuAnswer& answer = transcript_.gpus[static_cast<size_t>(gpu)];
    if (answer.roots != record_.product_roots[static_cast<size_t>(gpu)] ||
        answer.gather_root != record_.gather_roots[static_cast<size_t>(gpu)] ||
        answer.roots.empty()) {
      return ProbeReason::kRootsChanged;
    }
    const ComputeFault compute = VerifyCompute(challenge_.ForCompute(gpu), answer.roots,
                                               record_.opening_seed, answer.tiles, vectors_);
    if (compute != ComputeFault::kNone) return ReasonOf(compute);
    return ReasonOf(VerifyMemory(challenge_.ForMemory(gpu, answer.roots.back()),
                                 record_.gather_seed, answer.gather_root, record_.opening_seed,
                                 answer.legs));
  }

  void DecideClass() {
    const ClassRow* const row = table_.Find(challenge_.hardware_class);
    if (row == nullptr || !row->has_probe) return Add(ProbeReason::kNoProbe);
    const ProofSize& size = challenge_.size;
    verdict_.skipped_tiles_ppm_max = SkippedShareMax(size.compute.opened, kDoubtBits);
    verdict_.skipped_legs_ppm_max = SkippedShareMax(size.memory.opened, kDoubtBits);
    const double skipped_tiles = static_cast<double>(verdict_.skipped_tiles_ppm_max) / kMillion;
    const double skipped_legs = static_cast<double>(verdict_.skipped_legs_ppm_max) / kMillion;
    const double ops = Rate(OpsOf(size.compute), record_.products_us);
    const double bytes = Rate(static_cast<double>(size.memory.gathered_bytes()), record_.gather_us);
    verdict_.bounds = {.int8_ops_per_s = Whole(ops * (1 - skipped_tiles)),
                       .bytes_per_s = Whole(bytes * (1 - skipped_legs)),
                       .memory_bytes = Whole(static_cast<double>(size.memory.arena_bytes()) *
                                             (1 - AbsentShareMax(record_, *row, skipped_legs)))};
    FindNearest();
    if (!Reaches(verdict_.bounds, *row)) return Refuse(*row);
    const double of_memory = bytes / static_cast<double>(row->bytes_per_s);
    const double of_products = ops / static_cast<double>(row->int8_ops_per_s);
    const double share = std::min(of_memory, of_products);
    verdict_.share_bps =
        static_cast<int32_t>(std::min<double>(kBasisPoints, std::floor(share * kBasisPoints)));
    Flag(*row, std::max(of_memory, of_products));
  }

  void FindNearest() {
    const ClassRow* nearest = nullptr;
    for (const ClassRow& row : table_.rows()) {
      if (!row.has_probe || !Reaches(verdict_.bounds, row)) continue;
      if (nearest == nullptr || row.int8_ops_per_s > nearest->int8_ops_per_s) nearest = &row;
    }
    if (nearest != nullptr) verdict_.nearest_class = nearest->name;
  }

  // Why a proof that holds is none of its class, the most telling first.
  void Refuse(const ClassRow& row) {
    for (int32_t gpu = 0; gpu < challenge_.gpus; ++gpu) {
      const GpuClaim& claim = transcript_.claims[static_cast<size_t>(gpu)];
      if (claim.is_slice) {
        Add(ProbeReason::kSlice, gpu);
      } else if (!verdict_.nearest_class.empty() && IsNameOf(claim.name, row.name)) {
        Add(ProbeReason::kRenamed, gpu);
      }
    }
    GpuBounds of_memory = verdict_.bounds;
    of_memory.int8_ops_per_s = row.int8_ops_per_s;
    GpuBounds of_products = {verdict_.bounds.int8_ops_per_s, row.bytes_per_s, row.memory_bytes};
    if (!Reaches(of_products, row)) Add(ProbeReason::kSlowProducts);
    if (!Reaches(of_memory, row)) Add(ProbeReason::kSlowMemory);
  }

  void Flag(const ClassRow& row, double fastest) {
    if (fastest * kBasisPoints > static_cast<double>(kFasterShareMin)) {
      Add(ProbeReason::kFasterThanClass);
    }
    for (int32_t gpu = 0; gpu < challenge_.gpus; ++gpu) {
      const GpuClaim& claim = transcript_.claims[static_cast<size_t>(gpu)];
      if (claim.is_slice) Add(ProbeReason::kSliceClaimed, gpu);
      if (!IsNameOf(claim.name, row.name)) Add(ProbeReason::kOtherName, gpu);
    }
  }

  const VerifierRecord& record_;
  const Challenge& challenge_;
  const ClassTable& table_;
  const CheckVectors& vectors_;
  Transcript transcript_;
  Verdict verdict_;
};

}  // namespace

ProbeReason Verdict::refusal() const {
  for (const Cause& cause : causes) {
    if (Refuses(cause.reason)) return cause.reason;
  }
  return ProbeReason::kNone;
}

Verdict Verify(const VerifierRecord& record, std::string_view signed_transcript,
               const ClassTable& table, const CheckVectors& vectors) {
  return Judge(record, table, vectors).Decide(signed_transcript);
}

Verdict VerdictOf(ProbeReason reason) {
  Verdict verdict;
  verdict.causes.push_back({reason});
  return verdict;
}

}  // namespace warpbook::probe
