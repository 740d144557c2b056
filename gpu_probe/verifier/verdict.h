// The verdict (design: Class decision): what a signed transcript proves, by the verifier's own
// clock and its own record of what it had asked and when. A pure function; one thread takes a
// second or so for each GPU of a full proof.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "gpu_probe/verifier/class_table.h"
#include "gpu_probe/verifier/tile_check.h"
#include "gpu_probe/verifier/transcript.h"
#include "schema/types/probe_reason.h"

namespace warpbook::probe {

// What the verifier has seen for itself. Durations are by its clock, from when a question went out
// until its whole answer was in. The way there and back is in them and never taken off: a prover
// can feign a slow line.
struct VerifierRecord {
  Challenge challenge;
  Seed gather_seed{};
  Seed opening_seed{};
  std::vector<std::vector<Sha256Digest>> product_roots;  // by GPU, as they stopped the clock
  std::vector<Sha256Digest> gather_roots;                // likewise
  int64_t products_us = 0;
  int64_t fill_us = 0;
  int64_t gather_us = 0;
  int64_t answered_us = 0;  // since 1970: when the transcript was in
};

// What each GPU has proved at the least, but for a chance of 2^-kDoubtBits.
struct GpuBounds {
  int64_t int8_ops_per_s = 0;
  int64_t bytes_per_s = 0;
  int64_t memory_bytes = 0;
  friend bool operator==(const GpuBounds&, const GpuBounds&) = default;
};
inline constexpr int32_t kDoubtBits = 20;

struct Verdict {
  struct Cause {
    ProbeReason reason = ProbeReason::kNone;
    int32_t gpu = -1;  // whose, from 0; -1: of all
    friend bool operator==(const Cause&, const Cause&) = default;
  };

  std::vector<Cause> causes;  // first those that refuse it, then flags
  std::string nearest_class;  // the best one whose row the bounds reach; "" for none
  GpuBounds bounds;           // zeros where the proof does not hold
  int64_t skipped_tiles_ppm_max = 0;
  int64_t skipped_legs_ppm_max = 0;
  // What the rates as measured are of the class's: the smaller, at most 10,000 basis points; 0
  // where it is refused.
  int32_t share_bps = 0;

  ProbeReason refusal() const;  // the first that refuses, or kNone
  bool passed() const { return refusal() == ProbeReason::kNone; }
};

// Takes anything as a transcript. `vectors` are secret and drawn after the roots had come in.
Verdict Verify(const VerifierRecord& record, std::string_view signed_transcript,
               const ClassTable& table, const CheckVectors& vectors);
// That of an answer which did not come.
Verdict VerdictOf(ProbeReason reason);

}  // namespace warpbook::probe
