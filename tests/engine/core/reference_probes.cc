// The reference's probes.
#include <algorithm>

#include "tests/engine/core/reference_market.h"

namespace warpbook::reference {

// Reasons by number (schema/types/probe_reason.h).
namespace {
constexpr int kPassed = 0, kUnfinished = 1, kTooLate = 2, kNoProbe = 14, kLapsed = 20;
}  // namespace

ReferenceMarket::Answer ReferenceMarket::Do(const wire::CallProbe& c) {
  if (c.header().account_id() != 0) return {RejectReason::kNotPermitted};
  if (c.node_id() == 0 || c.node_id() > nodes_.size()) return {RejectReason::kUnknownNode};
  if (c.due_us() <= now_) return {RejectReason::kDeadlinePassed};
  Node& node = nodes_[c.node_id() - 1];
  Accept(c.header(), wire::RecordType::kCallProbe, node.id);
  if (node.probe_due == 0 || c.due_us() < node.probe_due) {
    node.probe_due = c.due_us();
    wire::ProbeCalled event;
    event.mutate_node_id(node.id);
    event.mutate_due_us(c.due_us());
    EmitPrivate(event, node.account);
  }
  return {};
}

ReferenceMarket::Answer ReferenceMarket::Do(const wire::BeginProbe& c) {
  if (ToBytes(c.nonce()) == Bytes32{}) return {RejectReason::kMalformedCommand};
  const Answer sender = Sender(c.header(), AccountKind::kMember);
  if (sender.reason != RejectReason::kNone) return sender;
  if (c.node_id() == 0 || c.node_id() > nodes_.size() ||
      nodes_[c.node_id() - 1].account != c.header().account_id()) {
    return {RejectReason::kUnknownNode};
  }
  if (c.expires_us() <= now_) return {RejectReason::kDeadlinePassed};
  Node& node = nodes_[c.node_id() - 1];
  if (node.probe != 0 && now_ < node.probe_over) {
    return {RejectReason::kProbeUnderWay, node.probe_over};
  }
  node.probe = sequence_;
  node.probe_over = c.expires_us();
  wire::ProbeBegun event;
  event.mutate_tag(c.header().tag());
  event.mutate_node_id(node.id);
  event.mutate_probe_id(sequence_);
  event.mutate_expires_us(c.expires_us());
  EmitPrivate(event, node.account);
  return {};
}

ReferenceMarket::Answer ReferenceMarket::JudgeDecision(const wire::DecideProbe& c) const {
  const int reason = c.reason();
  bool well_formed = reason <= kLapsed && c.flags() < 16 && c.answers_call() < 2 &&
                     c.int8_ops_per_s() >= 0 && c.bytes_per_s() >= 0 && c.memory_bytes() >= 0;
  if (reason == kPassed) {
    well_formed = well_formed && c.probe_id() > 0 && c.gpus() > 0 && c.valid_until_us() > 0 &&
                  c.share() >= 0 && c.share() <= 10'000;
  } else {
    well_formed = well_formed && c.gpus() == 0 && c.valid_until_us() == 0 && c.share() == 0 &&
                  c.answers_call() == 0;
  }
  if (!well_formed) return {RejectReason::kMalformedCommand};
  if (c.header().account_id() != 0) return {RejectReason::kNotPermitted};
  if (c.node_id() == 0 || c.node_id() > nodes_.size()) return {RejectReason::kUnknownNode};
  const Node& node = nodes_[c.node_id() - 1];
  const bool is_open = c.probe_id() != 0 && c.probe_id() == node.probe;
  const bool has_lapsed =
      c.probe_id() == 0 && reason == kLapsed && node.proved_until != 0 && now_ >= node.proved_until;
  const bool was_called =
      c.probe_id() == 0 && reason == kUnfinished && node.probe_due != 0 && now_ >= node.probe_due;
  if (!is_open && !has_lapsed && !was_called) return {RejectReason::kUnknownProbe};
  if (c.gpus() > node.registered) return {RejectReason::kInvalidQuantity, node.registered};
  if (reason == kPassed && c.valid_until_us() <= now_) return {RejectReason::kDeadlinePassed};
  return {};
}

ReferenceMarket::Answer ReferenceMarket::Do(const wire::DecideProbe& c) {
  if (const Answer answer = JudgeDecision(c); answer.reason != RejectReason::kNone) return answer;
  Node& node = nodes_[c.node_id() - 1];
  const int reason = c.reason();
  const bool of_time = c.probe_id() == 0;
  const bool nothing_learned =
      reason == kNoProbe || (!of_time && (reason == kUnfinished || reason == kTooLate));
  if (!of_time) node.probe = 0;
  if (!nothing_learned) {
    node.proved_until = c.valid_until_us();
    if (reason != kPassed || c.answers_call() == 1) node.probe_due = 0;
  }
  wire::ProbeDecided event;
  event.mutate_tag(c.header().tag());
  event.mutate_node_id(node.id);
  event.mutate_probe_id(c.probe_id());
  PutBytes(event.mutable_transcript(), ToBytes(c.transcript()));
  event.mutate_int8_ops_per_s(c.int8_ops_per_s());
  event.mutate_bytes_per_s(c.bytes_per_s());
  event.mutate_memory_bytes(c.memory_bytes());
  event.mutate_proved_until_us(node.proved_until);
  event.mutate_probe_due_us(node.probe_due);
  event.mutate_gpus(c.gpus());
  event.mutate_share(c.share());
  event.mutate_flags(c.flags());
  event.mutate_reason(c.reason());
  EmitPrivate(event, node.account);
  if (nothing_learned) return {};
  if (reason == kPassed) {
    ChangeCapacity(node, std::min(c.gpus(), node.allowed), std::min(node.assurance, 1));
  } else if (reason == kLapsed || reason == kUnfinished) {
    ChangeCapacity(node, node.gpus, 2);
  } else {
    ChangeCapacity(node, 0, 2);
  }
  return {};
}

}  // namespace warpbook::reference
