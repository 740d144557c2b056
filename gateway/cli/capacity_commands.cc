#include <iostream>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "gateway/cli/commands.h"
#include "gateway/cli/key_files.h"
#include "gateway/cli/print.h"
#include "gateway/cli/session.h"
#include "schema/base/json_object.h"
#include "schema/types/signed_messages.h"

namespace warpbook::gateway {
namespace {

struct Registration {
  std::string hardware_class, region, device_key;
  int64_t gpus = 8;
};

// The device's key signs that the account may register it; its file keeps the node's id beside it.
absl::Status Register(CliSession& session, const Registration& wanted) {
  const absl::StatusOr<Ed25519PrivateKey> device = LoadOrCreateKeyFile(wanted.device_key);
  if (!device.ok()) return device.status();
  const absl::StatusOr<std::string> server = session.ServerName();
  if (!server.ok()) return server.status();
  const auto signature = device->Sign(NodeMessage(*server, session.account()));
  const absl::StatusOr<JsonValue> result =
      session.Call("capacity.register", JsonObject()
                                            .Text("hardware_class", wanted.hardware_class)
                                            .Text("region", wanted.region)
                                            .Integer("gpus", wanted.gpus)
                                            .Text("device_key", PublicKeyHex(*device))
                                            .Text("signature", SignatureHex(signature))
                                            .Build());
  if (!result.ok()) return result.status();
  const absl::Status saved = SaveIdBeside(wanted.device_key, "node", (*result)["node"].id());
  if (saved.ok() && !session.json()) {
    std::cout << "node " << Cell((*result)["node"]) << ": " << wanted.gpus << " x "
              << wanted.hardware_class << " in " << wanted.region << ", device key "
              << wanted.device_key
              << "\nIt trades once it has proved itself (warpbook-probe prove --exchange), or an "
                 "operator "
                 "has approved its capacity.\n";
  }
  return saved;
}

absl::Status PrintNodes(CliSession& session) {
  const absl::StatusOr<JsonValue> answer = session.Call("account.nodes");
  if (!answer.ok() || session.json()) return answer.status();
  Table table({">node", "class", "region", ">gpus", ">approved", "assurance", "proved until",
               "to be proved by"});
  const auto time_or_none = [](const JsonValue& time) {
    return time.is_null() ? std::string("-") : FormatTime(time.integer());
  };
  for (const JsonValue& node : (*answer)["nodes"].items()) {
    table.Add({Cell(node["node"]), Cell(node["hardware_class"]), Cell(node["region"]),
               Cell(node["gpus"]), Cell(node["approved_gpus"]), Cell(node["assurance"]),
               time_or_none(node["proved_until"]), time_or_none(node["probe_due"])});
  }
  if (table.empty()) {
    std::cout << "no nodes\n";
  } else {
    table.Print(std::cout);
  }
  return absl::OkStatus();
}

struct Approval {
  int64_t node = 0, gpus = 0;
  std::string assurance = "verified";
};

absl::Status SetCapacity(CliSession& session, const Approval& wanted) {
  const absl::StatusOr<JsonValue> result =
      session.Call("capacity.set", JsonObject()
                                       .Id("node", static_cast<uint64_t>(wanted.node))
                                       .Integer("gpus", wanted.gpus)
                                       .Text("assurance", wanted.assurance)
                                       .Build());
  if (result.ok() && !session.json()) {
    std::cout << "node " << wanted.node << " has " << wanted.gpus << " GPUs, " << wanted.assurance
              << "\n";
  }
  return result.status();
}

}  // namespace

void AddCapacityCommands(Command& root) {
  Command capacity = root.Add("capacity", "Machines that deliver");

  Command registration = capacity.Add("register", "Register a machine under its own device key");
  const auto wanted = std::make_shared<Registration>();
  registration.Text("class,--class", wanted->hardware_class, "Hardware class, as H100-SXM")
      .Required();
  registration.Text("region,--region", wanted->region, "Region, as us-east").Required();
  registration.Integer("gpus,--gpus", wanted->gpus, "How many GPUs the machine has");
  registration.Text("--device-key", wanted->device_key,
                    "The device's key (PEM), made if it is not there; default: KEY.device");
  const auto options = std::make_shared<ClientOptions>();
  OnRunWithSession(registration, options, Speaker::kMember, [wanted, options](CliSession& session) {
    if (wanted->device_key.empty()) wanted->device_key = options->key + ".device";
    return Register(session, *wanted);
  });

  Command list = capacity.Add("list", "An account's machines");
  OnRunWithSession(list, std::make_shared<ClientOptions>(), Speaker::kMember, PrintNodes);

  Command set = capacity.Add("set", "Approve a machine's GPUs and assurance (operator)");
  const auto approval = std::make_shared<Approval>();
  set.Integer("node,--node", approval->node, "The node's id").Required();
  set.Integer("gpus,--gpus", approval->gpus, "How many of its GPUs count").Required();
  set.Text("--assurance", approval->assurance, "What is known of it")
      .OneOf({"attested", "verified", "listed"});
  OnRunWithSession(set, std::make_shared<ClientOptions>(), Speaker::kOperator,
                   [approval](CliSession& session) { return SetCapacity(session, *approval); });
}

}  // namespace warpbook::gateway
