// LocalExchange: `warpbook serve` inside the test, on free ports, with a journal of its own, and a
// settlement that posts every deposit and top-up at once (100 credits for a micro-TOK), so that
// members have money without a database.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "gateway/cli/serve.h"
#include "gateway/client/client.h"
#include "tests/support/temporary_directory.h"

namespace warpbook::gateway {

class LocalExchange {
 public:
  explicit LocalExchange(int64_t clock_factor = 1);
  ~LocalExchange();

  // Stops and starts again on the same journal and, so that clients find it, the same ports.
  void Restart();
  // Ends the exchange; its status.
  absl::Status Stop();

  std::string address() const;        // of the listener for clients
  std::string admin_address() const;  // of that for operators
  std::string File(const std::string& name) const { return directory_ / name; }
  std::string operator_key_file() const { return File("operator.pem"); }
  const std::string& journal() const { return options_.journal; }

 private:
  void Start();
  // Grants what is asked for, from the journal, as settlement reads it.
  class Grantor;

  const test::TemporaryDirectory directory_;
  ServeOptions options_;
  std::unique_ptr<Exchange> exchange_;
  std::unique_ptr<Grantor> grantor_;
};

}  // namespace warpbook::gateway
