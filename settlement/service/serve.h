// `warpbook-settlement serve`: the worker as a service. It goes on through what passes by itself (a
// journal that is not there yet, a database or a gateway that is away) and stops, with one
// sentence, at what does not.
#pragma once

#include <atomic>
#include <chrono>
#include <string>

#include "absl/status/status.h"
#include "schema/base/crypto.h"
#include "schema/catalogue/catalogue.h"

namespace warpbook::settlement {

struct ServeOptions {
  std::string journal_directory;
  std::string conninfo;
  std::string engine_address;
  std::string engine_authorities;
  std::string server_name;
  Catalogue catalogue;
  // How often the journal is looked at when its end is reached, and how often a status is logged.
  std::chrono::milliseconds poll{5};
  std::chrono::milliseconds status_interval{10'000};
  // Between two tries at what is away.
  std::chrono::milliseconds retry{1'000};
};

// Runs until `stop` is set, which lets the transaction under way end, or until it fails.
absl::Status Serve(const ServeOptions& options, Ed25519PrivateKey key,
                   const std::atomic<bool>& stop);

}  // namespace warpbook::settlement
