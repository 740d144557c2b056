// The verifier's record as a file: JSON with everything of VerifierRecord and a digest over it, so
// that a transcript can be verified again later. It is the verifier's own evidence: the digest
// tells of accidents, and of an edit by somebody who did not make it anew. Whoever keeps the file
// can write another.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "gpu_probe/verifier/verdict.h"

namespace warpbook::probe {

inline constexpr int64_t kRecordVersion = 1;
inline constexpr size_t kRecordBytesMax = size_t{64} << 20;

std::string EncodeRecord(const VerifierRecord& record);
// InvalidArgument, which names the field, where one is missing, unknown, twice there, of a wrong
// kind or out of its range, or where the digest is not that of the rest. Takes anything.
absl::StatusOr<VerifierRecord> DecodeRecord(std::string_view text);

}  // namespace warpbook::probe
