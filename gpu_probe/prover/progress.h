// How far a proof is, for people, on stderr: at a terminal one line that is written over, else
// whole lines. A few in a second at most. Any thread.
#pragma once

#include <chrono>
#include <mutex>
#include <ostream>
#include <string>
#include <string_view>

#include "gpu_probe/prover/prover.h"

namespace warpbook::probe {

class ProgressLines {
 public:
  // No two lines of the same step are nearer together, but for its last.
  static constexpr std::chrono::milliseconds kEvery{500};

  ProgressLines(std::ostream& out, bool is_terminal) : out_(out), is_terminal_(is_terminal) {}
  ~ProgressLines() { EndLine(); }

  void Say(std::string_view what, int64_t done, int64_t of,
           std::chrono::steady_clock::time_point now);
  // Leaves what stands on a terminal's line.
  void EndLine();
  // For a prover. Lives no longer than this.
  Progress ForProver();

 private:
  std::ostream& out_;
  const bool is_terminal_;
  std::mutex mutex_;
  std::string what_;
  bool was_over_ = false;
  bool is_line_open_ = false;
  std::chrono::steady_clock::time_point said_at_{};
};

}  // namespace warpbook::probe
