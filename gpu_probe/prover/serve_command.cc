#include <atomic>
#include <filesystem>
#include <utility>

#include "absl/strings/str_cat.h"
#include "gpu_probe/prover/challenge_server.h"
#include "gpu_probe/prover/commands.h"
#include "gpu_probe/prover/json_text.h"
#include "gpu_probe/prover/record_file.h"
#include "gpu_probe/prover/stop_signals.h"
#include "schema/base/file.h"

namespace warpbook::probe {
namespace {

// Writes what is needed to verify it again, and the report, under the challenge's id. A challenge
// that came to no transcript has a report alone.
absl::Status Save(const std::string& folder, const ServedVerdict& served) {
  const std::string stem = absl::StrCat(folder, "/probe-", served.session.challenge().id);
  absl::Status status;
  if (!served.session.awaited()) {
    status.Update(
        WriteOutputFile(stem + ".record.json", ForPeople(EncodeRecord(served.session.record()))));
    status.Update(WriteOutputFile(stem + ".transcript", served.session.transcript()));
  }
  status.Update(WriteOutputFile(stem + ".report.json", ForPeople(served.report)));
  return status;
}

absl::StatusOr<ServerSettings> SettingsOf(const ServeOptions& options, const ClassTable& table) {
  ServerSettings settings{.asker = {.table = table,
                                    .hardware_class = options.hardware_class,
                                    .is_small = options.is_small,
                                    .patience = std::chrono::seconds(options.patience_seconds)},
                          .device_key = std::nullopt,
                          .gpus = static_cast<int32_t>(options.gpus),
                          .ends_after_first = options.once};
  const absl::Status checked = CheckSettings(settings.asker);
  if (!checked.ok()) return checked;
  if (options.any_device != options.device_key.empty()) {
    return absl::InvalidArgumentError("give --device-key or --any-device, and not both");
  }
  if (options.any_device) return settings;
  const auto key = Digest32FromHex(options.device_key);
  if (!key.ok()) {
    return absl::InvalidArgumentError(absl::StrCat("--device-key: ", key.status().message()));
  }
  settings.device_key = *key;
  return settings;
}

std::string ReadyLine(const TcpListener& listener, const ServeOptions& options) {
  const std::string host = options.listen.substr(0, options.listen.rfind(':'));
  return JsonObject()
             .Text("event", "listening")
             .Text("address", absl::StrCat(host, ":", listener.port()))
             .Integer("port", listener.port())
             .Text("class", options.hardware_class)
             .Flag("small_profile", options.is_small)
             .Build() +
         "\n";
}

std::string VerdictLine(const ServedVerdict& served, bool is_saved) {
  return JsonObject()
             .Text("event", "verdict")
             .Text("peer", served.peer)
             .Flag("saved", is_saved)
             .Raw("report", served.report)
             .Build() +
         "\n";
}

}  // namespace

int RunServe(const ServeOptions& options, const Program& program) {
  const absl::StatusOr<ClassTable> table = LoadClassTable(options.catalogue);
  if (!table.ok()) return Fail(program, kExitUsage, table.status());
  const absl::StatusOr<ServerSettings> settings = SettingsOf(options, *table);
  if (!settings.ok()) return Fail(program, kExitUsage, settings.status());
  std::error_code unknown;
  if (!options.record_folder.empty() &&
      !std::filesystem::is_directory(options.record_folder, unknown)) {
    return Fail(program, kExitUsage,
                absl::StrCat("--record-dir ", options.record_folder, ": not a folder"));
  }
  std::atomic<bool> stop = false;
  const StopSignals signals([&stop] { stop = true; });
  absl::StatusOr<TcpListener> listener =
      TcpListener::Listen(options.listen, options.listen_anywhere);
  if (!listener.ok()) {
    const bool is_usage = absl::IsInvalidArgument(listener.status());
    return Fail(program, is_usage ? kExitUsage : kExitFailed, listener.status());
  }
  std::optional<ExitCode> first;  // what the first verdict makes of --once
  const auto on_verdict = [&](const ServedVerdict& served) {
    if (!first) first = ExitCodeOfVerdict(served.verdict.refusal());
    absl::Status status;
    if (!options.record_folder.empty()) status = Save(options.record_folder, served);
    if (!status.ok()) Fail(program, kExitFailed, status);
    const bool is_saved = status.ok() && !options.record_folder.empty();
    if (Print(program, VerdictLine(served, is_saved), kExitOk) != kExitOk) {
      status.Update(absl::UnavailableError("cannot write to stdout"));
      stop = true;  // nobody hears of verdicts any more
    }
    return status;
  };
  const auto on_fault = [&program](const std::string& what) {
    Fail(program, kExitFailed, Shown(what));
  };
  const int printed = Print(program, ReadyLine(*listener, options), kExitOk);
  if (printed != kExitOk) return printed;
  ChallengeServer server(*settings, on_verdict, on_fault);
  const absl::Status served = server.Serve(*listener, stop);
  if (!served.ok()) return Fail(program, kExitFailed, served);
  if (!options.once) return kExitOk;
  return first ? *first : Fail(program, kExitFailed, "stopped before there was a verdict");
}

}  // namespace warpbook::probe
