// What `warpbook serve` is made of: how an exchange starts, and what ends it.
#include "gateway/cli/serve.h"

#include <doctest/doctest.h>

#include <string>

#include "tests/support/temporary_directory.h"

namespace warpbook::gateway {
namespace {

ServeOptions OptionsIn(const test::TemporaryDirectory& directory) {
  ServeOptions options;
  options.journal = directory / "journal";
  options.catalogue = WARPBOOK_CATALOGUE;
  options.listen = "127.0.0.1:0";
  options.admin_listen = "127.0.0.1:0";
  options.drain_seconds = 1;
  return options;
}

ServeConfiguration Load(const ServeOptions& options) {
  auto configuration = LoadServeConfiguration(options);
  REQUIRE_MESSAGE(configuration.ok(), configuration.status().message());
  return *std::move(configuration);
}

// A journal with the first windows in it.
void MakeJournal(const ServeConfiguration& configuration) {
  auto exchange = Exchange::Start(configuration);
  REQUIRE(exchange.ok());
  REQUIRE((*exchange)->Stop().ok());
}

}  // namespace

TEST_CASE("A stop that comes during the replay ends the start") {
  const test::TemporaryDirectory directory;
  const ServeConfiguration configuration = Load(OptionsIn(directory));
  MakeJournal(configuration);
  const absl::Status status = Exchange::Start(configuration, [] { return true; }).status();
  CHECK(absl::IsCancelled(status));
  CHECK(status.message() == "stopped while the journal was replayed");
  CHECK(Exchange::Start(configuration).ok());
}

}  // namespace warpbook::gateway
