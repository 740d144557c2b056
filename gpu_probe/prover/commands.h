// The commands of `warpbook-probe`, each with what its command line said. They return the exit
// code.
#pragma once

#include <cstdint>
#include <ostream>
#include <string>

#include "absl/status/statusor.h"
#include "gpu_probe/prover/devices.h"
#include "gpu_probe/prover/driver_files.h"
#include "gpu_probe/prover/exit_code.h"
#include "gpu_probe/prover/nvml.h"
#include "gpu_probe/prover/stop_signals.h"
#include "gpu_probe/verifier/class_table.h"

namespace warpbook::probe {

// Where a command finds the GPUs, and where it writes.
struct Program {
  Devices& devices;
  std::ostream& out;    // JSON alone
  std::ostream& error;  // for people
  bool error_is_terminal = false;
};

struct InventoryOptions {
  std::string nvml_library = kNvmlLibrary;
  std::string driver_folder = kDriverFolder;
};
int RunInventory(const InventoryOptions& options, const Program& program);

struct BenchOptions {
  InventoryOptions inventory;
  bool on_cpu = false;
};
int RunBench(const BenchOptions& options, const Program& program);

struct ServeOptions {
  std::string listen = "127.0.0.1:7411";
  bool listen_anywhere = false;
  std::string hardware_class;
  std::string catalogue;  // "": the one that this program was built with
  int64_t gpus = 0;       // 0: as many as the prover offers
  std::string device_key;
  bool any_device = false;
  bool is_small = false;
  std::string record_folder;
  bool once = false;
  int64_t patience_seconds = 120;
};
int RunServe(const ServeOptions& options, const Program& program);

struct ProveOptions {
  std::string server;
  // The exchange, and as whom: the account's key, and the node to be proved.
  std::string exchange;
  std::string authorities_file;  // whom wss:// believes; "": the system's
  int64_t account = 0, node = 0;
  std::string account_key;
  bool on_itself = false;
  std::string device_key;
  bool on_cpu = false;
  int64_t gpus = 0;  // 0: all; on the CPU 1
  std::string transcript_file;
  std::string report_file;
  // For a proof to itself.
  std::string hardware_class = "H100-SXM";
  std::string catalogue;  // "": the one that this program was built with
};
int RunProve(const ProveOptions& options, const Program& program);

struct VerifyOptions {
  std::string record_file;
  std::string transcript_file;
  std::string report_file;
  std::string catalogue;
};
int RunVerify(const VerifyOptions& options, const Program& program);

// ---- What the commands share

// A message for people, with the program's name before it; the code.
int Fail(const Program& program, ExitCode code, const std::string& what);
int Fail(const Program& program, ExitCode code, const absl::Status& error);
// Writes it, flushed; kExitFailed instead of `code` where that does not succeed.
int Print(const Program& program, std::string_view json, ExitCode code);
// Ends the process with kExitFailed and that sentence when it is told to stop. Nothing is left
// behind half: files are written whole, and the driver clears up after a process. Made before the
// first thread is started, that of a driver too.
StopSignals EndWhenTold(const Program& program, const std::string& what);
// One object in one line, as people read it.
std::string ForPeople(const std::string& json);

// "": the catalogue that this program was built with.
absl::StatusOr<ClassTable> LoadClassTable(const std::string& catalogue_file);

// A file whole. Errors name the path.
absl::StatusOr<std::string> ReadInput(const std::string& path, size_t bytes_max);

}  // namespace warpbook::probe
