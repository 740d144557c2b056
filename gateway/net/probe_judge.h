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

#include "gpu_probe/verifier/class_table.h"
#include "gpu_probe/verifier/verdict.h"
#include "schema/base/crypto.h"
#include "schema/catalogue/catalogue.h"
#include "schema/types/timestamp.h"

namespace warpbook::gateway {

struct ProbePolicy {
  // Challenges are of the small profile (gpu_probe/verifier/class_table.h), which a CPU answers and
  // which proves nothing of a class: for demonstrations.
  bool small_profile = false;
  // The market's time: how long a proof holds; how long before its end the node is called; how
  // often a node is called at a surprise while it delivers (on average; 0: never), and the time
  // that it then has.
  int64_t valid_micros = 24 * 60 * kMicrosPerMinute;
  int64_t call_lead_micros = 2 * 60 * kMicrosPerMinute;
  int64_t surprise_mean_micros = 4 * 60 * kMicrosPerMinute;
  int64_t surprise_due_micros = 5 * kMicrosPerMinute;
  // So long after a time that is over a node is left as it is while a probe of it is open: its
  // verdict may be on its way.
  int64_t grace_micros = 10 * kMicrosPerMinute;
};

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
