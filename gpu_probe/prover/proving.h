// A proof from end to end, by whoever asks for it.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "gpu_probe/prover/asker.h"
#include "gpu_probe/prover/cpu_prover.h"
#include "gpu_probe/prover/node_prover.h"

namespace warpbook::probe {

// What proves itself.
struct ProvingMachine {
  MakeProver make;
  std::vector<GpuClaim> claims;  // of each GPU
  std::string name;              // of the program that answers
  // Whether it can do what is asked; InvalidArgument says why not.
  std::function<absl::Status(const Challenge& challenge)> check_size;
};

struct ProvingResult {
  enum class Fault : uint8_t {
    kNone,
    kAsker,   // the connection, or what is asked
    kDevice,  // what devices.h says of its errors
    kTime,    // the challenge expired while it was worked on
  };
  Fault fault = Fault::kNone;
  absl::Status status;
  std::string report{};      // the verdict, where there is no fault; as it came
  std::string transcript{};  // signed; "" where it was not come to
};

ProvingResult ProveTo(Asker& asker, const ProvingMachine& machine,
                      const Ed25519PrivateKey& device_key, const Progress& progress);

// The CPU's prover in the place of so many GPUs.
ProvingMachine CpuMachine(int32_t gpus);

}  // namespace warpbook::probe
