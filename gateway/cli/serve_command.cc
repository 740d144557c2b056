#include <iostream>
#include <memory>

#include "gateway/cli/commands.h"
#include "gateway/cli/serve.h"
#include "gateway/cli/session.h"
#include "gateway/cli/stop_signals.h"

namespace warpbook::gateway {
namespace {

struct ServeArguments {
  ServeOptions options;
  bool check_config = false;
};

int Run(const ServeArguments& arguments) {
  const absl::StatusOr<ServeConfiguration> configuration =
      LoadServeConfiguration(arguments.options);
  if (!configuration.ok()) {
    Finish(configuration.status());
    return kExitUsage;
  }
  if (arguments.check_config) {
    std::cout << "the configuration is right: " << configuration->catalogue.classes.size()
              << " hardware classes, " << configuration->catalogue.regions.size() << " regions\n";
    return kExitOk;
  }
  BlockStopSignals();
  return Finish(Serve(*configuration));
}

void AddListeners(Command& serve, ServeOptions& options) {
  serve.Text("--listen", options.listen, "Address for clients").Environment("WARPBOOK_LISTEN");
  serve.Text("--admin-listen", options.admin_listen, "Address for operators and settlement")
      .Environment("WARPBOOK_ADMIN_LISTEN");
  serve
      .Flag("--allow-plaintext-beyond-loopback", options.allow_plaintext_beyond_loopback,
            "Listen on other addresses than loopback too, even without TLS")
      .Environment("WARPBOOK_ALLOW_PLAINTEXT_BEYOND_LOOPBACK")
      .InFile();
  serve
      .Text("--tls-certificate", options.tls.certificate_chain,
            "TLS for clients: certificate and chain, PEM")
      .Environment("WARPBOOK_TLS_CERTIFICATE");
  serve.Text("--tls-key", options.tls.private_key, "The certificate's private key, PEM")
      .Environment("WARPBOOK_TLS_KEY");
  serve
      .Text("--admin-tls-certificate", options.admin_tls.certificate_chain,
            "TLS for operators and settlement: certificate and chain, PEM")
      .Environment("WARPBOOK_ADMIN_TLS_CERTIFICATE");
  serve.Text("--admin-tls-key", options.admin_tls.private_key, "The certificate's private key, PEM")
      .Environment("WARPBOOK_ADMIN_TLS_KEY");
  serve
      .Flag("--compression", options.allow_deflate,
            "Compress messages for clients that offer it (permessage-deflate)")
      .Environment("WARPBOOK_COMPRESSION")
      .InFile();
  serve
      .Text("--settlement", options.settlement,
            "Settlement's HTTP (127.0.0.1:7402), asked for supply and disclosures; default: nobody")
      .Environment("WARPBOOK_SETTLEMENT_HTTP");
  serve
      .Integer("--io-threads", options.io_threads,
               "How many threads serve the clients, each with a market of its own")
      .Environment("WARPBOOK_IO_THREADS")
      .Range(1, static_cast<int64_t>(kIoThreadsMax));
  serve
      .TextList("--allowed-origin", options.allowed_origins,
                "A browser's origin that may connect (https://warpbook.example); repeatable, or "
                "several with commas between them")
      .Environment("WARPBOOK_ALLOWED_ORIGIN");
}

void AddProbes(Command& serve, ServeOptions& options) {
  serve
      .Text("--probe-profile", options.probe_profile,
            "What machines have to prove: full, or small, which a CPU can and which proves nothing "
            "of a class (for trials)")
      .OneOf({"full", "small"})
      .Environment("WARPBOOK_PROBE_PROFILE");
  serve
      .Integer("--probe-valid-minutes", options.probe_valid_minutes,
               "How long a machine's proof holds, by the market's clock")
      .Environment("WARPBOOK_PROBE_VALID_MINUTES")
      .Range(1, 30 * 24 * 60);
  serve
      .Integer("--probe-surprise-minutes", options.probe_surprise_minutes,
               "How often a machine that delivers is asked for a proof, on average; 0: never")
      .Environment("WARPBOOK_PROBE_SURPRISE_MINUTES")
      .Range(0, 30 * 24 * 60);
  serve
      .Integer("--probe-answer-seconds", options.probe_answer_seconds,
               "How long a machine that is asked for a proof has, by the real clock")
      .Environment("WARPBOOK_PROBE_ANSWER_SECONDS")
      .Range(1, 60 * 60);
}

}  // namespace

void AddServeCommand(Command& root) {
  const auto arguments = std::make_shared<ServeArguments>();
  Command serve = root.Add("serve", "Run the exchange: engine, journal and gateway");
  AddServeOptions(serve, arguments->options);
  serve.Flag("--check-config", arguments->check_config, "Check everything and end");
  serve.OnRun([arguments] { return Run(*arguments); });
}

void AddServeOptions(Command& serve, ServeOptions& options) {
  serve.ConfigFile("A file of `key = value` lines, keys as these options without the dashes");
  serve.Text("--journal", options.journal, "Directory of the journal, made if it is not there")
      .Environment("WARPBOOK_JOURNAL");
  serve.Text("--catalogue", options.catalogue, "The catalogue: what can be traded")
      .Environment("WARPBOOK_CATALOGUE");
  AddListeners(serve, options);
  serve.Text("--server-name", options.server_name, "The exchange's name, in every signature")
      .Environment("WARPBOOK_SERVER_NAME");
  serve
      .Text("--operator-key-file", options.operator_key_file,
            "The operator's public key, 64 hex digits in a file")
      .Environment("WARPBOOK_OPERATOR_KEY_FILE");
  serve
      .Text("--settlement-key-file", options.settlement_key_file,
            "Settlement's public key, 64 hex digits in a file")
      .Environment("WARPBOOK_SETTLEMENT_KEY_FILE");
  serve
      .Integer("--clock-factor", options.clock_factor,
               "How many times as fast the market's clock runs (for trials)")
      .Environment("WARPBOOK_CLOCK_FACTOR")
      .Range(1, 3'600);
  AddProbes(serve, options);
  serve
      .Integer("--drain-seconds", options.drain_seconds,
               "How long clients have to go after SIGTERM or SIGINT")
      .Environment("WARPBOOK_DRAIN_SECONDS")
      .Range(0, 3'600);
  serve
      .Integer("--snapshot-mebibytes", options.snapshot_mebibytes,
               "How much journal lies between two snapshots: a start replays little more")
      .Environment("WARPBOOK_SNAPSHOT_MEBIBYTES")
      .Range(1, 1'000'000);
  serve
      .Integer("--disk-reserve-mebibytes", options.disk_reserve_mebibytes,
               "With less free on the journal's disk, cancels are taken but nothing new; 0: never")
      .Environment("WARPBOOK_DISK_RESERVE_MEBIBYTES")
      .Range(0, 1'000'000'000);
  serve.Footer(
      "The file is overruled by the environment (WARPBOOK_JOURNAL, ...), and that by the "
      "command line.");
}

}  // namespace warpbook::gateway
