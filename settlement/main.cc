// The `warpbook-settlement` command: serve, migrate, audit, summary.
#include <CLI/CLI.hpp>
#include <atomic>
#include <csignal>
#include <iostream>
#include <string>

#include "schema/base/crypto.h"
#include "schema/catalogue/catalogue.h"
#include "schema/types/decimal.h"
#include "settlement/service/audit_run.h"
#include "settlement/service/log.h"
#include "settlement/service/report.h"
#include "settlement/service/serve.h"
#include "settlement/store/audit.h"
#include "settlement/store/migrations.h"
#include "settlement/tokens/electricity.h"

namespace warpbook::settlement {
namespace {

// 0 done; 1 failed, or an invariant does not hold; 2 the command line or a file that it names is
// wrong.
constexpr int kDone = 0;
constexpr int kFailed = 1;
constexpr int kMisused = 2;

std::atomic<bool> stop_requested = false;
static_assert(std::atomic<bool>::is_always_lock_free);

int Fail(const absl::Status& status, int exit_code = kFailed) {
  std::cerr << "warpbook-settlement: " << status.message() << "\n";
  return exit_code;
}

struct Arguments {
  std::string database;
  std::string journal;
  std::string engine = "127.0.0.1:7401";
  std::string authorities;
  std::string server_name = "warpbook";
  std::string key;
  std::string catalogue;
  std::string replay_into;
  std::string http;
  bool http_beyond_loopback = false;
  std::string tariff = FormatPrice(Price(kTariffDefault));
  bool check_config = false;
};

int RunServe(const Arguments& arguments) {
  auto catalogue = LoadCatalogue(arguments.catalogue);
  if (!catalogue.ok()) return Fail(catalogue.status(), kMisused);
  auto key = Ed25519PrivateKey::LoadPem(arguments.key);
  if (!key.ok()) return Fail(key.status(), kMisused);
  const auto tariff = ParsePrice(arguments.tariff);
  if (!tariff || *tariff <= Price(0) || *tariff > Price(kTariffMax)) {
    return Fail(absl::InvalidArgumentError("--electricity-tariff: \"" + arguments.tariff +
                                           "\" is not USD per kWh, above 0 and at most " +
                                           FormatPrice(Price(kTariffMax))),
                kMisused);
  }
  if (arguments.check_config) {
    std::cout << "the configuration is right\n";
    return kDone;
  }
  struct sigaction action = {};
  action.sa_handler = [](int) { stop_requested = true; };
  for (const int signal : {SIGTERM, SIGINT}) sigaction(signal, &action, nullptr);
  ServeOptions options;
  options.journal_directory = arguments.journal;
  options.conninfo = arguments.database;
  options.engine_address = arguments.engine;
  options.engine_authorities = arguments.authorities;
  options.server_name = arguments.server_name;
  options.catalogue = *std::move(catalogue);
  options.http.address = arguments.http;
  options.http.allow_beyond_loopback = arguments.http_beyond_loopback;
  options.tariff = tariff->value();
  const absl::Status status = Serve(options, *std::move(key), stop_requested);
  if (status.ok()) return kDone;
  Log(LogLevel::kError, "failed",
      gateway::JsonObject().Text("detail", std::string(status.message())));
  return kFailed;
}

int RunMigrate(const Arguments& arguments) {
  auto database = Database::Connect(arguments.database);
  if (!database.ok()) return Fail(database.status());
  const auto summary = Migrate(*database);
  if (!summary.ok()) return Fail(summary.status());
  std::cout << "schema version " << summary->version_after << " (was " << summary->version_before
            << ")\n";
  return kDone;
}

int RunAuditCommand(const Arguments& arguments) {
  const auto all_hold = RunAudit({arguments.database, arguments.journal, arguments.replay_into},
                                 std::cout, std::cerr);
  if (!all_hold.ok()) return Fail(all_hold.status());
  return *all_hold ? kDone : kFailed;
}

int RunSummary(const Arguments& arguments) {
  auto database = Database::Connect(arguments.database);
  if (!database.ok()) return Fail(database.status());
  if (absl::Status status = CheckSchema(*database); !status.ok()) return Fail(status);
  const auto summary = ReadSummary(*database);
  if (!summary.ok()) return Fail(summary.status());
  std::cout << SummaryJson(*summary) << "\n";
  return kDone;
}

CLI::Option* AddDatabase(CLI::App* command, Arguments& arguments, const std::string& as_whom) {
  return command
      ->add_option("--database", arguments.database,
                   "Connection string of PostgreSQL, " + as_whom +
                       ": \"host=/run/postgresql dbname=warpbook user=...\"")
      ->envname("WARPBOOK_DATABASE")
      ->required();
}

void AddServe(CLI::App& app, Arguments& arguments, int& exit_code) {
  CLI::App* const serve = app.add_subcommand("serve", "Post the journal, decide, settle");
  AddDatabase(serve, arguments, "as warpbook_settlement");
  serve->add_option("--journal", arguments.journal, "Directory of the journal")
      ->envname("WARPBOOK_JOURNAL")
      ->required();
  serve
      ->add_option("--engine", arguments.engine,
                   "The gateway's admin listener; wss://host:port is by TLS")
      ->check([](const std::string& address) {
        const size_t colon = address.rfind(':');
        const bool has_both = colon != std::string::npos && colon > 0 && colon + 1 < address.size();
        return has_both ? std::string() : "\"" + address + "\" is not of the form host:port";
      })
      ->envname("WARPBOOK_ENGINE")
      ->capture_default_str();
  serve
      ->add_option("--authorities", arguments.authorities,
                   "Who is believed to know the gateway (PEM); default: the system's authorities")
      ->envname("WARPBOOK_AUTHORITIES");
  serve->add_option("--server-name", arguments.server_name, "The exchange's name")
      ->envname("WARPBOOK_SERVER_NAME")
      ->capture_default_str();
  serve->add_option("--key", arguments.key, "Settlement's private key, a PEM file")
      ->envname("WARPBOOK_SETTLEMENT_KEY")
      ->required();
  serve->add_option("--catalogue", arguments.catalogue, "The catalogue")
      ->envname("WARPBOOK_CATALOGUE")
      ->required();
  serve
      ->add_option("--http", arguments.http,
                   "Serve reports here (127.0.0.1:7402): supply, disclosures, statements, leases; "
                   "default: nowhere")
      ->envname("WARPBOOK_SETTLEMENT_HTTP");
  serve
      ->add_flag("--allow-http-beyond-loopback", arguments.http_beyond_loopback,
                 "Serve them on an address that is not loopback, to everybody who reaches it")
      ->envname("WARPBOOK_ALLOW_HTTP_BEYOND_LOOPBACK");
  serve
      ->add_option("--electricity-tariff", arguments.tariff,
                   "USD per kWh, for the floor that is disclosed beside the market's prices")
      ->envname("WARPBOOK_ELECTRICITY_TARIFF")
      ->capture_default_str();
  serve->add_flag("--check-config", arguments.check_config, "Check the files named here and end");
  serve->callback([&arguments, &exit_code] { exit_code = RunServe(arguments); });
}

int Main(int argc, char** argv) {
  Arguments arguments;
  int exit_code = kDone;
  CLI::App app("Settlement of the Warpbook exchange: leases and ledger in PostgreSQL");
  app.failure_message([](const CLI::App*, const CLI::Error& error) {
    return std::string("warpbook-settlement: ") + error.what() + "\n";
  });
  app.require_subcommand(1);
  AddServe(app, arguments, exit_code);
  CLI::App* const migrate = app.add_subcommand(
      "migrate", "Make the database's roles and schema, or bring them up to date");
  AddDatabase(migrate, arguments, "as a superuser the first time, later as warpbook_owner");
  migrate->callback([&] { exit_code = RunMigrate(arguments); });
  CLI::App* const audit =
      app.add_subcommand("audit", "Check every invariant of the ledger, from its transfers");
  AddDatabase(audit, arguments, "who may read");
  CLI::Option* const journal =
      audit
          ->add_option("--journal", arguments.journal,
                       "Directory of the journal: is it the one that was posted?")
          ->envname("WARPBOOK_JOURNAL");
  audit
      ->add_option("--replay-into", arguments.replay_into,
                   "An empty database, as its owner: replay the journal into it and compare")
      ->needs(journal);
  audit->callback([&] { exit_code = RunAuditCommand(arguments); });
  CLI::App* const summary = app.add_subcommand("summary", "The ledger's totals as JSON");
  AddDatabase(summary, arguments, "who may read");
  summary->callback([&] { exit_code = RunSummary(arguments); });
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? kDone : kMisused;
  }
  return exit_code;
}

}  // namespace
}  // namespace warpbook::settlement

int main(int argc, char** argv) { return warpbook::settlement::Main(argc, argv); }
