// A proof of made-up GPUs by the program's own parts: what each fault of a device ends in.
#include "gpu_probe/prover/proving.h"

#include <doctest/doctest.h>

#include <atomic>
#include <functional>
#include <latch>
#include <mutex>
#include <sstream>
#include <thread>

#include "gpu_probe/prover/challenge_server.h"
#include "gpu_probe/prover/commands.h"
#include "gpu_probe/prover/cpu_prover.h"
#include "gpu_probe/prover/json_text.h"
#include "gpu_probe/prover/size_limits.h"
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
      // Made before there is a challenge: nothing was asked of the device.
      const bool had_challenge = where == &MadeUpDevices::on_gather;
      CHECK(served.verdicts.size() == (had_challenge ? 1 : 0));
    }
  }
}

// A verifier in this process, with what the test makes of its documents.
class EditingAsker : public OwnAsker {
 public:
  using OwnAsker::OwnAsker;
  std::function<void(Challenge&)> edit_sizes, edit_challenge;
  std::function<void()> on_challenge;

  absl::StatusOr<std::string> AskForSizes(const Ed25519PrivateKey& key, int32_t gpus) override {
    return Edited(SizesFor(key.public_key(), gpus), edit_sizes);
  }
  absl::StatusOr<std::string> AskForChallenge() override {
    if (on_challenge) on_challenge();
    return Edited(HandOut(), edit_challenge);
  }

 private:
  static std::string Edited(const std::string& document,
                            const std::function<void(Challenge&)>& edit) {
    Challenge challenge = DecodeChallenge(document).value();
    if (edit) edit(challenge);
    return EncodeChallenge(challenge);
  }
};

AskerSettings SmallSettings() {
  return {.table = Table(), .hardware_class = "H100-SXM", .is_small = true};
}
const Progress kSilent = [](std::string_view, int64_t, int64_t) {};

TEST_CASE("All provers are made, at the same time, before the challenge is asked for") {
  std::mutex alone;
  const AskerSettings settings = SmallSettings();
  EditingAsker asker(settings, alone);
  ProvingMachine machine = CpuMachine(3);
  // Each waits until all three are being made.
  std::latch all_there(3);
  std::atomic<int> made = 0;
  machine.make = [&](const GpuChallenge& challenge) {
    CHECK(challenge.nonce == Seed{});
    all_there.arrive_and_wait();
    ++made;
    return std::make_unique<CpuProver>(challenge);
  };
  int made_before = -1;
  asker.on_challenge = [&] { made_before = made; };
  const ProvingResult result = ProveTo(asker, machine, test::DeviceKey(), kSilent);
  CHECK(result.fault == ProvingResult::Fault::kNone);
  CHECK(asker.verdict().passed());
  CHECK(made_before == 3);
}

TEST_CASE("A challenge of other sizes than were announced is not answered") {
  const auto fault_of = [](const std::function<void(Challenge&)>& edit) {
    std::mutex alone;
    const AskerSettings settings = SmallSettings();
    EditingAsker asker(settings, alone);
    asker.edit_challenge = edit;
    const ProvingResult result = ProveTo(asker, CpuMachine(2), test::DeviceKey(), kSilent);
    CHECK((result.fault == ProvingResult::Fault::kNone || absl::IsInvalidArgument(result.status)));
    return result.fault;
  };
  using Fault = ProvingResult::Fault;
  CHECK(fault_of([](Challenge&) {}) == Fault::kNone);
  CHECK(fault_of([](Challenge& c) { c.size.compute.rounds += 1; }) == Fault::kAsker);
  CHECK(fault_of([](Challenge& c) { c.size.memory.legs += 1; }) == Fault::kAsker);
  CHECK(fault_of([](Challenge& c) { c.gpus = 1; }) == Fault::kAsker);
  CHECK(fault_of([](Challenge& c) { c.device_key = test::OtherKey().public_key(); }) ==
        Fault::kAsker);
}

TEST_CASE("Sizes for another key or another number of GPUs make no prover") {
  for (const std::function<void(Challenge&)>& edit :
       {std::function<void(Challenge&)>([](Challenge& c) { c.gpus = 3; }),
        std::function<void(Challenge&)>(
            [](Challenge& c) { c.device_key = test::OtherKey().public_key(); })}) {
    std::mutex alone;
    const AskerSettings settings = SmallSettings();
    EditingAsker asker(settings, alone);
    asker.edit_sizes = edit;
    ProvingMachine machine = CpuMachine(2);
    bool was_made = false;
    machine.make = [&was_made](const GpuChallenge&) {
      was_made = true;
      return absl::InternalError("made");
    };
    const ProvingResult result = ProveTo(asker, machine, test::DeviceKey(), kSilent);
    CHECK(result.fault == ProvingResult::Fault::kAsker);
    CHECK_FALSE(was_made);
  }
}

