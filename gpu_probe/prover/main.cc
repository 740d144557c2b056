// `warpbook-probe`: proves GPUs to whoever asks, and asks.
#include <unistd.h>

#include <iostream>
#include <string>

#include "gpu_probe/prover/command_line.h"
#include "gpu_probe/prover/cuda_devices.h"

int main(int argc, char** argv) {
  warpbook::probe::CudaDevices devices([](const std::string& line) {
    // In one piece, beside those of other GPUs.
    std::cerr << "warpbook-probe: " + line + "\n" << std::flush;
  });
  return warpbook::probe::RunCommandLine(argc, argv,
                                         {.devices = devices,
                                          .out = std::cout,
                                          .error = std::cerr,
                                          .error_is_terminal = isatty(STDERR_FILENO) == 1});
}
