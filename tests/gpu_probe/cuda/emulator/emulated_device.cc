#include "tests/gpu_probe/cuda/emulator/emulated_device.h"

#include <setjmp.h>
#include <ucontext.h>

#include <deque>
#include <map>
#include <memory>
#include <vector>

#include "schema/base/check.h"

namespace warpbook::probe::emulator {
namespace {

constexpr size_t kStackBytes = 128 << 10;
constexpr size_t kSharedAlignment = 1024;

// Those who wait go on when its round is over.
struct Barrier {
  int expected = 0, arrived = 0;
  uint64_t round = 0;
};

struct Warp {
  Barrier barrier;
  WarpWords words[2];  // in turn, so that nobody overwrites what another still reads
};

struct Copy {
  std::byte* to;
  const void* from;
};
struct Product {
  int* sums;
  uint64_t left, right;
  bool add;
};

// Groups of what was started, the oldest first, and one that is still open.
template <typename T>
struct Groups {
  std::deque<std::vector<T>> closed;
  std::vector<T> open;
};

struct Fiber {
  Thread thread;
  ucontext_t first{};  // where it begins
  jmp_buf context{};   // where it goes on
  bool has_begun = false;
  std::unique_ptr<std::byte[]> stack;
  bool is_done = false;
  const uint64_t* waits_for = nullptr;  // to differ from:
  uint64_t seen = 0;
  Barrier* block = nullptr;
  Warp* warp = nullptr;
  uint64_t exchanges = 0;
  Groups<Copy> copies;
  Groups<Product> products;
};

// An mbarrier: a phase is over when all have arrived and all bytes have come.
struct PhaseBarrier {
  int expected = 0, pending = 0;
  int64_t bytes = 0;
  uint64_t phase = 0;
};

struct PendingBox {
  Box box;
  std::byte* to;
  int entry, line;
  uint64_t* barrier;
};

// What runs at the same time: a cluster.
struct Cluster {
  std::vector<std::unique_ptr<std::byte[]>> memory;
  std::vector<std::byte*> shared;  // by rank
  std::vector<Barrier> blocks;
  std::vector<Warp> warps;
  Barrier barrier;
  std::map<uint64_t*, PhaseBarrier> phases;
  // Boxes come as soon as they are asked for, or when nobody can go on without one: a kernel has to
  // be right with either.
  bool boxes_come_early = false;
  std::deque<PendingBox> boxes;
};

jmp_buf scheduler;
Fiber* current = nullptr;
Cluster* cluster = nullptr;
const std::function<void()>* running = nullptr;

// By jumps: swapcontext would ask the system for its signal mask each time.
void Suspend() {
  if (_setjmp(current->context) == 0) _longjmp(scheduler, 1);
}
void Resume() {
  if (_setjmp(scheduler) != 0) return;
  if (current->has_begun) _longjmp(current->context, 1);
  current->has_begun = true;
  setcontext(&current->first);
}

void WaitWhile(const uint64_t& round, uint64_t seen) {
  if (round != seen) return;
  current->waits_for = &round;
  current->seen = seen;
  Suspend();
  current->waits_for = nullptr;
}

void Sync(Barrier& barrier) {
  const uint64_t round = barrier.round;
  if (++barrier.arrived == barrier.expected) {
    barrier.arrived = 0;
    ++barrier.round;
    return;
  }
  WaitWhile(barrier.round, round);
}

void Enter() {
  (*running)();
  current->is_done = true;
  Suspend();
}

void CheckPhase(PhaseBarrier& barrier) {
  if (barrier.pending != 0 || barrier.bytes != 0) return;
  barrier.pending = barrier.expected;
  ++barrier.phase;
}

// The 128-byte swizzle, of addresses.
std::byte* Swizzled(std::byte* pointer) {
  const auto address = reinterpret_cast<uintptr_t>(pointer);
  return reinterpret_cast<std::byte*>(address ^ (address >> 7 & 7) << 4);
}

void Load(const PendingBox& load) {
  const Box& box = load.box;
  for (int line = 0; line < box.box_lines; ++line) {
    for (int entry = 0; entry < box.box_depth; ++entry) {
      const int64_t x = load.entry + entry, y = load.line + line;
      const bool is_inside = x < box.depth && y < box.lines;
      *Swizzled(load.to + line * box.box_depth + entry) =
          is_inside ? box.operand[y * box.depth + x] : std::byte{0};
    }
  }
  PhaseBarrier& barrier = cluster->phases.at(load.barrier);
  barrier.bytes -= box.box_depth * box.box_lines;
  CheckPhase(barrier);
}

// Runs each fiber that can go on; false when none could.
bool RunOnce(std::vector<Fiber>& fibers) {
  bool has_run = false;
  for (Fiber& fiber : fibers) {
    if (fiber.is_done || (fiber.waits_for != nullptr && *fiber.waits_for == fiber.seen)) continue;
    current = &fiber;
    Resume();
    has_run = true;
  }
  return has_run;
}

void RunCluster(std::vector<Fiber>& fibers) {
  while (RunOnce(fibers) || !cluster->boxes.empty()) {
    if (!cluster->boxes.empty() && !RunOnce(fibers)) {
      const PendingBox box = cluster->boxes.front();
      cluster->boxes.pop_front();
      Load(box);
    }
  }
  // Else they wait for each other.
  WARPBOOK_CHECK(std::ranges::all_of(fibers, &Fiber::is_done));
}

void Prepare(const LaunchSize& size, int64_t first_block, Cluster& made,
             std::vector<Fiber>& fibers) {
  const auto threads = static_cast<size_t>(size.threads);
  const auto blocks = static_cast<size_t>(size.cluster);
  const size_t warps = (threads + 31) / 32;
  const auto count = static_cast<int>(threads);
  made.blocks.assign(blocks, {count, 0, 0});
  made.warps = std::vector<Warp>(blocks * warps);
  made.barrier.expected = count * size.cluster;
  made.shared.clear();
  for (size_t rank = 0; rank < blocks; ++rank) {
    if (made.memory.size() <= rank) {
      made.memory.push_back(std::make_unique<std::byte[]>(static_cast<size_t>(size.shared_bytes) +
                                                          2 * kSharedAlignment));
    }
    // Not aligned more than the device's is sure to be.
    void* memory = made.memory[rank].get();
    size_t room = static_cast<size_t>(size.shared_bytes) + 2 * kSharedAlignment;
    std::align(kSharedAlignment, static_cast<size_t>(size.shared_bytes), memory, room);
    made.shared.push_back(static_cast<std::byte*>(memory) + 16);
  }
  fibers.resize(blocks * threads);
  for (size_t i = 0; i < fibers.size(); ++i) {
    Fiber& fiber = fibers[i];
    const size_t rank = i / threads, thread = i % threads;
    fiber.thread = {{static_cast<unsigned>(thread)},
                    {static_cast<unsigned>(first_block) + static_cast<unsigned>(rank)},
                    {static_cast<unsigned>(size.blocks)},
                    static_cast<uint32_t>(rank),
                    made.shared[rank]};
    fiber.is_done = false;
    fiber.waits_for = nullptr;
    fiber.exchanges = 0;
    fiber.block = &made.blocks[rank];
    fiber.warp = &made.warps[rank * warps + thread / 32];
    ++fiber.warp->barrier.expected;
    if (fiber.stack == nullptr)
      fiber.stack = std::make_unique_for_overwrite<std::byte[]>(kStackBytes);
    fiber.has_begun = false;
    getcontext(&fiber.first);
    fiber.first.uc_stack.ss_sp = fiber.stack.get();
    fiber.first.uc_stack.ss_size = kStackBytes;
    makecontext(&fiber.first, Enter, 0);
  }
}

// A product of 64 x 256 over 32: this thread's part.
void Multiply(const Product& product) {
  const auto pointer = [](uint64_t descriptor, int row, int entry) {
    // 18 bits of the address, of which this block's memory is less than all.
    const auto base = reinterpret_cast<uintptr_t>(current->thread.shared);
    const uintptr_t start = base + ((((descriptor & 0x3fff) << 4) - base) & 0x3ffff);
    const uintptr_t stride = (descriptor >> 32 & 0x3fff) << 4;
    const auto line = static_cast<uintptr_t>(row);
    return Swizzled(reinterpret_cast<std::byte*>(start + line / 8 * stride + line % 8 * 128 +
                                                 static_cast<uintptr_t>(entry)));
  };
  WARPBOOK_CHECK(product.left >> 62 == 1 && product.right >> 62 == 1);
  const int thread = static_cast<int>(current->thread.thread.x % 128);
  for (int i = 0; i < kWgmmaSums; ++i) {
    // The PTX ISA's layout of D.
    const int row = thread / 32 * 16 + thread % 32 / 4 + i / 2 % 2 * 8;
    const int column = i / 4 * 8 + thread % 4 * 2 + i % 2;
    int sum = product.add ? product.sums[i] : 0;
    for (int entry = 0; entry < kWgmmaDepth; entry += kChunkBytes) {
      const auto* const a = reinterpret_cast<int8_t*>(pointer(product.left, row, entry));
      const auto* const b = reinterpret_cast<int8_t*>(pointer(product.right, column, entry));
      for (int j = 0; j < kChunkBytes; ++j) sum += a[j] * b[j];
    }
    product.sums[i] = sum;
  }
}

template <typename T, typename Work>
void Finish(Groups<T>& groups, int pending, const Work& work) {
  while (std::ssize(groups.closed) > pending) {
    for (const T& item : groups.closed.front()) work(item);
    groups.closed.pop_front();
  }
}

template <typename T>
void Close(Groups<T>& groups) {
  groups.closed.push_back(std::move(groups.open));
  groups.open.clear();
}

}  // namespace

const Thread& Current() { return current->thread; }
void SyncBlock() { Sync(*current->block); }
void SyncWarp() { Sync(current->warp->barrier); }
void SyncCluster() { Sync(cluster->barrier); }

const WarpWords& Exchange(const std::array<uint64_t, 3>& words) {
  WarpWords& shared = current->warp->words[current->exchanges++ % 2];
  shared[current->thread.thread.x % 32] = words;
  SyncWarp();
  return shared;
}

void Run(const LaunchSize& size, const std::function<void()>& kernel) {
  static std::vector<Fiber> fibers;  // whose stacks are kept
  WARPBOOK_CHECK(size.blocks % size.cluster == 0);
  Cluster made;
  cluster = &made;
  running = &kernel;
  if (fibers.size() < static_cast<size_t>(size.threads * size.cluster)) {
    fibers = std::vector<Fiber>(static_cast<size_t>(size.threads * size.cluster));
  }
  for (int64_t block = 0; block < size.blocks; block += size.cluster) {
    Prepare(size, block, made, fibers);
    RunCluster(fibers);
    made.boxes_come_early = !made.boxes_come_early;
  }
  cluster = nullptr;
}

std::byte* PointerOf(uint32_t address) {
  // Static shared memory lies near other static memory.
  const auto near = reinterpret_cast<uintptr_t>(&scheduler);
  const auto distance = static_cast<int32_t>(address - static_cast<uint32_t>(near));
  return reinterpret_cast<std::byte*>(near + static_cast<uintptr_t>(int64_t{distance}));
}

void CopyLater(std::byte* to, const void* from) { current->copies.open.push_back({to, from}); }
void CloseCopies() { Close(current->copies); }
void FinishCopies(int pending) {
  Finish(current->copies, pending, [](const Copy& copy) { std::memcpy(copy.to, copy.from, 16); });
}

void LoadBoxLater(std::byte* to, const CUtensorMap* map, int entry, int line, uint64_t* barrier,
                  uint32_t ranks) {
  Box box;
  std::memcpy(&box, map, sizeof box);
  std::byte* const own = current->thread.shared;
  for (size_t rank = 0; rank < cluster->shared.size(); ++rank) {
    if ((ranks >> rank & 1) == 0) continue;
    const ptrdiff_t distance = cluster->shared[rank] - own;
    const PendingBox pending = {
        box, to + distance, entry, line,
        reinterpret_cast<uint64_t*>(reinterpret_cast<std::byte*>(barrier) + distance)};
    if (cluster->boxes_come_early) {
      Load(pending);
    } else {
      cluster->boxes.push_back(pending);
    }
  }
}

void MultiplyLater(int* sums, uint64_t left, uint64_t right, bool add) {
  current->products.open.push_back({sums, left, right, add});
}
void CloseProducts() { Close(current->products); }
void FinishProducts(int pending) {
  // The warp's lanes do it together; and others have their turn before.
  SyncWarp();
  Finish(current->products, pending, Multiply);
  SyncWarp();
}

void InitBarrier(uint64_t* barrier, uint32_t arrivals) {
  const auto expected = static_cast<int>(arrivals);
  cluster->phases[barrier] = {expected, expected, 0, 0};
}
void WaitAt(uint64_t* barrier, uint32_t parity) {
  const PhaseBarrier& at = cluster->phases.at(barrier);
  // It waits as long as the phase of that parity is the one that is not over.
  if (at.phase % 2 == parity) WaitWhile(at.phase, at.phase);
}
void Expect(uint64_t* barrier, uint32_t bytes) { cluster->phases.at(barrier).bytes += bytes; }
void Arrive(uint64_t* barrier, uint32_t rank) {
  const ptrdiff_t distance = cluster->shared[rank] - current->thread.shared;
  PhaseBarrier& at = cluster->phases.at(
      reinterpret_cast<uint64_t*>(reinterpret_cast<std::byte*>(barrier) + distance));
  WARPBOOK_CHECK(at.pending > 0);
  --at.pending;
  CheckPhase(at);
}

}  // namespace warpbook::probe::emulator

