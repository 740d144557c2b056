#include "tests/simulation/machine.h"

#include <algorithm>
#include <utility>

#include "schema/types/timestamp.h"

namespace warpbook::simulation {
namespace {

using test::FileFault;
using test::FileOperation;

constexpr int64_t kStartMicros = 1'800'000'000 * kMicrosPerSecond;
// Less than engine::kClockLagMaxMicros, beyond which a start is refused.
constexpr int64_t kSetBackMaxMicros = 50 * kMicrosPerSecond;

}  // namespace

Machine::Machine(Random& random)
    : random_(random),
      disk_(std::make_unique<test::MemoryFileSystem>()),
      clock_(kStartMicros),
      latest_micros_(kStartMicros),
      steady_now_(std::chrono::hours(1)) {
  // A run's taste: many never see a fault, some see many.
  constexpr uint64_t kTastes[] = {0, 0, 1'000, 300, 100};
  fault_one_in_ = kTastes[random_.Below(std::size(kTastes))];
}

void Machine::PassTime() {
  int64_t micros = random_.Between(1, 300);
  if (random_.OneIn(15)) micros = random_.Between(1, 1'500'000);
  if (random_.OneIn(300)) micros = random_.Between(1, 40) * kMicrosPerMinute;
  clock_.Advance(micros);
  steady_now_ += std::chrono::microseconds(micros);
  latest_micros_ = std::max(latest_micros_, clock_.NowMicros());
}

void Machine::SetClockBack() {
  const int64_t back = random_.Between(0, kSetBackMaxMicros);
  clock_.Set(std::max(clock_.NowMicros() - back, latest_micros_ - kSetBackMaxMicros));
}

void Machine::LosePower() {
  const uint64_t kept_of_8 = random_.Below(9);
  disk_ = disk_->AfterCrash([&] { return random_.Below(8) < kept_of_8; });
}

bool Machine::TakeFault() {
  if (fault_one_in_ == 0 || !random_.OneIn(fault_one_in_)) return false;
  ++faults_;
  return true;
}

Process::Process(Machine& machine, std::function<void()> main)
    : machine_(machine),
      files_(machine.disk(), [this](const FileOperation& operation) { return Judge(operation); }),
      fiber_(std::move(main)) {}

void Process::Sleep() {
  sleeps_ = true;
  fiber_.Yield();
  sleeps_ = false;
}

FileFault Process::Judge(const FileOperation& operation) {
  FileFault fault;
  if (operation.kind == FileOperation::Kind::kList) return fault;
  if (fiber_.is_killed()) {  // what a destructor does while the stack is unwound
    fault.status = absl::CancelledError("the process was killed");
    return fault;
  }
  fiber_.Yield();
  if (machine_.TakeFault()) {
    met_fault_ = true;
    fault.status = absl::UnknownError("a fault of the simulated disk");
  } else if (operation.kind == FileOperation::Kind::kWrite && machine_.random().OneIn(16)) {
    fault.max_bytes = 1 + machine_.random().Below(2 * test::MemoryFileSystem::kPageSize);
  }
  return fault;
}

}  // namespace warpbook::simulation
