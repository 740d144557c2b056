// ProbeJudge: the verifier of providers' probes (gpu_probe/verifier) for all I/O threads of a
// gateway. A proof takes seconds to verify, so that it is done here, one after the other, on a
// thread of its own. Any thread may hand one in; nothing is handed in any more once it is
// destroyed.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "gateway/net/probe_policy.h"
#include "gpu_probe/verifier/class_table.h"
#include "gpu_probe/verifier/verdict.h"
#include "schema/base/crypto.h"
#include "schema/catalogue/catalogue.h"

namespace warpbook::gateway {

class ProbeJudge {
 public:
  struct Proof {
    probe::VerifierRecord record;
    std::string transcript;
  };
  // `transcript` is its SHA-256.
  using Callback =
      std::function<void(const probe::Verdict& verdict, const Sha256Digest& transcript)>;

  ProbeJudge(const Catalogue& catalogue, const ProbePolicy& policy);
  ~ProbeJudge();

  const ProbePolicy& policy() const { return policy_; }
  // The sizes of a challenge; nullptr where nothing proves so many GPUs of the class.
  std::optional<probe::ProofSize> SizesFor(const std::string& hardware_class, int32_t gpus) const;
  // Takes the proof off the caller, who does no work on it. The callback comes once, on the judge's
  // thread, unless this is destroyed first. What waits is bounded by those who ask
  // (GatewayLimits::probes_max).
  void Verify(Proof proof, Callback callback);

 private:
  struct Job {
    Proof proof;
    Callback callback;
  };
  void Run();

  const probe::ClassTable table_;
  const ProbePolicy policy_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Job> jobs_;  // guarded by mutex_, as is stop_
  bool stop_ = false;
  std::thread thread_;  // last: it uses all of the above
};

}  // namespace warpbook::gateway
