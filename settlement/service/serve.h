// `warpbook-settlement serve`: the worker as a service. It goes on through what passes by itself (a
// journal that is not there yet; a database that is not there yet, is away, slow or full, cancels a
// statement or has no connection free; a gateway that is away) and stops, with one sentence, at
// what does not: another worker, a malformed connection string, a database that refuses the user or
// has another schema.
#pragma once

#include <atomic>
#include <chrono>
#include <string>

#include "absl/status/status.h"
#include "schema/base/crypto.h"
#include "schema/catalogue/catalogue.h"
#include "settlement/service/http_server.h"
#include "settlement/tokens/electricity.h"

namespace warpbook::settlement {

struct ServeOptions {
  std::string journal_directory;
  std::string conninfo;
  std::string engine_address;
  std::string engine_authorities;
  std::string server_name;
  Catalogue catalogue;
  // Where reports are served; without an address nowhere.
  HttpServer::Options http;
  int64_t tariff = kTariffDefault;  // of electricity, micro-USD per kWh
  // How often the journal is looked at when its end is reached (a word in memory; some 2% of a
  // core), and how often a status is logged.
  std::chrono::microseconds poll{200};
  std::chrono::milliseconds status_interval{10'000};
  std::chrono::milliseconds metrics_interval{200};
  // Between two tries at what is away: the first time, and at most; doubled from one to the next.
  std::chrono::milliseconds retry_first{250};
  std::chrono::milliseconds retry_max{10'000};
};

// Runs until `stop` is set, which lets the transaction under way end, or until it fails.
absl::Status Serve(const ServeOptions& options, Ed25519PrivateKey key,
                   const std::atomic<bool>& stop);

}  // namespace warpbook::settlement
