// A proof of made-up GPUs by the program's own parts: what each fault of a device ends in.
#include "gpu_probe/prover/proving.h"

#include <doctest/doctest.h>

#include <mutex>
#include <sstream>
#include <thread>

#include "gpu_probe/prover/challenge_server.h"
#include "gpu_probe/prover/commands.h"
#include "gpu_probe/prover/cpu_prover.h"
#include "gpu_probe/prover/json_text.h"
#include "tests/gpu_probe/support/proving.h"
#include "tests/support/temporary_directory.h"

namespace warpbook::probe {
namespace {

const ClassTable& Table() {
  static const ClassTable table({test::TestRow("H100-SXM")});
  return table;
}

// GPUs that the CPU stands for, and that fail as the test says.
class MadeUpDevices : public Devices {
 public:
  absl::Status on_find, on_make, on_gather;
  int gpus = 2;

  absl::StatusOr<CudaGpus> Find() override {
    if (!on_find.ok()) return on_find;
    CudaGpus found;
    for (int i = 0; i < gpus; ++i) {
      found.gpus.push_back({.name = "NVIDIA H100 80GB HBM3",
                            .uuid = "GPU-" + std::to_string(i),
                            .bus_id = "",
                            .memory_bytes = 85'000'000'000});
    }
    return found;
  }
  absl::StatusOr<std::unique_ptr<Prover>> MakeProver(const GpuChallenge& challenge,
                                                     int device) override {
    CHECK(challenge.gpu == static_cast<uint32_t>(device));
    if (!on_make.ok()) return on_make;
    return std::make_unique<Failing>(challenge, on_gather);
  }
  absl::StatusOr<std::vector<BenchFigure>> Bench(int, const Progress&) override {
    return absl::UnimplementedError("no benchmarks");
  }

 private:
  class Failing : public CpuProver {
   public:
    Failing(const GpuChallenge& challenge, absl::Status on_gather)
        : CpuProver(challenge), on_gather_(std::move(on_gather)) {}
    absl::StatusOr<Sha256Digest> Gather(const Seed& seed, const Progress& progress) override {
      if (!on_gather_.ok()) return on_gather_;
      return CpuProver::Gather(seed, progress);
    }

   private:
    const absl::Status on_gather_;
  };
};

// A server for one proof, and what the program makes of it.
struct Served {
  int code = 0;
  std::string out, error;
  std::vector<ProbeReason> verdicts;
};
Served ProveAgainst(MadeUpDevices& devices, int64_t gpus = 0) {
  ProveOptions options;
  options.gpus = gpus;
  Served served;
  TcpListener listener = TcpListener::Listen("127.0.0.1:0", false).value();
  std::atomic<bool> stop = false;
  ChallengeServer server(
      {.asker = {.table = Table(), .hardware_class = "H100-SXM", .is_small = true},
       .device_key = std::nullopt},
      [&served](const ServedVerdict& verdict) {
        served.verdicts.push_back(verdict.verdict.refusal());
        return absl::OkStatus();
      },
      [](const std::string&) {});
  std::jthread serving([&] { CHECK(server.Serve(listener, stop).ok()); });
  const warpbook::test::TemporaryDirectory directory;
  options.server = "127.0.0.1:" + std::to_string(listener.port());
  options.device_key = directory / "device.pem";
  std::ostringstream out;
  std::ostringstream error;
  served.code = RunProve(options, {devices, out, error});
  served.out = out.str();
  served.error = error.str();
  stop = true;
  serving.join();
  return served;
}

TEST_CASE("All GPUs of a machine are proved at once, with what they claim of themselves") {
  MadeUpDevices devices;
  const Served served = ProveAgainst(devices);
  CHECK(served.code == kExitOk);
  CHECK(served.verdicts == std::vector{ProbeReason::kNone});
  const JsonValue report = JsonValue::Parse(served.out).value();
  REQUIRE(report["gpus_claimed"].items().size() == 2);
  CHECK(report["gpus_claimed"].items()[1]["uuid"].text() == "GPU-1");
  CHECK(report["prover_claimed"].text() == "warpbook-probe cuda");
}

TEST_CASE("Fewer GPUs are proved where that is asked for, and not more than there are") {
  MadeUpDevices devices;
  Served served = ProveAgainst(devices, 1);
  CHECK(served.code == kExitOk);
  CHECK(JsonValue::Parse(served.out).value()["gpus_claimed"].items().size() == 1);
  served = ProveAgainst(devices, 3);
  CHECK(served.code == kExitNoGpu);
  CHECK(served.verdicts.empty());
}

TEST_CASE("Each fault of a device ends in its exit code, wherever it comes") {
  const std::vector<std::pair<absl::Status, int>> faults = {
      {absl::NotFoundError("no GPU"), kExitNoGpu},
      {absl::UnimplementedError("this build has no CUDA"), kExitNoGpu},
      {absl::FailedPreconditionError("driver too old"), kExitDriverOld},
      {absl::DataLossError("hardware error"), kExitHardware},
      {absl::ResourceExhaustedError("out of memory"), kExitFailed}};
  for (const auto& [fault, code] : faults) {
    for (absl::Status MadeUpDevices::*where :
         {&MadeUpDevices::on_find, &MadeUpDevices::on_make, &MadeUpDevices::on_gather}) {
      MadeUpDevices devices;
      devices.*where = fault;
      const Served served = ProveAgainst(devices);
      CHECK(served.code == code);
      CHECK(served.out.empty());
      CHECK(served.error.find(std::string(fault.message())) != std::string::npos);
      const bool had_challenge = where != &MadeUpDevices::on_find;
      CHECK(served.verdicts.size() == (had_challenge ? 1 : 0));
    }
  }
}

TEST_CASE("A CPU takes on small challenges alone, and names its limits") {
  Challenge challenge = test::SmallChallenge();
  CHECK(CheckForCpu(challenge).ok());
  challenge.gpus = kGpusProvedMax;
  CHECK(CheckForCpu(challenge).ok());
  const ClassRow row{.name = "X",
                     .int8_ops_per_s = 1'000'000'000'000'000,
                     .bytes_per_s = 3'000'000'000'000,
                     .memory_bytes = 80'000'000'000};
  challenge.size = SizesFor(row, 1);
  CHECK(absl::IsInvalidArgument(CheckForCpu(challenge)));
  challenge.size = SmallProfile();
  challenge.size.memory = {.blocks = kArenaBlocksMax,
                           .columns = kColumnsMax,
                           .passes = 1,
                           .walks = kWalksPerLeaf,
                           .legs = 1,
                           .opened = 1};
  challenge.gpus = kGpusMax;
  const absl::Status refused = CheckForCpu(challenge);
  CHECK(absl::IsInvalidArgument(refused));
  CHECK(refused.message().find("the limit is") != std::string::npos);
}

TEST_CASE("A proof to oneself holds and says whose clock it was") {
  std::mutex alone;
  const AskerSettings settings{
      .table = Table(), .hardware_class = "H100-SXM", .is_small = true, .clock = ReportClock::kOwn};
  REQUIRE(CheckSettings(settings).ok());
  OwnAsker asker(settings, alone);
  const ProvingResult result =
      ProveTo(asker, CpuNode(3), test::DeviceKey(), [](std::string_view, int64_t, int64_t) {});
  REQUIRE(result.fault == ProvingResult::Fault::kNone);
  CHECK(asker.verdict().passed());
  CHECK(result.report.find("proves nothing to others") != std::string::npos);
  CHECK(result.transcript == asker.session().transcript());
}

TEST_CASE("A class that the table has not, or that no probe proves, cannot be asked for") {
  ClassRow unproved = test::TestRow("MI300X");
  unproved.has_probe = false;
  const ClassTable table({unproved, test::TestRow("H200")});
  const auto check = [&table](const std::string& name) {
    return CheckSettings({.table = table, .hardware_class = name});
  };
  CHECK(check("H200").ok());
  CHECK(absl::IsInvalidArgument(check("MI300X")));
  CHECK(absl::IsInvalidArgument(check("")));
  CHECK(check("H900").message().find("it has H200") != std::string::npos);
}

TEST_CASE("The catalogue that the program was built with can be read") {
  const auto table = LoadClassTable("");
  REQUIRE(table.ok());
  CHECK(table->Find("H100-SXM") != nullptr);
}

}  // namespace
}  // namespace warpbook::probe