namespace warpbook::probe {
namespace {

// Entry `i` of four in a register.
int EntryOf(uint64_t word, int i) { return static_cast<int8_t>(word >> (8 * i)); }

}  // namespace

// Lanes 8i to 8i + 7 name the rows of matrix i, 16 bytes each; lane l gets bytes 4 (l % 4) and on
// of row l / 4.
void LoadFragments(uint32_t address, uint32_t (&words)[4]) {
  const emulator::WarpWords& all = emulator::Exchange({address, 0, 0});
  const unsigned lane = threadIdx.x % 32;
  for (unsigned matrix = 0; matrix < 4; ++matrix) {
    const auto row = static_cast<uint32_t>(all[matrix * 8 + lane / 4][0]);
    std::memcpy(&words[matrix], emulator::PointerOf(row) + lane % 4 * 4, sizeof(uint32_t));
  }
}

// Register r of A has row lane / 4 + 8 (r % 2), entries 4 (lane % 4) + 16 (r / 2) and on; register
// r of B column lane / 4, entries 4 (lane % 4) + 16 r and on.
void MultiplyFragments(int (&sum)[4], const uint32_t (&left)[4], uint32_t right0, uint32_t right1) {
  const auto pair = [](uint32_t low, uint32_t high) { return low | uint64_t{high} << 32; };
  const emulator::WarpWords& all =
      emulator::Exchange({pair(left[0], left[1]), pair(left[2], left[3]), pair(right0, right1)});
  const auto lane = static_cast<int>(threadIdx.x % 32);
  for (int i = 0; i < 4; ++i) {
    const int row = lane / 4, column = lane % 4 * 2 + i % 2;
    for (int entry = 0; entry < 32; ++entry) {
      const auto a = static_cast<size_t>(row * 4 + entry % 16 / 4);
      const auto b = static_cast<size_t>(column * 4 + entry % 16 / 4);
      const uint64_t left_pair = all[a][static_cast<size_t>(entry / 16)];
      sum[i] += EntryOf(left_pair >> (i / 2 * 32), entry % 4) *
                EntryOf(all[b][2] >> (entry / 16 * 32), entry % 4);
    }
  }
}

}  // namespace warpbook::probe
