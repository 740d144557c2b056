#include "gpu_probe/prover/progress.h"

#include "absl/strings/str_cat.h"

namespace warpbook::probe {

void ProgressLines::Say(std::string_view what, int64_t done, int64_t of,
                        std::chrono::steady_clock::time_point now) {
  const std::lock_guard lock(mutex_);
  const bool is_over = done >= of;
  // The end of a step is always said, once.
  if (what == what_ && was_over_ && is_over) return;
  if (!is_over && now - said_at_ < kEvery) return;
  what_ = what;
  was_over_ = is_over;
  said_at_ = now;
  const int64_t percent = of > 0 ? done * 100 / of : 100;
  const std::string line = absl::StrCat(std::string(what), ": ", percent, "%");
  if (is_terminal_) {
    out_ << "\r\033[K" << line << std::flush;
    is_line_open_ = true;
  } else {
    out_ << line + "\n" << std::flush;
  }
}

void ProgressLines::EndLine() {
  const std::lock_guard lock(mutex_);
  if (is_line_open_) out_ << std::endl;
  is_line_open_ = false;
}

Progress ProgressLines::ForProver() {
  return [this](std::string_view what, int64_t done, int64_t of) {
    Say(what, done, of, std::chrono::steady_clock::now());
  };
}

}  // namespace warpbook::probe
