// A made-up libnvidia-ml.so and libcuda.so in one, for tests. What it has is in the environment:
//   MADE_UP_GPUS     how many GPUs there are
//   MADE_UP_FAULT    "init": NVML does not start; "version": CUDA's driver is old; "ecc": a fault
//                    of the hardware; "nothing": values are not supported; "error": CUDA's driver
//                    does not start, and answers the number in MADE_UP_ERROR
//   MADE_UP_NAME     of each GPU
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>

namespace {

std::string Environment(const char* name, const char* otherwise) {
  const char* const value = std::getenv(name);
  return value == nullptr ? otherwise : value;
}
bool Has(const char* fault) { return Environment("MADE_UP_FAULT", "") == fault; }
unsigned Gpus() {
  return static_cast<unsigned>(std::atoi(Environment("MADE_UP_GPUS", "1").c_str()));
}
int NotSupported() { return Has("nothing") ? 3 : 0; }
int Put(const std::string& text, char* to, unsigned size) {
  if (NotSupported() != 0) return 3;
  std::strncpy(to, text.c_str(), size);
  return 0;
}
template <typename Number>
int Put(Number number, Number* to) {
  if (NotSupported() != 0) return 3;
  *to = number;
  return 0;
}
// A device's handle is its number and one.
unsigned NumberOf(void* device) {
  return static_cast<unsigned>(reinterpret_cast<uintptr_t>(device)) - 1;
}

struct Memory {
  unsigned long long total, free, used;
};
struct PciInfo {
  char legacy[16];
  unsigned numbers[5];
  char bus_id[32];
};

}  // namespace

extern "C" {

int nvmlInit_v2() { return Has("init") ? 9 : 0; }
int nvmlShutdown() { return 0; }
const char* nvmlErrorString(int) { return "Driver Not Loaded"; }
int nvmlSystemGetDriverVersion(char* to, unsigned size) { return Put("550.54.14", to, size); }
int nvmlDeviceGetCount_v2(unsigned* count) {
  *count = Gpus();
  return 0;
}
int nvmlDeviceGetHandleByIndex_v2(unsigned index, void** device) {
  *device = reinterpret_cast<void*>(uintptr_t{index} + 1);
  return 0;
}
int nvmlDeviceGetName(void*, char* to, unsigned size) {
  return Put(Environment("MADE_UP_NAME", "NVIDIA H100 80GB HBM3"), to, size);
}
int nvmlDeviceGetUUID(void* device, char* to, unsigned size) {
  return Put("GPU-" + std::string(8, static_cast<char>('0' + NumberOf(device))) +
                 "-0000-0000-0000-000000000000",
             to, size);
}
int nvmlDeviceGetPciInfo_v3(void* device, PciInfo* info) {
  std::memset(info, 0, sizeof(*info));
  return Put("00000000:0" + std::to_string(NumberOf(device)) + ":00.0", info->bus_id, 32);
}
int nvmlDeviceGetMemoryInfo(void*, Memory* memory) {
  return Put(Memory{85'000'000'000, 84'000'000'000, 1'000'000'000}, memory);
}
int nvmlDeviceGetEccMode(void*, unsigned* current, unsigned* pending) {
  *pending = 1;
  return Put(1U, current);
}
int nvmlDeviceGetMigMode(void*, unsigned* current, unsigned* pending) {
  *pending = 0;
  return Put(0U, current);
}
int nvmlDeviceGetTotalEccErrors(void*, int error, int counter, unsigned long long* errors) {
  return Put(static_cast<unsigned long long>(10 * error + counter), errors);
}
int nvmlDeviceGetClockInfo(void*, int kind, unsigned* mhz) {
  return Put(static_cast<unsigned>(1'000 * kind), mhz);
}
int nvmlDeviceGetMaxClockInfo(void*, int kind, unsigned* mhz) {
  return Put(static_cast<unsigned>(2'000 * kind), mhz);
}
int nvmlDeviceGetCurrentClocksThrottleReasons(void*, unsigned long long* reasons) {
  return Put(0x24ULL, reasons);
}
int nvmlDeviceGetCurrPcieLinkGeneration(void*, unsigned* value) { return Put(5U, value); }
int nvmlDeviceGetCurrPcieLinkWidth(void*, unsigned* value) { return Put(16U, value); }

int cuInit(unsigned) {
  if (Has("error")) return std::atoi(Environment("MADE_UP_ERROR", "1").c_str());
  return Has("ecc") ? 214 : Gpus() == 0 ? 100 : 0;
}
int cuDriverGetVersion(int* version) {
  *version = Has("version") ? 11'080 : 12'040;
  return 0;
}
int cuDeviceGetCount(int* count) {
  *count = static_cast<int>(Gpus());
  return 0;
}
int cuDeviceGet(int* device, int index) {
  *device = index;
  return 0;
}
int cuDeviceGetName(char* to, int size, int) {
  std::strncpy(to, Environment("MADE_UP_NAME", "NVIDIA H100 80GB HBM3").c_str(),
               static_cast<size_t>(size));
  return 0;
}
int cuDeviceTotalMem_v2(size_t* bytes, int) {
  *bytes = 84'900'000'000;
  return 0;
}
int cuDeviceGetAttribute(int* value, int which, int) {
  *value = which == 75 ? 9 : which == 76 ? 0 : 132;
  return 0;
}
int cuDeviceGetUuid_v2(unsigned char* uuid, int device) {
  std::memset(uuid, 0, 16);
  std::memset(uuid, 0x11 * device, 4);
  return 0;
}
int cuDeviceGetPCIBusId(char* to, int size, int device) {
  std::strncpy(to, ("0000:0" + std::to_string(device) + ":00.0").c_str(),
               static_cast<size_t>(size));
  return 0;
}

}  // extern "C"
