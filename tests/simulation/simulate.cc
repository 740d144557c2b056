// Runs seeds of the simulation:
//
//   simulate --first 1 --seeds 10000 [--every 1000]
//
// Prints a line of progress every so many seeds. Status 1 at the first seed in which something does
// not hold, with its number and what it was.
#include <CLI/CLI.hpp>
#include <cstdint>
#include <cstdio>
#include <string>

#include "tests/simulation/simulation.h"

namespace warpbook::simulation {
namespace {

void Print(uint64_t seeds, const RunCounts& counts) {
  std::printf(
      "%llu seeds: %llu steps, %llu commands, %llu trades, %llu settled leases, %llu repeats; "
      "%llu losses of power, %llu kills, %llu stops, %llu kills of settlement, %llu of the "
      "snapshotter, %llu faults; %llu recoveries, %llu torn writes cut; %llu snapshots, %llu "
      "damaged, "
      "%llu starts at one, %llu segments archived; last state %016llx\n",
      static_cast<unsigned long long>(seeds), static_cast<unsigned long long>(counts.steps),
      static_cast<unsigned long long>(counts.commands),
      static_cast<unsigned long long>(counts.trades),
      static_cast<unsigned long long>(counts.settled_leases),
      static_cast<unsigned long long>(counts.repeats),
      static_cast<unsigned long long>(counts.power_losses),
      static_cast<unsigned long long>(counts.kills), static_cast<unsigned long long>(counts.stops),
      static_cast<unsigned long long>(counts.settlement_kills),
      static_cast<unsigned long long>(counts.snapshot_kills),
      static_cast<unsigned long long>(counts.faults),
      static_cast<unsigned long long>(counts.recoveries),
      static_cast<unsigned long long>(counts.torn_writes),
      static_cast<unsigned long long>(counts.snapshots),
      static_cast<unsigned long long>(counts.damaged_snapshots),
      static_cast<unsigned long long>(counts.snapshot_starts),
      static_cast<unsigned long long>(counts.archived_segments),
      static_cast<unsigned long long>(counts.last_state_hash));
  std::fflush(stdout);
}

int Main(int argc, char** argv) {
  CLI::App app("Runs seeds of the simulation.");
  uint64_t first = 1;
  uint64_t seeds = 1;
  uint64_t every = 10'000;
  app.add_option("--first", first, "the first seed");
  app.add_option("--seeds", seeds, "how many");
  app.add_option("--every", every, "seeds between two lines of progress")
      ->check(CLI::PositiveNumber);
  CLI11_PARSE(app, argc, argv);
  RunCounts counts;
  for (uint64_t i = 0; i < seeds; ++i) {
    const std::string fault = RunSeed(first + i, counts);
    if (!fault.empty()) {
      std::printf("%s\n", fault.c_str());
      return 1;
    }
    if ((i + 1) % every == 0 || i + 1 == seeds) Print(i + 1, counts);
  }
  return 0;
}

}  // namespace
}  // namespace warpbook::simulation

int main(int argc, char** argv) { return warpbook::simulation::Main(argc, argv); }
