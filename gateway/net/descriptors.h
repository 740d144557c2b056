// File descriptors, which every connection takes one of: as many as the system gives, and never so
// many connections that the journal has none left for its next segment.
#pragma once

#include <cstddef>
#include <cstdint>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gateway/admission/limits.h"

namespace warpbook::gateway {

// For all that is no connection: the journal's segments, listeners, events, standard streams,
// questions to settlement; and for what each I/O thread has of its own.
inline constexpr uint64_t kReservedDescriptors = 96;
inline constexpr uint64_t kDescriptorsPerIoThread = 12;

// Raises the process's soft limit (RLIMIT_NOFILE) to the hard one; what it is then.
absl::StatusOr<uint64_t> RaiseDescriptorLimit();

// Lowers the clients' total so that all connections of both listeners, those that are being refused
// among them, and the reserve fit into so many descriptors. ResourceExhausted where not even one
// client fits.
absl::Status FitConnections(uint64_t descriptors, GatewayLimits& limits);

}  // namespace warpbook::gateway
