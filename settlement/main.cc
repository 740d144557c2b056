// The `warpbook-settlement` command: serve, migrate, audit, summary.
#include <atomic>
#include <csignal>
#include <iostream>
#include <string>

#include "schema/base/command_line.h"
#include "schema/base/crypto.h"
#include "schema/base/log.h"
#include "schema/catalogue/catalogue.h"
#include "schema/types/decimal.h"
#include "settlement/service/audit_run.h"
#include "settlement/service/http_server.h"
#include "settlement/service/report.h"
#include "settlement/service/serve.h"
#include "settlement/store/audit.h"
#include "settlement/store/conninfo.h"
#include "settlement/store/migrations.h"
#include "settlement/tokens/electricity.h"

namespace warpbook::settlement {
namespace {

std::atomic<bool> stop_requested = false;
static_assert(std::atomic<bool>::is_always_lock_free);

int Fail(const absl::Status& status, int exit_code = kExitFailed) {
  std::cerr << "warpbook-settlement: " << status.message() << "\n";
  return exit_code;
}

struct Arguments {
  // PostgreSQL: a connection string, or a file that holds one, as it may hold a password.
  std::string database, database_file;
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

absl::Status Missing(const char* option) {
  return absl::InvalidArgumentError(std::string(option) + " is missing");
}

// Everything that can be told wrong before the start.
absl::StatusOr<ServeOptions> OptionsOf(const Arguments& arguments) {
  ServeOptions options;
  auto conninfo = ResolveConninfo(arguments.database, arguments.database_file);
  if (!conninfo.ok()) return conninfo.status();
  options.conninfo = *std::move(conninfo);
  if (arguments.journal.empty()) return Missing("--journal");
  if (arguments.key.empty()) return Missing("--key");
  if (arguments.catalogue.empty()) return Missing("--catalogue");
  auto catalogue = LoadCatalogue(arguments.catalogue);
  if (!catalogue.ok()) return catalogue.status();
  options.catalogue = *std::move(catalogue);
  const auto tariff = ParsePrice(arguments.tariff);
  if (!tariff || *tariff <= Price(0) || *tariff > Price(kTariffMax)) {
    return absl::InvalidArgumentError("--electricity-tariff: \"" + arguments.tariff +
                                      "\" is not USD per kWh, above 0 and at most " +
                                      FormatPrice(Price(kTariffMax)));
  }
  options.tariff = tariff->value();
  const size_t colon = arguments.engine.rfind(':');
  if (colon == std::string::npos || colon == 0 || colon + 1 == arguments.engine.size()) {
    return absl::InvalidArgumentError("--engine: \"" + arguments.engine +
                                      "\" is not of the form host:port");
  }
  options.journal_directory = arguments.journal;
  options.engine_address = arguments.engine;
  options.engine_authorities = arguments.authorities;
  options.server_name = arguments.server_name;
  options.http.address = arguments.http;
  options.http.allow_beyond_loopback = arguments.http_beyond_loopback;
  const absl::Status address =
      arguments.http.empty() ? absl::OkStatus() : HttpServer::CheckAddress(options.http);
  if (!address.ok()) return address;
  return options;
}

int RunServe(const Arguments& arguments) {
  const auto options = OptionsOf(arguments);
  if (!options.ok()) return Fail(options.status(), kExitUsage);
  auto key = Ed25519PrivateKey::LoadPem(arguments.key);
  if (!key.ok()) return Fail(key.status(), kExitUsage);
  if (arguments.check_config) {
    std::cout << "the configuration is right\n";
    return kExitOk;
  }
  struct sigaction action = {};
  action.sa_handler = [](int) { stop_requested = true; };
  for (const int signal : {SIGTERM, SIGINT}) sigaction(signal, &action, nullptr);
  const absl::Status status = Serve(*options, *std::move(key), stop_requested);
  if (status.ok()) return kExitOk;
  Log(LogLevel::kError, "failed", JsonObject().Text("detail", std::string(status.message())));
  return kExitFailed;
}

int RunMigrate(const Arguments& arguments) {
  const auto conninfo = ResolveConninfo(arguments.database, arguments.database_file);
  if (!conninfo.ok()) return Fail(conninfo.status(), kExitUsage);
  auto database = Database::Connect(*conninfo);
  if (!database.ok()) return Fail(database.status());
  const auto summary = Migrate(*database);
  if (!summary.ok()) return Fail(summary.status());
  std::cout << "schema version " << summary->version_after << " (was " << summary->version_before
            << ")\n";
  return kExitOk;
}

int RunAuditCommand(const Arguments& arguments) {
  const auto conninfo = ResolveConninfo(arguments.database, arguments.database_file);
  if (!conninfo.ok()) return Fail(conninfo.status(), kExitUsage);
  if (!arguments.replay_into.empty() && arguments.journal.empty()) {
    return Fail(absl::InvalidArgumentError("--replay-into needs --journal"), kExitUsage);
  }
  const auto all_hold =
      RunAudit({*conninfo, arguments.journal, arguments.replay_into}, std::cout, std::cerr);
  if (!all_hold.ok()) return Fail(all_hold.status());
  return *all_hold ? kExitOk : kExitFailed;
}

int RunSummary(const Arguments& arguments) {
  const auto conninfo = ResolveConninfo(arguments.database, arguments.database_file);
  if (!conninfo.ok()) return Fail(conninfo.status(), kExitUsage);
  auto database = Database::Connect(*conninfo);
  if (!database.ok()) return Fail(database.status());
  if (absl::Status status = CheckSchema(*database); !status.ok()) return Fail(status);
  const auto summary = ReadSummary(*database);
  if (!summary.ok()) return Fail(summary.status());
  std::cout << SummaryJson(*summary) << "\n";
  return kExitOk;
}

void AddDatabase(Command& command, Arguments& arguments, const std::string& as_whom) {
  command
      .Text("--database", arguments.database,
            "Connection string of PostgreSQL, " + as_whom +
                ": \"host=/run/postgresql dbname=warpbook user=...\"")
      .Environment("WARPBOOK_DATABASE");
  command
      .Text("--database-file", arguments.database_file,
            "A file that holds it instead, where it has a password")
      .Environment("WARPBOOK_DATABASE_FILE");
}

void AddServe(Command& root, Arguments& arguments) {
  Command serve = root.Add("serve", "Post the journal, decide, settle");
  serve.ConfigFile("A file of `key = value` lines, keys as these options without the dashes");
  AddDatabase(serve, arguments, "as warpbook_settlement");
  serve.Text("--journal", arguments.journal, "Directory of the journal")
      .Environment("WARPBOOK_JOURNAL");
  serve
      .Text("--engine", arguments.engine, "The gateway's admin listener; wss://host:port is by TLS")
      .Environment("WARPBOOK_ENGINE");
  serve
      .Text("--authorities", arguments.authorities,
            "Who is believed to know the gateway (PEM); default: the system's authorities")
      .Environment("WARPBOOK_AUTHORITIES");
  serve.Text("--server-name", arguments.server_name, "The exchange's name")
      .Environment("WARPBOOK_SERVER_NAME");
  serve.Text("--key", arguments.key, "Settlement's private key, a PEM file")
      .Environment("WARPBOOK_SETTLEMENT_KEY");
  serve.Text("--catalogue", arguments.catalogue, "The catalogue").Environment("WARPBOOK_CATALOGUE");
  serve
      .Text("--http", arguments.http,
            "Serve reports (supply, disclosures, statements, leases), /metrics, /livez and /readyz "
            "here (127.0.0.1:7402); default: nowhere")
      .Environment("WARPBOOK_SETTLEMENT_HTTP");
  serve
      .Flag("--allow-http-beyond-loopback", arguments.http_beyond_loopback,
            "Serve them on an address that is not loopback, to everybody who reaches it")
      .Environment("WARPBOOK_ALLOW_HTTP_BEYOND_LOOPBACK")
      .InFile();
  serve
      .Text("--electricity-tariff", arguments.tariff,
            "USD per kWh, for the floor that is disclosed beside the market's prices")
      .Environment("WARPBOOK_ELECTRICITY_TARIFF");
  serve.Flag("--check-config", arguments.check_config, "Check everything named here and end");
  serve.Footer(
      "The file is overruled by the environment (WARPBOOK_JOURNAL, ...), and that by the "
      "command line.");
  serve.OnRun([&arguments] { return RunServe(arguments); });
}

int Main(int argc, char** argv) {
  Arguments arguments;
  CommandLine command_line("warpbook-settlement",
                           "Settlement of the Warpbook exchange: leases and ledger in PostgreSQL");
  Command root = command_line.root();
  AddServe(root, arguments);
  Command migrate =
      root.Add("migrate", "Make the database's roles and schema, or bring them up to date");
  AddDatabase(migrate, arguments, "as a superuser the first time, later as warpbook_owner");
  migrate.OnRun([&arguments] { return RunMigrate(arguments); });
  Command audit = root.Add("audit", "Check every invariant of the ledger, from its transfers");
  AddDatabase(audit, arguments, "who may read");
  audit
      .Text("--journal", arguments.journal,
            "Directory of the journal: is it the one that was posted?")
      .Environment("WARPBOOK_JOURNAL");
  audit.Text("--replay-into", arguments.replay_into,
             "An empty database, as its owner: replay the journal into it and compare");
  audit.OnRun([&arguments] { return RunAuditCommand(arguments); });
  Command summary = root.Add("summary", "The ledger's totals as JSON");
  AddDatabase(summary, arguments, "who may read");
  summary.OnRun([&arguments] { return RunSummary(arguments); });
  return command_line.Run(argc, argv, std::cout, std::cerr);
}

}  // namespace
}  // namespace warpbook::settlement

int main(int argc, char** argv) { return warpbook::settlement::Main(argc, argv); }
