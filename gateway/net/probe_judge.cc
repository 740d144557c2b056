#include "gateway/net/probe_judge.h"

#include <array>
#include <optional>
#include <span>
#include <utility>

#include "schema/base/crypto.h"

namespace warpbook::gateway {

ProbeJudge::ProbeJudge(const Catalogue& catalogue, const ProbePolicy& policy)
    : table_(catalogue), policy_(policy), thread_([this] { Run(); }) {}

ProbeJudge::~ProbeJudge() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  changed_.notify_one();
  thread_.join();
}

std::optional<probe::ProofSize> ProbeJudge::SizesFor(const std::string& hardware_class,
                                                     int32_t gpus) const {
  const probe::ClassRow* const row = table_.Find(hardware_class);
  if (row == nullptr || !row->has_probe || gpus < 1) return std::nullopt;
  if (policy_.small_profile) {
    return gpus <= probe::kGpusMax ? std::optional(probe::SmallProfile()) : std::nullopt;
  }
  return gpus <= probe::kGpusProvedMax ? std::optional(probe::SizesFor(*row, gpus)) : std::nullopt;
}

void ProbeJudge::Verify(Proof proof, Callback callback) {
  {
    const std::lock_guard lock(mutex_);
    jobs_.push_back({std::move(proof), std::move(callback)});
  }
  changed_.notify_one();
}

void ProbeJudge::Run() {
  while (true) {
    Job job;
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return stop_ || !jobs_.empty(); });
      if (stop_) return;
      job = std::move(jobs_.front());
      jobs_.pop_front();
    }
    // Drawn only now: whoever made the answer cannot have known them.
    std::array<uint8_t, sizeof(probe::CheckVectors)> secret;
    FillRandom(secret);
    job.callback(probe::Verify(job.proof.record, job.proof.transcript, table_,
                               probe::MakeCheckVectors(secret)),
                 Sha256(std::as_bytes(std::span(job.proof.transcript))));
  }
}

}  // namespace warpbook::gateway
