// engine_reference_run [--first SEED] [--seeds N] [--commands M]: random runs of the engine
// against the naive reference. Prints how often each event, refusal and cancel occurred. Exit
// status 1 at the first seed that differs, with its shortened scenario.
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "schema/types/enums.h"
#include "schema/types/reject_reason.h"
#include "tests/engine/core/random_run.h"

namespace {

void Print(const warpbook::engine::RandomRunCounts& counts) {
  for (const auto& [type, count] : counts.events) {
    std::printf("%-28s %llu\n", warpbook::wire::RecordName(type).data(),
                static_cast<unsigned long long>(count));
  }
  for (const auto& [reason, count] : counts.refusals) {
    std::printf("refused %-28s %llu\n",
                warpbook::RejectReasonCode(static_cast<warpbook::RejectReason>(reason)).data(),
                static_cast<unsigned long long>(count));
  }
  for (const auto& [reason, count] : counts.cancels) {
    std::printf("cancelled %-26s %llu\n",
                warpbook::Name(static_cast<warpbook::CancelReason>(reason)).data(),
                static_cast<unsigned long long>(count));
  }
  std::printf("gains paid %llu, losses carried %llu\n",
              static_cast<unsigned long long>(counts.gains_paid),
              static_cast<unsigned long long>(counts.losses_carried));
}

}  // namespace

int main(int argc, char** argv) {
  uint64_t first = 1, seeds = 200, commands = 5'000;
  for (int i = 1; i < argc; i += 2) {
    uint64_t* value = std::strcmp(argv[i], "--first") == 0      ? &first
                      : std::strcmp(argv[i], "--seeds") == 0    ? &seeds
                      : std::strcmp(argv[i], "--commands") == 0 ? &commands
                                                                : nullptr;
    if (value == nullptr || i + 1 == argc) {
      std::fprintf(stderr, "usage: %s [--first SEED] [--seeds N] [--commands M]\n", argv[0]);
      return 2;
    }
    *value = std::strtoull(argv[i + 1], nullptr, 10);
  }
  warpbook::engine::RandomRunCounts counts;
  for (uint64_t seed = first; seed < first + seeds; ++seed) {
    const std::string difference = warpbook::engine::RunRandomSeed(seed, commands, counts);
    if (difference.empty()) continue;
    std::printf("%s", difference.c_str());
    return 1;
  }
  Print(counts);
  std::printf("%llu seeds of %llu commands: engine and reference agree\n",
              static_cast<unsigned long long>(seeds), static_cast<unsigned long long>(commands));
  return 0;
}
