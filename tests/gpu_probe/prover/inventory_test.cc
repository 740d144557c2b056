#include "gpu_probe/prover/inventory.h"

#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "gpu_probe/prover/commands.h"
#include "gpu_probe/prover/cuda_devices.h"
#include "gpu_probe/prover/device_error.h"
#include "gpu_probe/prover/json_text.h"
#include "tests/support/temporary_directory.h"

namespace warpbook::probe {
namespace {

constexpr const char* kMadeUp = WARPBOOK_MADE_UP_NVML;

// What the made-up library has, for the time of a test.
class MadeUp {
 public:
  explicit MadeUp(int gpus, const char* fault = "", const char* name = "NVIDIA H100 80GB HBM3") {
    setenv("MADE_UP_GPUS", std::to_string(gpus).c_str(), 1);
    setenv("MADE_UP_FAULT", fault, 1);
    setenv("MADE_UP_NAME", name, 1);
  }
};

class MadeUpDevices : public Devices {
 public:
  absl::StatusOr<CudaGpus> Find() override { return FindCudaGpus(kMadeUp, NeedsOf(0)); }
  absl::StatusOr<std::unique_ptr<Prover>> MakeProver(const GpuChallenge&, int) override {
    return absl::UnimplementedError("no prover");
  }
  absl::StatusOr<std::vector<BenchFigure>> Bench(int device, const Progress& progress) override {
    progress("measuring", 1, 1);
    if (device == 2) return absl::NotFoundError("no code");
    if (device == 1) return absl::DataLossError("hardware error: ECC");
    return std::vector<BenchFigure>{{"int8_ops_per_s", 5}};
  }
};

// The driver's folder with so many GPUs, as the made-up library has them.
class DriverFolder {
 public:
  explicit DriverFolder(int gpus, const std::string& version = "550.54.14") {
    Write("version", "NVRM version: NVIDIA UNIX x86_64 Kernel Module  " + version +
                         "  Thu Feb 22 01:44:30 UTC 2024\nGCC version:  gcc version 12.2.0\n");
    for (int i = 0; i < gpus; ++i) {
      const std::string bus = "0000:0" + std::to_string(i) + ":00.0";
      Write("gpus/" + bus + "/information",
            "Model: \t\t NVIDIA H100 80GB HBM3\nIRQ:   \t\t 100\nGPU UUID: \t GPU-" +
                std::string(8, static_cast<char>('0' + i)) +
                "-0000-0000-0000-000000000000\nBus Location: \t " + bus + "\n");
    }
  }
  void Write(const std::string& name, const std::string& text) {
    const std::filesystem::path path = directory_ / name;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path) << text;
  }
  const std::string& path() const { return directory_.path(); }

