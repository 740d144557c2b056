#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "gateway/client/client.h"
#include "gpu_probe/prover/challenge_client.h"
#include "gpu_probe/prover/commands.h"
#include "gpu_probe/prover/exchange_probe.h"
#include "gpu_probe/prover/json_text.h"
#include "gpu_probe/prover/own_asker.h"
#include "gpu_probe/prover/progress.h"
#include "gpu_probe/prover/proving.h"
#include "gpu_probe/prover/report.h"
#include "gpu_probe/prover/size_limits.h"
#include "schema/base/file.h"
#include "schema/base/json_object.h"
#include "schema/types/reject_reason.h"

namespace warpbook::probe {
namespace {

constexpr const char* kName = "warpbook-probe cuda";
constexpr size_t kAuthoritiesBytesMax = size_t{16} << 20;

Ed25519PrivateKey Said(const std::string& path, std::string_view what, Ed25519PrivateKey key,
                       const Program& program) {
  program.error << absl::StrCat("warpbook-probe: device key ", path, std::string(what),
                                "; its public key is ", Hex(key.public_key()), "\n")
                << std::flush;
  return key;
}

// The device's key, and what to end with where there is none. Its public half is said, so that a
// verifier can be told.
struct DeviceKey {
  absl::StatusOr<Ed25519PrivateKey> key;
  ExitCode code = kExitOk;
};
DeviceKey LoadOrMakeKey(const std::string& path, const Program& program) {
  if (path.empty()) return {.key = Ed25519PrivateKey::Generate()};
  std::error_code error;
  const bool is_there = std::filesystem::exists(path, error);
  if (is_there) {
    absl::StatusOr<Ed25519PrivateKey> loaded = Ed25519PrivateKey::LoadPem(path);
    if (!loaded.ok()) return {.key = loaded.status(), .code = kExitUsage};
    return {.key = Said(path, "", *std::move(loaded), program)};
  }
  Ed25519PrivateKey made = Ed25519PrivateKey::Generate();
  const absl::Status saved = made.SavePem(path);
  if (!saved.ok()) return {.key = saved, .code = kExitFailed};
  return {.key = Said(path, ", new", std::move(made), program)};
}

// The machine's GPUs, the first so many of them, and what they take on: no more than a class of the
// table asks for.
absl::StatusOr<ProvingMachine> GpuMachine(Devices& devices, int64_t gpus, const ClassTable& table) {
  const absl::StatusOr<CudaGpus> found = devices.Find();
  if (!found.ok()) return found.status();
  const auto there = static_cast<int64_t>(found->gpus.size());
  const int64_t count = gpus == 0 ? std::min<int64_t>(there, kGpusProvedMax) : gpus;
  if (count > there || there == 0) {
    return absl::NotFoundError(
        absl::StrCat(count, " GPUs are to be proved, and there are ", there));
  }
  ProvingMachine machine;
  machine.name = kName;
  for (int64_t i = 0; i < count; ++i) {
    const CudaGpu& gpu = found->gpus[static_cast<size_t>(i)];
    machine.claims.push_back({gpu.name, gpu.uuid, gpu.memory_bytes, gpu.is_slice});
  }
  machine.make = [&devices](const GpuChallenge& challenge) {
    return devices.MakeProver(challenge, static_cast<int>(challenge.gpu));
  };
  machine.check_size = [&table](const Challenge& challenge) {
    return CheckForClasses(challenge, table);
  };
  return machine;
}

absl::StatusOr<ProvingMachine> MachineOf(const ProveOptions& options, const Program& program,
                                         const ClassTable& table) {
  if (options.on_cpu) return CpuMachine(static_cast<int32_t>(std::max<int64_t>(options.gpus, 1)));
  return GpuMachine(program.devices, options.gpus, table);
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
  switch (result.fault) {
    case ProvingResult::Fault::kNone:
      break;
    case ProvingResult::Fault::kAsker:
      return Fail(program, kExitFailed, result.status);
    case ProvingResult::Fault::kDevice:
      return Fail(program, ExitCodeOfDevice(result.status), result.status);
    case ProvingResult::Fault::kTime:
      return Fail(program, kExitTooLate, result.status);
  }
  const absl::StatusOr<ProbeReason> refusal = FirstRefusalOf(result.report);
  if (!refusal.ok()) return Fail(program, kExitFailed, refusal.status());
  ExitCode code = ExitCodeOfVerdict(*refusal);
  absl::Status written;
  if (!options.transcript_file.empty() && !result.transcript.empty()) {
    written.Update(WriteOutputFile(options.transcript_file, result.transcript));
  }
  const std::string report = ForPeople(result.report);
  if (!options.report_file.empty()) written.Update(WriteOutputFile(options.report_file, report));
  if (!written.ok()) {
    Fail(program, kExitFailed, written);
    if (code == kExitOk) code = kExitFailed;
  }
  Say(program, result.report, *refusal);
  return Print(program, report, code);
}

int ProveToServer(const ProveOptions& options, const Program& program,
                  const ProvingMachine& machine, const Ed25519PrivateKey& key,
                  const Progress& progress) {
  absl::StatusOr<ChallengeClient> client = ChallengeClient::Connect(options.server);
  if (!client.ok()) {
    const bool is_usage = absl::IsInvalidArgument(client.status());
    return Fail(program, is_usage ? kExitUsage : kExitFailed, client.status());
  }
  return Conclude(options, program, ProveTo(*client, machine, key, progress));
}

int ProveToSelf(const ProveOptions& options, const Program& program, const ProvingMachine& machine,
                const Ed25519PrivateKey& key, const AskerSettings& settings,
                const Progress& progress) {
  program.error
      << "warpbook-probe: verified by this machine's own clock: proves nothing to others\n";
  std::mutex alone;
  OwnAsker asker(settings, alone);
  return Conclude(options, program, ProveTo(asker, machine, key, progress));
}

// What the exchange is asked for by, one call after the other. The first fault of the connection.
struct ExchangeCalls {
  gateway::Client& client;
  absl::Status lost;

