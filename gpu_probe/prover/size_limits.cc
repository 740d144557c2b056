#include "gpu_probe/prover/size_limits.h"

#include <algorithm>
#include <array>

#include "absl/strings/str_cat.h"

namespace warpbook::probe {
namespace {

struct Respect {
  const char* what;
  int64_t (*of)(const ProofSize& size);
};
// No product of them overflows where CheckSize has passed.
constexpr std::array<Respect, 9> kRespects = {
    {{"multiplications of tiles",
      [](const ProofSize& s) { return s.compute.tiles() * s.compute.k; }},
     {"bytes of operands",
      [](const ProofSize& s) { return (s.compute.m + s.compute.n) * s.compute.k; }},
     {"entries of a product", [](const ProofSize& s) { return s.compute.m * s.compute.n; }},
     {"tiles", [](const ProofSize& s) { return s.compute.tiles(); }},
     {"opened tiles", [](const ProofSize& s) { return int64_t{s.compute.opened}; }},
     {"bytes of memory", [](const ProofSize& s) { return s.memory.arena_bytes(); }},
     {"bytes read", [](const ProofSize& s) { return s.memory.gathered_bytes(); }},
     {"states of walks", [](const ProofSize& s) { return s.memory.all_legs(); }},
     {"opened legs", [](const ProofSize& s) { return int64_t{s.memory.opened}; }}}};

}  // namespace

absl::Status CheckForClasses(const Challenge& challenge, const ClassTable& table) {
  std::array<int64_t, kRespects.size()> limits{};
  const auto take_in = [&limits](const ProofSize& size) {
    for (size_t i = 0; i < limits.size(); ++i) {
      limits[i] = std::max(limits[i], kRespects[i].of(size));
    }
  };
  take_in(SmallProfile());
  for (const ClassRow& row : table.rows()) {
    if (row.has_probe) take_in(SizesFor(row, 1));
  }
  for (size_t i = 0; i < limits.size(); ++i) {
    const int64_t asked = kRespects[i].of(challenge.size);
    if (asked <= limits[i]) continue;
    return absl::InvalidArgumentError(
        absl::StrCat("the challenge asks for more than any class that is known here: ", asked, " ",
                     kRespects[i].what, " for each GPU, of at most ", limits[i]));
  }
  return absl::OkStatus();
}

}  // namespace warpbook::probe
