#include <filesystem>
#include <mutex>
#include <utility>

#include "absl/strings/str_cat.h"
#include "gpu_probe/prover/challenge_client.h"
#include "gpu_probe/prover/commands.h"
#include "gpu_probe/prover/json_text.h"
#include "gpu_probe/prover/own_asker.h"
#include "gpu_probe/prover/progress.h"
#include "gpu_probe/prover/proving.h"
#include "gpu_probe/prover/report.h"

namespace warpbook::probe {
namespace {

constexpr const char* kName = "warpbook-probe cuda";

absl::StatusOr<Ed25519PrivateKey> LoadOrMakeKey(const std::string& path) {
  std::error_code error;
  if (std::filesystem::exists(path, error)) return Ed25519PrivateKey::LoadPem(path);
  Ed25519PrivateKey key = Ed25519PrivateKey::Generate();
  const absl::Status saved = key.SavePem(path);
  if (!saved.ok()) return saved;
  return key;
}

// The machine's GPUs, the first so many of them.
absl::StatusOr<ProvingMachine> GpuNode(Devices& devices, int64_t gpus) {
  const absl::StatusOr<CudaGpus> found = devices.Find();
  if (!found.ok()) return found.status();
  const auto there = static_cast<int64_t>(found->gpus.size());
  const int64_t count = gpus == 0 ? std::min<int64_t>(there, kGpusProvedMax) : gpus;
  if (count > there || there == 0) {
    return absl::NotFoundError(
        absl::StrCat(count, " GPUs are to be proved, and there are ", there));
  }
  ProvingMachine node;
  node.name = kName;
  for (int64_t i = 0; i < count; ++i) {
    const CudaGpu& gpu = found->gpus[static_cast<size_t>(i)];
    node.claims.push_back({gpu.name, gpu.uuid, gpu.memory_bytes, gpu.is_slice});
  }
  node.make = [&devices](const GpuChallenge& challenge) {
    return devices.MakeProver(challenge, static_cast<int>(challenge.gpu));
  };
  node.check_size = [](const Challenge&) { return absl::OkStatus(); };
  return node;
}

absl::StatusOr<ProvingMachine> NodeOf(const ProveOptions& options, const Program& program) {
  if (options.on_cpu) return CpuNode(static_cast<int32_t>(std::max<int64_t>(options.gpus, 1)));
  return GpuNode(program.devices, options.gpus);
}

// The verdict and its reasons, for people.
void Say(const Program& program, const std::string& report, ProbeReason refusal) {
  std::string said = refusal == ProbeReason::kNone ? "passed" : "refused";
  const absl::StatusOr<JsonValue> value = JsonValue::Parse(report);
  if (!value.ok()) return;
  for (const JsonValue& item : (*value)["reasons"].items()) {
    const std::optional<ProbeReason> reason = ParseName<ProbeReason>(item["reason"].text());
    if (reason) absl::StrAppend(&said, "\nwarpbook-probe: ", std::string(SentenceOf(*reason)));
  }
  program.error << absl::StrCat("warpbook-probe: ", said, "\n") << std::flush;
}

// The code, with the files written that were asked for.
int Conclude(const ProveOptions& options, const Program& program, const ProvingResult& result) {
  if (result.fault != ProvingResult::Fault::kNone) {
    const bool is_device = result.fault == ProvingResult::Fault::kDevice;
    return Fail(program, is_device ? ExitCodeOfDevice(result.status) : kExitFailed, result.status);
  }
  const absl::StatusOr<ProbeReason> refusal = FirstRefusalOf(result.report);
  if (!refusal.ok()) return Fail(program, kExitFailed, refusal.status());
  ExitCode code = ExitCodeOfVerdict(*refusal);
  absl::Status written;
  if (!options.transcript_file.empty() && !result.transcript.empty()) {
    written.Update(WriteOutput(options.transcript_file, result.transcript));
  }
  const std::string report = ForPeople(result.report);
  if (!options.report_file.empty()) written.Update(WriteOutput(options.report_file, report));
  if (!written.ok()) {
    Fail(program, kExitFailed, written);
    if (code == kExitOk) code = kExitFailed;
  }
  Say(program, result.report, *refusal);
  return Print(program, report, code);
}

int ProveToServer(const ProveOptions& options, const Program& program, const ProvingMachine& node,
                  const Ed25519PrivateKey& key, const Progress& progress) {
  absl::StatusOr<ChallengeClient> client = ChallengeClient::Connect(options.server);
  if (!client.ok()) {
    const bool is_usage = absl::IsInvalidArgument(client.status());
    return Fail(program, is_usage ? kExitUsage : kExitFailed, client.status());
  }
  return Conclude(options, program, ProveTo(*client, node, key, progress));
}

int ProveToSelf(const ProveOptions& options, const Program& program, const ProvingMachine& node,
                const Ed25519PrivateKey& key, const Progress& progress) {
  const absl::StatusOr<ClassTable> table = LoadClassTable(options.catalogue);
  if (!table.ok()) return Fail(program, kExitUsage, table.status());
  const AskerSettings settings{.table = *table,
                               .hardware_class = options.hardware_class,
                               .is_small = options.on_cpu,
                               .clock = ReportClock::kOwn};
  const absl::Status checked = CheckSettings(settings);
  if (!checked.ok()) return Fail(program, kExitUsage, checked);
  program.error
      << "warpbook-probe: verified by this machine's own clock: proves nothing to others\n";
  std::mutex alone;
  OwnAsker asker(settings, alone);
  return Conclude(options, program, ProveTo(asker, node, key, progress));
}

}  // namespace

int RunProve(const ProveOptions& options, const Program& program) {
  if (options.on_itself != options.server.empty()) {
    return Fail(program, kExitUsage, "give --server or --self, and not both");
  }
  if (!options.on_itself && options.device_key.empty()) {
    return Fail(program, kExitUsage, "--server needs --device-key, the file of the device's key");
  }
  const StopSignals signals = EndWhenTold(program, "stopped by a signal; nothing was proved");
  const absl::StatusOr<ProvingMachine> node = NodeOf(options, program);
  if (!node.ok()) {
    return Fail(program, ExitCodeOfDevice(node.status()),
                absl::StrCat(node.status().message(), "; --cpu answers with the CPU reference"));
  }
  const absl::StatusOr<Ed25519PrivateKey> key = options.device_key.empty()
                                                    ? Ed25519PrivateKey::Generate()
                                                    : LoadOrMakeKey(options.device_key);
  if (!key.ok()) return Fail(program, kExitUsage, key.status());
  ProgressLines lines(program.error, program.error_is_terminal);
  const Progress progress = lines.ForProver();
  return options.on_itself ? ProveToSelf(options, program, *node, *key, progress)
                           : ProveToServer(options, program, *node, *key, progress);
}

}  // namespace warpbook::probe
