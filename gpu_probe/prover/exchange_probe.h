// A node's proof to the exchange, by its API (probe.begin, probe.answer): over any connection of
// the node's account, whoever waits for its replies and however.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "gateway/client/client.h"
#include "gateway/client/json_value.h"
#include "gpu_probe/prover/node_prover.h"

namespace warpbook::probe {

// Of the device that proves itself.
struct ProvingNode {
  uint64_t id = 0;  // of capacity.register
  std::vector<GpuClaim> claims;
  // Whether it can do what is asked; InvalidArgument says why not.
  std::function<absl::Status(const Challenge& challenge)> check_size;
  MakeProver make;
  std::string prover;  // which program
  std::shared_ptr<const Ed25519PrivateKey> device_key;
};

// Calls a method; the handler comes once with the reply, or never where the connection is lost.
using CallMethod = std::function<void(std::string_view method, const std::string& params,
                                      std::function<void(const gateway::Reply& reply)> on_reply)>;
// Runs the function after so many microseconds.
using After = std::function<void(int64_t micros, std::function<void()> function)>;
// The verdict as the API has it ("passed", "reason", ...). FailedPrecondition with the code where a
// call was refused; DeadlineExceeded where the challenge expired while it was worked on;
// InvalidArgument where what is asked cannot be done or is malformed; or what a device failed of
// (devices.h), of which IsOfDevice is true.
using OnVerdict = std::function<void(const absl::StatusOr<gateway::JsonValue>& verdict)>;
bool IsOfDevice(const absl::Status& error);

// Begins a probe, gets the provers ready by the sizes that are asked, and answers all of it, on the
// thread on which the replies come: each answer is worked out there. Where the node's owner has
// others, they are waited for. `done` comes at most once.
void ProveToExchange(CallMethod call, After after, ProvingNode node, Progress progress,
                     OnVerdict done);

}  // namespace warpbook::probe
