#include <memory>

#include "gateway/cli/commands.h"
#include "gateway/cli/demo/demo.h"
#include "gateway/cli/session.h"
#include "gateway/cli/stop_signals.h"

namespace warpbook::gateway {

void AddDemoCommand(Command& root) {
  const auto options = std::make_shared<DemoOptions>();
  Command demo = root.Add(
      "demo",
      "Trade: providers and buyers with their own keys, and an operator, on an exchange whose "
      "--probe-profile is small");
  demo.Text("--connect", options->connect, "Address of the gateway")
      .Environment("WARPBOOK_CONNECT");
  demo.Text("--admin", options->admin, "Address of the gateway's admin listener")
      .Environment("WARPBOOK_ADMIN");
  demo.Text("--operator-key", options->operator_key, "The operator's key (PEM)")
      .Environment("WARPBOOK_OPERATOR_KEY")
      .Required();
  demo.Text("--operator-account", options->operator_account,
            "The operator's account; default: the one beside the key, or 1");
  demo.Text("--keys-dir,--keys-directory", options->keys_directory,
            "Directory of the members' keys and accounts, kept from run to run")
      .Required();
  demo.Integer("--seconds", options->seconds, "Stop after so long; 0: at SIGINT or SIGTERM")
      .Range(0, 10'000'000);
  demo.Integer("--linger", options->linger_seconds,
               "Go on delivering for so long after the last order")
      .Range(0, 10'000'000);
  demo.Integer("--providers", options->providers, "Providers").Range(1, 500);
  demo.Integer("--buyers", options->buyers, "Buyers").Range(1, 500);
  demo.Integer("--actions-per-second", options->actions_per_second,
               "Orders, amends and cancels of all members together")
      .Range(1, 10'000);
  demo.Integer("--seed", options->seed, "Of the chance in what members do");
  demo.Text("--summary", options->summary_file, "Write counts as JSON here at the end");
  demo.Text("--acknowledged", options->acknowledged_file,
            "Append each acknowledged order here, as it happens: its id, account and client id");
  demo.OnRun([options] {
    BlockStopSignals();
    return Finish(RunDemo(*options));
  });
}

}  // namespace warpbook::gateway
