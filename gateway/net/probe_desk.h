// ProbeDesk: the probes of the connections of one I/O thread, from the request that begins one to
// the command that decides it. It keeps what only this process knows of a challenge: its nonce,
// what was drawn since, and the clock. A challenge is handed out once, and dies with its connection
// or this process: nobody can prepare an answer, come back and have the clock begin again. A node
// whose owner has others waits for them: they prove themselves together (MusterBoard).
//
// Everything is bounded by GatewayLimits::probes_max, and an answer by what its step may have. The
// I/O thread owns it.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "engine/service/engine_port.h"
#include "gateway/admission/limits.h"
#include "gateway/net/shared_probes.h"
#include "gateway/protocol/command_builder.h"
#include "gateway/publish/market_state.h"
#include "gateway/publish/pending_requests.h"
#include "gpu_probe/verifier/probe_session.h"
#include "schema/base/clock.h"

namespace warpbook::gateway {

class ProbeDesk {
 public:
  // Runs something on the I/O thread, from any other one, for as long as that lives.
  using Post = std::function<void(std::function<void()>)>;
  struct Clocks {
    const Clock& real;
    const Clock& monotonic;
    const Clock& market;
  };

  // All that is passed must outlive it.
  ProbeDesk(SharedProbes& shared, const MarketState& state, engine::EnginePort& port, Clocks clocks,
            Post post, const GatewayLimits& limits)
      : judge_(shared.judge),
        musters_(shared.musters),
        state_(state),
        port_(port),
        clocks_(clocks),
        post_(std::move(post)),
        limits_(limits) {}

  // For one of that node.
  bool HasRoom(const NodeRow& node) const;
  // A probe of that node is begun by the command of that tag, with the nonce that this draws.
  Sha256Digest Begin(uint64_t tag, uint64_t connection_id, const NodeRow& node,
                     probe::ProofSize size);
  // Looks after those whose challenge was not handed out: forgets what the engine did not take, and
  // ends what was left or has expired. To be called after batches, and now and then.
  void LookAtBegun(const PendingRequests& pending);

  // What an answer's step leads to.
  struct Reply {
    std::optional<ProbeStep> awaits;       // what is to come next
    int32_t part = 0;                      // of it, which was the last that came; 0: none
    std::string challenge;                 // the document, for sizes and ready
    std::optional<probe::Seed> seed = {};  // what is asked
    int64_t wait_micros = 0;               // not yet: the same step is awaited again then
    bool is_verified = false;              // all is in: the verdict is the reply
  };
  // kUnknownProbe, kProbeAnswerUnexpected, kChallengeExpired; else kNone and the reply. Where all
  // is in, the command that decides it will have the tag that `new_tag` gives.
  RejectReason Answer(uint64_t connection_id, const ProbeAnswerRequest& request,
                      const NodeRow& node, const std::string& hardware_class,
                      const std::function<uint64_t()>& new_tag, Reply& reply);

  // The connection ends: what it had begun comes to nothing.
  void RemoveConnection(uint64_t connection_id);
  // Ends what has expired and sends decisions that had to wait for the engine. Several times a
  // second.
  void GoOn();
  // Nothing is verified, and no decision waits.
  bool idle() const { return decisions_.empty() && verifying_ == 0; }

 private:
  struct Probe {
    uint64_t connection_id = 0;  // 0: it is gone
    AccountId account;
    NodeId node;
    bool is_first = false;  // it was begun by a node that had proved nothing
    probe::Seed nonce{};
    probe::ProofSize size;
    int64_t begun_micros = 0;  // monotonic
    int64_t asked_micros = 0;  // likewise: when it was last heard of
    Timestamp answers_due;     // the call that it answers; 0: none
    OwnerId muster;            // of whose nodes it is one that prove themselves together; 0: alone
    Timestamp mustered;        // when that began
    // Since the challenge was handed out:
    std::unique_ptr<probe::ProbeSession> session;
    Sequence id;
    Quantity gpus;
    int64_t handed_out_micros = 0;  // monotonic, as the next
    int64_t answered_micros = 0;    // of the last step
    // Of the answer that is coming in:
    std::string bytes;
    int32_t part = 0, parts = 0;
    bool is_verified = false;  // it is the judge's
  };

  probe::Challenge ChallengeOf(const Probe& probe, const NodeRow& node,
                               const std::string& hardware_class, int64_t from_us) const;
  // The challenge but for its nonce: what is going to be asked, so that it can be made ready for.
  void TellSizes(Probe& probe, const NodeRow& node, const std::string& hardware_class,
                 Reply& reply);
  // The challenge, or the word to wait for it.
  RejectReason BeReady(Probe& probe, const NodeRow& node, const std::string& hardware_class,
                       Reply& reply);
  void HandOut(Probe& probe, const NodeRow& node, const std::string& hardware_class,
               int64_t at_micros, Reply& reply);
  MusterBoard::Answer ComeTo(MusterBoard::Gate gate, const Probe& probe,
                             std::span<const NodeId> awaited);
  RejectReason TakePart(Probe& probe, const ProbeAnswerRequest& request, Reply& reply);
  void HandIn(uint64_t tag, Probe& probe, uint64_t reply_tag);
  void OnVerdict(uint64_t tag, uint64_t reply_tag, const Sha256Digest& transcript,
                 const probe::Verdict& verdict);
  void Decide(const ProbeDecision& decision, uint64_t reply_tag);
  // Decides one that nothing more is taken of.
  void End(const Probe& probe, ProbeReason reason);
  void SendDecisions();
  bool HasExpired(const Probe& probe) const;

  ProbeJudge& judge_;
  MusterBoard& musters_;
  const MarketState& state_;
  engine::EnginePort& port_;
  const Clocks clocks_;
  const Post post_;
  const GatewayLimits& limits_;
  absl::flat_hash_map<uint64_t, Probe> probes_;  // by the tag that began them
  std::deque<wire::CommandRecord> decisions_;
  size_t verifying_ = 0;
};

}  // namespace warpbook::gateway