TEST_CASE("A challenge that has expired is not worked on any longer") {
  Challenge challenge = test::SmallChallenge();
  const auto fails_at = [&challenge](int64_t began_us, int64_t now_us) {
    NodeProver node = NodeProver::Create(EncodeChallenge(challenge), test::Claims(1), "test",
                                         test::DeviceKey().public_key())
                          .value();
    REQUIRE(node.Prepare(test::Make()).ok());
    ManualClock clock(began_us);
    REQUIRE(node.Begin(EncodeChallenge(challenge), clock).ok());
    clock.Set(now_us);
    return absl::IsDeadlineExceeded(
        node.Answer(ProbeStage::kProducts, {}, test::DeviceKey(), kSilent).status());
  };
  const int64_t end = challenge.expires_us;
  CHECK_FALSE(fails_at(test::kStartUs, end + kClockDoubtMicros));
  CHECK(fails_at(test::kStartUs, end + kClockDoubtMicros + 1));
  // By a clock that is wrong, or for a verifier that has all the time: not for ever.
  for (const int64_t expires : {int64_t{0}, INT64_MIN, INT64_MAX, end}) {
    challenge.expires_us = expires;
    const int64_t began = end + 1;
    CHECK_FALSE(fails_at(began, began + kAnsweringMicrosMax));
    CHECK(fails_at(began, began + kAnsweringMicrosMax + 1));
  }
}

TEST_CASE("A GPU takes on what a class asks for, and nothing beyond") {
  const ClassTable table = LoadClassTable("").value();
  Challenge challenge = test::SmallChallenge();
  CHECK(CheckForClasses(challenge, table).ok());
  for (const ClassRow& row : table.rows()) {
    if (!row.has_probe) continue;
    for (const int32_t gpus : {1, 8, kGpusProvedMax}) {
      challenge.size = SizesFor(row, gpus);
      CHECK(CheckForClasses(challenge, table).ok());
    }
  }
  const ProofSize largest = challenge.size;
  const auto refused = [&](const std::function<void(ProofSize&)>& edit) {
    challenge.size = largest;
    edit(challenge.size);
    CHECK(DecodeChallenge(EncodeChallenge(challenge)).ok());
    return absl::IsInvalidArgument(CheckForClasses(challenge, table));
  };
  CHECK(refused([](ProofSize& s) { s.compute.rounds = kRoundsMax; }));
  CHECK(refused([](ProofSize& s) { s.compute.m = kSideMax; }));
  CHECK(refused([](ProofSize& s) { s.compute.opened = kOpenedMax; }));
  CHECK(refused([](ProofSize& s) { s.memory.blocks = kArenaBlocksMax; }));
  CHECK(refused([](ProofSize& s) { s.memory.legs = kLegsMax; }));
  // The most that a document can ask for overflows nothing.
  challenge.size.compute = {
      .m = kSideMax, .n = kSideMax, .k = kSideMax, .rounds = kRoundsMax, .opened = kOpenedMax};
  CHECK(absl::IsInvalidArgument(CheckForClasses(challenge, table)));
}

TEST_CASE("A program's GPUs refuse a stranger's sizes before anything is made") {
  MadeUpDevices devices;
  const ClassRow huge{.name = "H100-SXM",
                      .int8_ops_per_s = int64_t{400'000'000'000'000'000},
                      .bytes_per_s = 3'000'000'000'000,
                      .memory_bytes = 80'000'000'000};
  const ClassTable table({huge});
  TcpListener listener = TcpListener::Listen("127.0.0.1:0", false).value();
  std::atomic<bool> stop = false;
  ChallengeServer server(
      {.asker = {.table = table, .hardware_class = "H100-SXM"}, .device_key = std::nullopt},
      [](const ServedVerdict&) { return absl::OkStatus(); }, [](const std::string&) {});
  std::jthread serving([&] { CHECK(server.Serve(listener, stop).ok()); });
  const warpbook::test::TemporaryDirectory directory;
  ProveOptions options;
  options.server = "127.0.0.1:" + std::to_string(listener.port());
  options.device_key = directory / "device.pem";
  std::ostringstream out;
  std::ostringstream error;
  CHECK(RunProve(options, {devices, out, error}) == kExitFailed);
  CHECK(error.str().find("more than any class") != std::string::npos);
  stop = true;
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
      ProveTo(asker, CpuMachine(3), test::DeviceKey(), [](std::string_view, int64_t, int64_t) {});
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
