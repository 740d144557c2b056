#include "gateway/net/probe_desk.h"

#include <algorithm>
#include <span>
#include <utility>
#include <vector>

#include "schema/base/check.h"
#include "schema/base/log.h"

namespace warpbook::gateway {
namespace {

probe::Seed Fresh() {
  probe::Seed seed;
  FillRandom(seed);
  return seed;
}

ProbeStep StepOf(probe::ProbeStage stage) {
  switch (stage) {
    case probe::ProbeStage::kProducts:
      return ProbeStep::kProducts;
    case probe::ProbeStage::kFilled:
      return ProbeStep::kFilled;
    case probe::ProbeStage::kGathered:
      return ProbeStep::kGathered;
    case probe::ProbeStage::kOpenings:
      return ProbeStep::kOpenings;
  }
  return ProbeStep::kReady;
}

// Whether the node has nothing to lose.
bool IsFirst(const NodeRow& node) { return node.proved_until == Timestamp(); }

// Bits from the first reason that does not refuse.
uint32_t FlagsOf(const probe::Verdict& verdict) {
  uint32_t flags = 0;
  for (const probe::Verdict::Cause& cause : verdict.causes) {
    if (Refuses(cause.reason)) continue;
    flags |= uint32_t{1} << (static_cast<int>(cause.reason) -
                             static_cast<int>(ProbeReason::kLapsed) - 1);
  }
  return flags;
}

}  // namespace

bool ProbeDesk::HasRoom(const NodeRow& node) const {
  size_t first = 0, of_account = 0, first_of_account = 0;
  for (const auto& [tag, probe] : probes_) {
    const bool is_own = probe.account == node.account;
    first += probe.is_first ? 1 : 0;
    of_account += is_own ? 1 : 0;
    first_of_account += is_own && probe.is_first ? 1 : 0;
  }
  return probes_.size() < limits_.probes_max && of_account < limits_.probes_per_account_max &&
         (!IsFirst(node) || (first < limits_.first_probes_max &&
                             first_of_account < limits_.first_probes_per_account_max));
}

void ProbeDesk::LookAtBegun(const PendingRequests& pending) {
  absl::erase_if(probes_, [&](const auto& entry) {
    const auto& [tag, probe] = entry;
    if (probe.session != nullptr) return false;
    const NodeRow* const node = state_.FindNode(probe.node);
    const bool is_begun = node != nullptr && node->probe_tag == tag;
    if (!is_begun) return !pending.IsOpen(tag);
    if (probe.connection_id != 0 && !HasExpired(probe)) return false;
    Decide({.node = probe.node, .probe = node->probe, .reason = ProbeReason::kUnfinished}, 0);
    return true;
  });
}

Sha256Digest ProbeDesk::Begin(uint64_t tag, uint64_t connection_id, const NodeRow& node,
                              probe::ProofSize size) {
  Probe& probe = probes_[tag];
  probe.connection_id = connection_id;
  probe.account = node.account;
  probe.node = node.id;
  probe.is_first = IsFirst(node);
  probe.nonce = Fresh();
  probe.size = size;
  probe.begun_micros = probe.asked_micros = clocks_.monotonic.NowMicros();
  return probe.nonce;
}

RejectReason ProbeDesk::BeReady(Probe& probe, const NodeRow& node,
                                const std::string& hardware_class, Reply& reply) {
  const int64_t now = clocks_.monotonic.NowMicros();
  const OwnerId owner = state_.FindAccount(node.account)->owner;
  bool is_alone = true;
  std::vector<NodeId> awaited;
  for (const NodeId id : state_.NodesOf(owner)) {
    const NodeRow& other = *state_.FindNode(id);
    if (id != node.id && TakesPart(other)) is_alone = false;
    // Of the calls, which go out one by one, only some may be known yet: all proved nodes are
    // meant.
    const bool is_meant = other.probe_due == node.probe_due || other.proved_until != Timestamp();
    if (is_meant) awaited.push_back(id);
  }
  probe.asked_micros = now;
  probe.answers_due = node.probe_due;
  probe.muster = is_alone ? OwnerId() : owner;
  if (is_alone) {
    HandOut(probe, node, hardware_class, now, reply);
    return RejectReason::kNone;
  }
  MusterBoard::Answer answer{.wait_micros = MusterBoard::kAskAgainMicros};
  // One that is not called will be at the prober's next look, with all others.
  if (node.probe_due != Timestamp()) answer = ComeTo(MusterBoard::Gate::kStart, probe, awaited);
  if (answer.is_missed) return RejectReason::kChallengeExpired;
  if (answer.wait_micros > 0) {
    reply.awaits = ProbeStep::kReady;
    reply.wait_micros = answer.wait_micros;
    return RejectReason::kNone;
  }
  probe.mustered = answer.opened;
  HandOut(probe, node, hardware_class, answer.opened_micros, reply);
  return RejectReason::kNone;
}

MusterBoard::Answer ProbeDesk::ComeTo(MusterBoard::Gate gate, const Probe& probe,
                                      std::span<const NodeId> awaited) {
  return musters_.Come(gate, probe.muster, probe.answers_due, probe.node, awaited,
                       {.monotonic_micros = clocks_.monotonic.NowMicros(),
                        .market = Timestamp(clocks_.market.NowMicros())});
}

probe::Challenge ProbeDesk::ChallengeOf(const Probe& probe, const NodeRow& node,
                                        const std::string& hardware_class, int64_t from_us) const {
  return {.id = node.probe.value(),
          .nonce = probe.nonce,
          .device_key = node.device_key,
          .hardware_class = hardware_class,
          .gpus = static_cast<int32_t>(node.registered.value()),
          .size = probe.size,
          .expires_us = from_us + limits_.probe_patience_micros};
}

void ProbeDesk::TellSizes(Probe& probe, const NodeRow& node, const std::string& hardware_class,
                          Reply& reply) {
  probe.asked_micros = clocks_.monotonic.NowMicros();
  probe::Challenge challenge = ChallengeOf(probe, node, hardware_class, clocks_.real.NowMicros());
  challenge.nonce = {};
  reply.challenge = probe::EncodeChallenge(challenge);
  reply.awaits = ProbeStep::kReady;
}

void ProbeDesk::HandOut(Probe& probe, const NodeRow& node, const std::string& hardware_class,
                        int64_t at_micros, Reply& reply) {
  const int64_t real_us = clocks_.real.NowMicros() - (clocks_.monotonic.NowMicros() - at_micros);
  probe.id = node.probe;
  probe.gpus = node.registered;
  probe.handed_out_micros = at_micros;
  probe.answered_micros = at_micros;
  const probe::Challenge challenge = ChallengeOf(probe, node, hardware_class, real_us);
  probe.session = std::make_unique<probe::ProbeSession>(challenge, real_us);
  reply.challenge = probe::EncodeChallenge(challenge);
  reply.awaits = ProbeStep::kProducts;
}

RejectReason ProbeDesk::TakePart(Probe& probe, const ProbeAnswerRequest& request, Reply& reply) {
  const size_t bytes_max = probe.session->bytes_max();
  const bool is_next =
      request.part == probe.part + 1 && (probe.part == 0 || request.parts == probe.parts);
  if (!is_next || probe.bytes.size() + request.data.size() > bytes_max) {
    // It may begin anew with the first.
    probe.part = 0;
    probe.bytes.clear();
    return RejectReason::kProbeAnswerUnexpected;
  }
  probe.part = request.part;
  probe.parts = request.parts;
  probe.bytes += request.data;
  reply.awaits = request.step;
  reply.part = request.part;
  return RejectReason::kNone;
}

RejectReason ProbeDesk::Answer(uint64_t connection_id, const ProbeAnswerRequest& request,
                               const NodeRow& node, const std::string& hardware_class,
                               const std::function<uint64_t()>& new_tag, Reply& reply) {
  const auto found = probes_.find(node.probe_tag);
  if (request.probe != node.probe || node.probe == Sequence() || found == probes_.end() ||
      found->second.connection_id != connection_id) {
    return RejectReason::kUnknownProbe;
  }
  Probe& probe = found->second;
  if (probe.is_verified) return RejectReason::kProbeAnswerUnexpected;
  if (request.step == ProbeStep::kSizes || request.step == ProbeStep::kReady) {
    if (probe.session != nullptr) return RejectReason::kProbeAnswerUnexpected;
    if (request.step == ProbeStep::kSizes) {
      TellSizes(probe, node, hardware_class, reply);
      return RejectReason::kNone;
    }
    const RejectReason reason = BeReady(probe, node, hardware_class, reply);
    if (reason != RejectReason::kNone) {
      Decide({.node = probe.node, .probe = node.probe, .reason = ProbeReason::kTooLate}, 0);
      probes_.erase(found);
    }
    return reason;
  }
  if (probe.session == nullptr) return RejectReason::kProbeAnswerUnexpected;
  if (HasExpired(probe)) {
    End(probe, ProbeReason::kTooLate);
    probes_.erase(found);
    return RejectReason::kChallengeExpired;
  }
  const std::optional<probe::ProbeStage> awaited = probe.session->awaited();
  if (!awaited || StepOf(*awaited) != request.step) return RejectReason::kProbeAnswerUnexpected;
  const RejectReason taken = TakePart(probe, request, reply);
  if (taken != RejectReason::kNone || request.part < request.parts) return taken;
  const std::string bytes = std::exchange(probe.bytes, {});
  probe.part = 0;
  reply = {};
  int64_t at = clocks_.monotonic.NowMicros();
  if (*awaited == probe::ProbeStage::kFilled && probe.muster != OwnerId()) {
    const MusterBoard::Answer answer = ComeTo(MusterBoard::Gate::kGather, probe, {});
    if (answer.is_missed) {
      End(probe, ProbeReason::kTooLate);
      probes_.erase(found);
      return RejectReason::kChallengeExpired;
    }
    if (answer.wait_micros > 0) {
      reply.awaits = ProbeStep::kFilled;
      reply.wait_micros = answer.wait_micros;
      return RejectReason::kNone;
    }
    at = std::max(answer.opened_micros, probe.answered_micros);
  }
  const auto asked = probe.session->Answer(*awaited, bytes, at - probe.handed_out_micros, Fresh());
  if (!asked.ok()) return RejectReason::kProbeAnswerUnexpected;
  probe.answered_micros = at;
  if (const auto next = probe.session->awaited()) {
    reply.awaits = StepOf(*next);
    reply.seed = *asked;
    return RejectReason::kNone;
  }
  reply.is_verified = true;
  HandIn(found->first, probe, new_tag());
  return RejectReason::kNone;
}

void ProbeDesk::HandIn(uint64_t tag, Probe& probe, uint64_t reply_tag) {
  probe.is_verified = true;
  ++verifying_;
  judge_.Verify({probe.session->record(), probe.session->TakeTranscript()},
                // Called by the judge's thread, which may outlive this.
                [this, post = post_, tag, reply_tag](const probe::Verdict& verdict,
                                                     const Sha256Digest& transcript) {
                  post([this, tag, reply_tag, transcript, verdict] {
                    OnVerdict(tag, reply_tag, transcript, verdict);
                  });
                });
}

void ProbeDesk::OnVerdict(uint64_t tag, uint64_t reply_tag, const Sha256Digest& transcript,
                          const probe::Verdict& verdict) {
  --verifying_;
  const auto found = probes_.find(tag);
  WARPBOOK_CHECK(found != probes_.end());
  const Probe& probe = found->second;
  ProbeDecision decision{.node = probe.node,
                         .probe = probe.id,
                         .transcript = transcript,
                         .int8_ops_per_s = verdict.bounds.int8_ops_per_s,
                         .bytes_per_s = verdict.bounds.bytes_per_s,
                         .memory_bytes = verdict.bounds.memory_bytes,
                         .flags = FlagsOf(verdict),
                         .reason = verdict.refusal()};
  if (verdict.passed()) {
    // The same for all that proved themselves together: by this they are known to have (Prober).
    const Timestamp proved = probe.muster ? probe.mustered : Timestamp(clocks_.market.NowMicros());
    decision.valid_until = proved.PlusMicros(judge_.policy().valid_micros);
    const NodeRow& node = *state_.FindNode(probe.node);
    decision.answers_call = node.probe_due != Timestamp() && node.probe_due == probe.answers_due;
    decision.gpus = probe.gpus;
    decision.share_bps = verdict.share_bps;
  }
  Log(verdict.passed() ? LogLevel::kInfo : LogLevel::kWarning, "probe_decided",
      JsonObject()
          .Integer("conn_id", static_cast<int64_t>(probe.connection_id))
          .Id("node", probe.node.value())
          .Text("detail", Name(decision.reason)));
  probes_.erase(found);
  Decide(decision, reply_tag);
}

void ProbeDesk::Decide(const ProbeDecision& decision, uint64_t reply_tag) {
  decisions_.push_back(MakeDecideProbe(decision, reply_tag));
  SendDecisions();
}

void ProbeDesk::SendDecisions() {
  while (!decisions_.empty() && port_.TrySubmit(std::span(&decisions_.front(), 1)) == 1) {
    decisions_.pop_front();
  }
}

// Who knows what is to be opened and does not open it has seen that it would be caught.
void ProbeDesk::End(const Probe& probe, ProbeReason reason) {
  if (probe.session->awaited() == probe::ProbeStage::kOpenings) reason = ProbeReason::kTilesMissing;
  Decide({.node = probe.node, .probe = probe.id, .reason = reason}, 0);
}

bool ProbeDesk::HasExpired(const Probe& probe) const {
  const int64_t now = clocks_.monotonic.NowMicros();
  if (probe.session == nullptr) {
    return now > probe.asked_micros + limits_.probe_patience_micros ||
           now > probe.begun_micros + limits_.probe_wait_micros;
  }
  return probe.session->HasExpired(now - probe.handed_out_micros);
}

void ProbeDesk::RemoveConnection(uint64_t connection_id) {
  absl::erase_if(probes_, [&](auto& entry) {
    Probe& probe = entry.second;
    // What is verified is decided all the same.
    if (probe.connection_id != connection_id || probe.is_verified) return false;
    probe.connection_id = 0;
    if (probe.session == nullptr) return false;  // LookAtBegun ends it, once it is known
    End(probe, ProbeReason::kUnfinished);
    return true;
  });
}

void ProbeDesk::GoOn() {
  absl::erase_if(probes_, [&](const auto& entry) {
    const Probe& probe = entry.second;
    if (probe.session == nullptr || probe.is_verified || !HasExpired(probe)) return false;
    End(probe, ProbeReason::kUnfinished);
    return true;
  });
  SendDecisions();
}

}  // namespace warpbook::gateway
