#include "gpu_probe/prover/command_line.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <functional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"

namespace warpbook::probe {
namespace {

constexpr const char* kFooter =
    "Exit codes: 0 done, 1 anything that is none of these, 2 wrong usage, 3 no GPU or driver,\n"
    "4 driver too old, 5 hardware error, 6 below the class, 7 too late, 8 proof invalid.\n"
    "JSON goes to stdout, messages for people to stderr.";

// What the command line says, and what is to be run.
struct Parsed {
  InventoryOptions inventory;
  BenchOptions bench;
  ServeOptions serve;
  ProveOptions prove;
  VerifyOptions verify;
  std::function<int()> run;
};

std::vector<CLI::Option*> AddInventoryOptions(CLI::App& command, InventoryOptions& options) {
  return {command.add_option("--nvml-library", options.nvml_library, "NVIDIA's management library")
              ->capture_default_str(),
          command.add_option("--driver-folder", options.driver_folder, "The driver's own files")
              ->capture_default_str()};
}

CLI::Option* AddCatalogue(CLI::App& command, std::string& catalogue) {
  return command.add_option("--catalogue", catalogue,
                            "The catalogue of hardware classes (else the one built in)");
}

void AddInventory(CLI::App& app, Parsed& parsed, const Program& program) {
  CLI::App* const command = app.add_subcommand(
      "inventory", "The GPUs by CUDA, NVML and the driver's files, and where these differ");
  AddInventoryOptions(*command, parsed.inventory);
  command->callback([&] { parsed.run = [&] { return RunInventory(parsed.inventory, program); }; });
}

void AddBench(CLI::App& app, Parsed& parsed, const Program& program) {
  CLI::App* const command =
      app.add_subcommand("bench", "Benchmarks of each GPU by its own clock: unproven");
  CLI::Option* const on_cpu =
      command->add_flag("--cpu", parsed.bench.on_cpu, "Measure the CPU reference instead");
  for (CLI::Option* const option : AddInventoryOptions(*command, parsed.bench.inventory)) {
    on_cpu->excludes(option);
  }
  command->callback([&] { parsed.run = [&] { return RunBench(parsed.bench, program); }; });
}

void AddServe(CLI::App& app, Parsed& parsed, const Program& program) {
  CLI::App* const command = app.add_subcommand(
      "serve-challenge", "A verifier that needs no GPU: asks each connection for a proof");
  ServeOptions& options = parsed.serve;
  command->add_option("--listen", options.listen, "Address and port; port 0: any that is free")
      ->capture_default_str();
  command->add_flag("--listen-anywhere", options.listen_anywhere,
                    "Also on an address that is not a loopback address");
  command->add_option("--class", options.hardware_class, "The hardware class to be proved")
      ->required();
  AddCatalogue(*command, options.catalogue);
  command->add_option("--gpus", options.gpus, "How many GPUs (else as many as are offered)")
      ->check(CLI::Range(1, kGpusProvedMax));
  command->add_option("--device-key", options.device_key,
                      "The public key, 64 hex digits, whose proof it has to be");
  command->add_flag("--any-device", options.any_device, "Whoever comes");
  command->add_flag("--small", options.is_small,
                    "Sizes of a demonstration, which a CPU answers: nothing is proved of a class");
  command->add_option("--record-dir", options.record_folder,
                      "Where records, transcripts and reports are written");
  command->add_flag("--once", options.once, "End after the first verdict, with its exit code");
  command
      ->add_option("--patience-seconds", options.patience_seconds,
                   "From the challenge to the whole answer")
      ->check(CLI::Range(1, 3'600))
      ->capture_default_str();
  command->callback([&] { parsed.run = [&] { return RunServe(parsed.serve, program); }; });
}

void AddProve(CLI::App& app, Parsed& parsed, const Program& program) {
  CLI::App* const command =
      app.add_subcommand("prove", "Answer a verifier's challenge with this machine's GPUs");
  ProveOptions& options = parsed.prove;
  command->add_option("--server", options.server, "The verifier's address and port");
  CLI::Option* const exchange = command->add_option(
      "--exchange", options.exchange,
      "The exchange's address (host:port, ws:// or wss://), which then decides what "
      "the node may sell");
  // What one target alone understands is refused with the others.
  command
      ->add_option("--authorities", options.authorities_file,
                   "With --exchange: whom wss:// believes (PEM); else the system's")
      ->needs(exchange);
  command
      ->add_option("--account", options.account,
                   "With --exchange: the node's account; else as in KEY.account")
      ->check(CLI::PositiveNumber)
      ->needs(exchange);
  command->add_option("--key", options.account_key, "With --exchange: the account's key (PEM)")
      ->needs(exchange);
  command
      ->add_option("--node", options.node,
                   "With --exchange: the node, as registered; else as in DEVICE_KEY.node")
      ->check(CLI::PositiveNumber)
      ->needs(exchange);
  CLI::Option* const self =
      command->add_flag("--self", options.on_itself,
                        "Verify it in this process, by its own clock: proves nothing to others");
  command->add_option("--device-key", options.device_key,
                      "File (PEM) of the device's key; made if it is not there");
  command->add_flag("--cpu", options.on_cpu, "Answer with the CPU reference: small sizes alone");
  command->add_option("--gpus", options.gpus, "Only the first so many GPUs")
      ->check(CLI::Range(1, kGpusProvedMax));
  command->add_option("--transcript", options.transcript_file, "Where the transcript is written");
  command->add_option("--report", options.report_file, "Where the verdict's report is written");
  command->add_option("--class", options.hardware_class, "With --self: the class to be proved")
      ->capture_default_str()
      ->needs(self);
  AddCatalogue(*command, options.catalogue)->needs(self);
  command->callback([&] { parsed.run = [&] { return RunProve(parsed.prove, program); }; });
}

void AddVerify(CLI::App& app, Parsed& parsed, const Program& program) {
  CLI::App* const command =
      app.add_subcommand("verify", "Verify a transcript again by the verifier's record");
  VerifyOptions& options = parsed.verify;
  command->add_option("--record", options.record_file, "The verifier's record")->required();
  command->add_option("--transcript", options.transcript_file, "The transcript")->required();
  command->add_option("--report", options.report_file, "A report to be held against both");
  AddCatalogue(*command, options.catalogue);
  command->callback([&] { parsed.run = [&] { return RunVerify(parsed.verify, program); }; });
}

}  // namespace

int RunCommandLine(int argc, const char* const* argv, const Program& program) {
  CLI::App app("Proves to a verifier without a GPU that GPUs are there, and verifies it.",
               "warpbook-probe");
  app.require_subcommand(1);
  app.footer(kFooter);
  Parsed parsed;
  AddInventory(app, parsed, program);
  AddBench(app, parsed, program);
  AddServe(app, parsed, program);
  AddProve(app, parsed, program);
  AddVerify(app, parsed, program);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& fault) {
    if (fault.get_exit_code() == 0) {
      app.exit(fault, program.out, program.error);
      return Print(program, "", kExitOk);
    }
    std::string what = fault.what();
    std::replace(what.begin(), what.end(), '\n', ' ');
    const std::vector<std::string> unknown = app.remaining();
    if (app.get_subcommands().empty() && !unknown.empty()) {
      what = absl::StrCat("unknown command \"", unknown.front(), "\"");
    }
    return Fail(program, kExitUsage, absl::StrCat(what, "; see warpbook-probe --help"));
  }
  // After parsing: an exception of a command is none of the command line.
  return parsed.run();
}

}  // namespace warpbook::probe
