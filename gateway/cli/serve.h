// What `warpbook serve` runs: engine service and gateway in one process, put together here and
// nowhere else.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "schema/catalogue/catalogue.h"
#include "schema/types/public_key.h"

namespace warpbook::gateway {

// As given on the command line, in the environment or in the configuration file.
struct ServeOptions {
  std::string journal;
  std::string catalogue;
  std::string listen = "127.0.0.1:7400";
  std::string admin_listen = "127.0.0.1:7401";
  std::string server_name = "warpbook";
  std::string operator_key_file, settlement_key_file;  // empty: none
  int64_t clock_factor = 1;
  int64_t drain_seconds = 10;
};

// The same with every file read and found right.
struct ServeConfiguration {
  ServeOptions options;
  Catalogue catalogue;
  std::optional<PublicKey> operator_key, settlement_key;
};

// One clear sentence where something is missing or wrong.
absl::StatusOr<ServeConfiguration> LoadServeConfiguration(const ServeOptions& options);

// Recovers, serves until SIGTERM or SIGINT (BlockStopSignals before), drains and ends. What is
// wrong at the start (a busy port, a damaged journal) is one clear sentence.
absl::Status Serve(const ServeConfiguration& configuration);

}  // namespace warpbook::gateway
