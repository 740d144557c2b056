// Instruments as people name them. A full symbol ("H100-SXM.us-east.2026-12-01T14:00") is taken as
// it is; "H100-SXM.us-east" and "H100-SXM" mean the first open window that still has time, and
// "H100-SXM.us-east+2" two windows later.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "gateway/cli/session.h"
#include "gateway/client/json_value.h"

namespace warpbook::gateway {

// The instrument's row as the method `instruments` gives it.
absl::StatusOr<JsonValue> FindInstrument(CliSession& session, const std::string& name);

// The market's time now, in microseconds.
absl::StatusOr<int64_t> MarketTime(CliSession& session);

}  // namespace warpbook::gateway