  void operator()(std::string_view method, const std::string& params,
                  const std::function<void(const gateway::Reply&)>& on_reply) {
    const absl::StatusOr<gateway::Reply> reply = client.Call(method, params);
    if (reply.ok()) return on_reply(*reply);
    lost.Update(reply.status());
  }
};

int ConcludeExchange(const ProveOptions& options, const Program& program,
                     const gateway::JsonValue& verdict) {
  const auto reason = ParseName<ProbeReason>(verdict["reason"].text());
  if (!reason) return Fail(program, kExitFailed, "the exchange's verdict is not understood");
  JsonObject report;
  report.Text("proved_to", options.exchange).Id("node", static_cast<uint64_t>(options.node));
  report.Flag("passed", *reason == ProbeReason::kNone).Text("reason", Name(*reason));
  for (const char* field :
       {"gpus", "share_bps", "int8_ops_per_s", "bytes_per_s", "memory_bytes", "proved_until"}) {
    report.Integer(field, verdict[field].integer());
  }
  program.error << "warpbook-probe: "
                << (*reason == ProbeReason::kNone ? std::string("passed") : SentenceOf(*reason))
                << "\n";
  for (const gateway::JsonValue& item : verdict["flags"].items()) {
    const auto flag = ParseName<ProbeReason>(item.text());
    if (flag) program.error << "warpbook-probe: " << SentenceOf(*flag) << "\n";
  }
  return Print(program, ForPeople(report.Build()), ExitCodeOfVerdict(*reason));
}

ExitCode ExitCodeOfExchange(const absl::Status& fault) {
  if (IsOfDevice(fault)) return ExitCodeOfDevice(fault);
  const bool is_late =
      absl::IsDeadlineExceeded(fault) ||
      std::string(fault.message()) == RejectReasonCode(RejectReason::kChallengeExpired);
  return is_late ? kExitTooLate : kExitFailed;
}

int ProveToTheExchange(const ProveOptions& options, const Program& program,
                       const ProvingMachine& machine, Ed25519PrivateKey device_key,
                       const Progress& progress) {
  const absl::StatusOr<Ed25519PrivateKey> key = Ed25519PrivateKey::LoadPem(options.account_key);
  if (!key.ok()) return Fail(program, kExitUsage, key.status());
  gateway::ConnectOptions connect;
  connect.address = options.exchange;
  connect.authorities_file = options.authorities_file;
  // A full proof is verified in seconds, behind those of others.
  connect.call_timeout = std::chrono::minutes(2);
  const absl::StatusOr<std::unique_ptr<gateway::Client>> client = gateway::Client::Connect(connect);
  if (!client.ok()) {
    const bool is_usage = absl::IsInvalidArgument(client.status());
    return Fail(program, is_usage ? kExitUsage : kExitFailed, client.status());
  }
  const absl::StatusOr<gateway::Reply> logon =
      (*client)->Logon(AccountId(static_cast<uint64_t>(options.account)), *key);
  if (!logon.ok()) return Fail(program, kExitFailed, logon.status());
  if (!logon->success) return Fail(program, kExitFailed, gateway::ReplyStatus(*logon));

  ExchangeCalls calls{**client, {}};
  absl::StatusOr<gateway::JsonValue> verdict = absl::UnavailableError("no verdict came");
  const auto after = [](int64_t micros, const std::function<void()>& function) {
    std::this_thread::sleep_for(std::chrono::microseconds(micros));
    function();
  };
  ProveToExchange(std::ref(calls), after,
                  {.id = static_cast<uint64_t>(options.node),
                   .claims = machine.claims,
                   .check_size = machine.check_size,
                   .make = machine.make,
                   .prover = machine.name,
                   .device_key = std::make_shared<const Ed25519PrivateKey>(std::move(device_key))},
                  progress,
                  [&](const absl::StatusOr<gateway::JsonValue>& came) { verdict = came; });
  if (!calls.lost.ok()) return Fail(program, kExitFailed, calls.lost);
  if (verdict.ok()) return ConcludeExchange(options, program, *verdict);
  return Fail(program, ExitCodeOfExchange(verdict.status()), verdict.status());
}

// The number that `warpbook` keeps beside a key, in KEY.account and DEVICE_KEY.node; 0: none.
int64_t NumberBeside(const std::string& key_file, const char* what) {
  constexpr size_t kDigitsMax = 32;
  const absl::StatusOr<std::string> text = ReadInput(absl::StrCat(key_file, ".", what), kDigitsMax);
  int64_t number = 0;
  return text.ok() && absl::SimpleAtoi(*text, &number) ? std::max<int64_t>(number, 0) : 0;
}

// What was not given, from the files where it is.
ProveOptions Completed(ProveOptions options) {
  if (options.exchange.empty()) return options;
  if (options.account == 0) options.account = NumberBeside(options.account_key, "account");
  if (options.node == 0) options.node = NumberBeside(options.device_key, "node");
  return options;
}

// How it says to whom it is proved, or why that is not clear.
absl::Status CheckTarget(const ProveOptions& options) {
  const int targets = static_cast<int>(options.on_itself) +
                      static_cast<int>(!options.server.empty()) +
                      static_cast<int>(!options.exchange.empty());
  if (targets != 1) {
    return absl::InvalidArgumentError("give one of --server, --exchange and --self");
  }
  if (!options.on_itself && options.device_key.empty()) {
    return absl::InvalidArgumentError(
        "--server and --exchange need --device-key, the file of the device's key");
  }
  if (options.exchange.empty()) return absl::OkStatus();
  if (options.account == 0 || options.node == 0 || options.account_key.empty()) {
    return absl::InvalidArgumentError(
        "--exchange needs --key, and --account and --node where KEY.account and DEVICE_KEY.node "
        "are not there");
  }
  if (!options.authorities_file.empty()) {
    const absl::StatusOr<std::string> read =
        ReadInput(options.authorities_file, kAuthoritiesBytesMax);
    if (!read.ok()) return read.status();
  }
  if (!options.transcript_file.empty() || !options.report_file.empty()) {
    return absl::InvalidArgumentError("--exchange writes no files: its verdict is in the journal");
  }
  return absl::OkStatus();
}

}  // namespace

int RunProve(const ProveOptions& given, const Program& program) {
  const ProveOptions options = Completed(given);
  const absl::Status target = CheckTarget(options);
  if (!target.ok()) return Fail(program, kExitUsage, target);
  const absl::StatusOr<ClassTable> table = LoadClassTable(options.catalogue);
  if (!table.ok()) return Fail(program, kExitUsage, table.status());
  const AskerSettings settings{.table = *table,
                               .hardware_class = options.hardware_class,
                               .is_small = options.on_cpu,
                               .clock = ReportClock::kOwn};
  const absl::Status checked = options.on_itself ? CheckSettings(settings) : absl::OkStatus();
  if (!checked.ok()) return Fail(program, kExitUsage, checked);
  const StopSignals signals = EndWhenTold(program, "stopped by a signal; nothing was proved");
  const absl::StatusOr<ProvingMachine> machine = MachineOf(options, program, *table);
  if (!machine.ok()) {
    return Fail(program, ExitCodeOfDevice(machine.status()),
                absl::StrCat(machine.status().message(), "; --cpu answers with the CPU reference"));
  }
  DeviceKey device = LoadOrMakeKey(options.device_key, program);
  if (!device.key.ok()) return Fail(program, device.code, device.key.status());
  ProgressLines lines(program.error, program.error_is_terminal);
  const Progress progress = lines.ForProver();
  if (!options.exchange.empty()) {
    return ProveToTheExchange(options, program, *machine, *std::move(device.key), progress);
  }
  return options.on_itself
             ? ProveToSelf(options, program, *machine, *device.key, settings, progress)
             : ProveToServer(options, program, *machine, *device.key, progress);
}

}  // namespace warpbook::probe