 private:
  warpbook::test::TemporaryDirectory directory_;
};

Inventory Take(const DriverFolder& folder) {
  MadeUpDevices devices;
  return TakeInventory(devices, kMadeUp, folder.path(), NeedsOf(0));
}

bool HasSentence(const Inventory& inventory, const std::string& part) {
  for (const std::string& difference : DifferencesOf(inventory)) {
    if (difference.find(part) != std::string::npos) return true;
  }
  return false;
}

TEST_CASE("Three accounts that agree have no differences") {
  const MadeUp made_up(2);
  const Inventory inventory = Take(DriverFolder(2));
  CHECK(DifferencesOf(inventory).empty());
  CHECK(ExitCodeOf(inventory) == kExitOk);
  const JsonValue json = JsonValue::Parse(ToJson(inventory)).value();
  CHECK(json["has_gpu"].flag());
  CHECK(json["driver_major_needed"].integer() == 525);
  CHECK(json["cuda"]["gpus"].items().size() == 2);
  CHECK(json["cuda"]["gpus"].items()[1]["compute_capability"].text() == "9.0");
  CHECK(json["cuda"]["driver_version"].text() == "12.4");
  CHECK(json["driver_files"]["version"].text() == "550.54.14");
  const JsonValue& gpu = json["nvml"]["gpus"].items()[1];
  CHECK(gpu["name"].text() == "NVIDIA H100 80GB HBM3");
  CHECK(gpu["bus_id"].text() == "0000:01:00.0");
  CHECK(gpu["memory_bytes"].integer() == 85'000'000'000);
  CHECK(gpu["ecc_mode"].integer() == 1);
  CHECK(gpu["mig_mode"].integer() == 0);
  CHECK(gpu["ecc_uncorrected_since_boot"].integer() == 10);
  CHECK(gpu["ecc_corrected_ever"].integer() == 1);
  CHECK(gpu["sm_clock_mhz"].integer() == 1'000);
  CHECK(gpu["memory_clock_mhz_max"].integer() == 4'000);
  CHECK(gpu["pcie_width"].integer() == 16);
  CHECK_FALSE(gpu.Has("pcie_width_max"));  // a function that the library lacks
  CHECK(gpu["throttled_by"].items().size() == 2);
  CHECK(gpu["throttled_by"].items()[0].text() == "power_cap");
}

TEST_CASE("Each difference between the accounts is listed") {
  const MadeUp made_up(3);
  CHECK(HasSentence(Take(DriverFolder(2)), "nvml says 3 GPUs, the driver's files 2"));
  CHECK(HasSentence(Take(DriverFolder(2)), "nvml has GPU-22222222"));
  CHECK(HasSentence(Take(DriverFolder(4)), "the driver's files have GPU-33333333"));
  CHECK(HasSentence(Take(DriverFolder(3, "535.104.05")), "nvml is of driver 550.54.14"));
  DriverFolder renamed(3);
  renamed.Write("gpus/0000:01:00.0/information",
                "Model: NVIDIA A10\nGPU UUID: GPU-11111111-0000-0000-0000-000000000000\n");
  CHECK(HasSentence(Take(renamed), "the driver's files \"NVIDIA A10\""));
  DriverFolder moved(2);
  moved.Write("gpus/0000:77:00.0/information",
              "GPU UUID: GPU-22222222-0000-0000-0000-000000000000\n");
  CHECK(HasSentence(Take(moved), "the driver's files at 0000:77:00.0"));
  Inventory inventory = Take(DriverFolder(3));
  inventory.cuda->gpus.pop_back();
  CHECK(HasSentence(inventory, "cuda says 2 GPUs, nvml 3"));
  inventory.cuda->gpus[0].memory_bytes /= 2;
  CHECK(HasSentence(inventory, "bytes of memory, cuda 42450000000"));
  inventory.cuda->gpus[1].uuid = "GPU-x";
  CHECK(HasSentence(inventory, "cuda has GPU-x, which nvml does not"));
}

TEST_CASE("A machine without a driver has an inventory that says so") {
  const MadeUp made_up(0);
  MadeUpDevices devices;
  const Inventory inventory = TakeInventory(devices, "no-such-library.so", "/nowhere", NeedsOf(0));
  CHECK(ExitCodeOf(inventory) == kExitNoGpu);
  CHECK(DifferencesOf(inventory).empty());
  const JsonValue json = JsonValue::Parse(ToJson(inventory)).value();
  CHECK(json.Has("has_driver"));
  CHECK_FALSE(json["has_driver"].flag());
  CHECK(json["exit_code"].integer() == 3);
  CHECK_FALSE(FindCudaGpus("no-such-library.so", NeedsOf(0)).ok());
  CHECK(absl::IsNotFound(FindCudaGpus("no-such-library.so", NeedsOf(0)).status()));
}

TEST_CASE("A driver that is too old, and a fault of the hardware, have their exit codes") {
  {
    const MadeUp made_up(1);
    CHECK(ExitCodeOf(Take(DriverFolder(1, "470.82.01"))) == kExitDriverOld);
    CHECK(ExitCodeOf(Take(DriverFolder(1, "nonsense"))) == kExitOk);
  }
  {
    const MadeUp made_up(1, "version");
    CHECK(ExitCodeOf(Take(DriverFolder(1))) == kExitDriverOld);
  }
  {
    const MadeUp made_up(1, "ecc");
    CHECK(ExitCodeOf(Take(DriverFolder(1))) == kExitHardware);
  }
}

TEST_CASE("What is needed of the driver follows from the CUDA that the program was built with") {
  CHECK(NeedsOf(12'080).driver_major == 525);
  CHECK(NeedsOf(12'080).cuda_version == 12'000);
  CHECK(NeedsOf(13'020).driver_major == 580);
  CHECK(NeedsOf(13'020).cuda_version == 13'000);
  CHECK(NeedsOf(0).driver_major == 525);
  CHECK(NeedsOf(14'010).cuda_version == 14'000);
  // The made-up driver is 550.54.14, which can CUDA 12.4.
  const MadeUp made_up(1);
  const DriverFolder folder(1);
  MadeUpDevices devices;
  CHECK(ExitCodeOf(TakeInventory(devices, kMadeUp, folder.path(), NeedsOf(12'080))) == kExitOk);
  CHECK(ExitCodeOf(TakeInventory(devices, kMadeUp, folder.path(), NeedsOf(13'000))) ==
        kExitDriverOld);
  CHECK(FindCudaGpus(kMadeUp, NeedsOf(12'080)).ok());
  CHECK(absl::IsFailedPrecondition(FindCudaGpus(kMadeUp, NeedsOf(13'000)).status()));
}

TEST_CASE("Errors of CUDA's driver mean what those of its runtime mean") {
  const auto code_of = [](const char* error) {
    setenv("MADE_UP_ERROR", error, 1);
    const MadeUp made_up(1, "error");
    const absl::Status status = FindCudaGpus(kMadeUp, NeedsOf(0)).status();
    CHECK(status == StatusOfDeviceError(std::atoi(error), std::string("start: CUDA's driver ") +
                                                              "answers error " + error));
    return ExitCodeOfDevice(status);
  };
  for (const char* none : {"34", "100", "101", "209"}) CHECK(code_of(none) == kExitNoGpu);
  for (const char* old : {"35", "222", "803", "804"}) CHECK(code_of(old) == kExitDriverOld);
  for (const char* hardware : {"214", "220", "226", "714"}) {
    CHECK(code_of(hardware) == kExitHardware);
  }
  // 219 is no NVLink; 700, 715, 716, 718, 719 and 702 are what programs do; 802: not ready yet.
  for (const char* other : {"2", "219", "700", "715", "716", "718", "719", "702", "802", "999"}) {
    CHECK(code_of(other) == kExitFailed);
  }
}

TEST_CASE("NVML that does not start, or knows nothing, is said to") {
  {
    const MadeUp made_up(1, "init");
    const Inventory inventory = Take(DriverFolder(1));
    CHECK(inventory.nvml.error == "NVML answers 9: Driver Not Loaded");
    CHECK(HasSentence(inventory, "nvml cannot be asked"));
  }
  {
    const MadeUp made_up(1, "nothing");
    const Inventory inventory = Take(DriverFolder(1));
    REQUIRE(inventory.nvml.gpus.size() == 1);
    CHECK(inventory.nvml.gpus[0].figures.empty());
    CHECK(inventory.nvml.gpus[0].throttle_words().empty());
  }
  CHECK_FALSE(ReadNvml("libm.so.6").error.empty());
}

TEST_CASE("A part of a GPU is known by its name") {
  const MadeUp made_up(1, "", "NVIDIA H100 80GB HBM3 MIG 1g.10gb");
  const auto found = FindCudaGpus(kMadeUp, NeedsOf(0));
  REQUIRE(found.ok());
  CHECK(found->gpus[0].is_slice);
  CHECK(found->gpus[0].uuid.starts_with("MIG-"));
}

TEST_CASE("Any bytes in the driver's files are taken") {
  const MadeUp made_up(1);
  DriverFolder folder(1);
  std::string bytes;
  for (int i = 0; i < 200'000; ++i) bytes.push_back(static_cast<char>(i * 7));
  folder.Write("version", bytes);
  folder.Write("gpus/0000:00:00.0/information", "Model:\x1b[2J\xff\n:::\nGPU UUID\n" + bytes);
  folder.Write("gpus/file", "");
  const DriverFiles files = ReadDriverFiles(folder.path());
  CHECK(files.version.empty());
  REQUIRE(files.gpus.size() == 2);
  CHECK(files.gpus[0].name == "?[2J?");
  CHECK(JsonValue::Parse(ToJson(Take(folder))).ok());
  CHECK(MajorOf("550.54") == 550);
  CHECK(MajorOf("") == 0);
  CHECK(MajorOf("-5.1") == 0);
}

TEST_CASE("Benchmarks are labelled unproven, and a GPU that fails decides the exit code") {
  std::ostringstream out;
  std::ostringstream error;
  MadeUpDevices devices;
  const DriverFolder folder(2, "580.65.06");
  const BenchOptions options{
      .inventory = {.nvml_library = kMadeUp, .driver_folder = folder.path()}};
  const MadeUp made_up(2);
  CHECK(RunBench(options, {devices, out, error}) == kExitHardware);
  const JsonValue json = JsonValue::Parse(out.str()).value();
  CHECK(json.Has("proven"));
  CHECK_FALSE(json["proven"].flag());
  CHECK(json["gpus"].items()[0]["figures"]["int8_ops_per_s"].integer() == 5);
  CHECK(json["gpus"].items()[1]["error"].text() == "hardware error: ECC");
  CHECK(json["before"]["gpus"].items()[1]["ecc_mode"].integer() == 1);
  CHECK(json["after"]["gpus"].items()[1]["sm_clock_mhz"].integer() == 1'000);
  CHECK(error.str().find("GPU 1: hardware error") != std::string::npos);
}

TEST_CASE("Of several GPUs that fail the worst fault decides the exit code, wherever it is") {
  std::ostringstream out;
  std::ostringstream error;
  class Turned : public MadeUpDevices {
   public:
    absl::StatusOr<std::vector<BenchFigure>> Bench(int device, const Progress& progress) override {
      return MadeUpDevices::Bench(2 - device, progress);
    }
  };
  MadeUpDevices devices;
  Turned turned;
  const MadeUp made_up(3);
  const DriverFolder folder(3, "580.65.06");
  const BenchOptions options{
      .inventory = {.nvml_library = kMadeUp, .driver_folder = folder.path()}};
  CHECK(RunBench(options, {devices, out, error}) == kExitHardware);
  CHECK(RunBench(options, {turned, out, error}) == kExitHardware);
}

TEST_CASE("A figure's name has its unit in it") {
  const BenchFigure figure = MakeFigure("int8, mma, share of cuBLASLt", 91.6, "%");
  CHECK(figure.name == "int8_mma_share_of_cublaslt_percent");
  CHECK(figure.value == 92);
  CHECK(MakeFigure("PCIe, to the GPU", 25, "GB/s").name == "pcie_to_the_gpu_gb_per_s");
}

}  // namespace
}  // namespace warpbook::probe
