#include <algorithm>

#include "gateway/net/request_handler.h"

namespace warpbook::gateway {

void RequestHandler::Handle(Call& call, const CapacityRegisterRequest& request) {
  const Catalogue& catalogue = publisher_.state().catalogue();
  const HardwareClass* hardware_class = catalogue.FindClass(request.hardware_class);
  if (hardware_class == nullptr) {
    return Refuse(call, RejectReason::kUnknownValue, "hardware_class");
  }
  const Region* region = catalogue.FindRegion(request.region);
  if (region == nullptr) return Refuse(call, RejectReason::kUnknownValue, "region");
  const AccountId account = call.visitor.logged_on->account;
  if (!authenticator_.VerifyNode(request.device_key, account, request.signature)) {
    return Refuse(call, RejectReason::kBadSignature, "signature");
  }
  if (!PassesChecks(call, request)) return;
  Submit(call, account, [&](CommandOrigin origin) {
    return MakeCommand(request, origin, hardware_class->id, region->id);
  });
}

const NodeRow* RequestHandler::OwnNode(Call& call, NodeId id) {
  const NodeRow* node = publisher_.state().FindNode(id);
  if (node != nullptr && node->account == call.visitor.logged_on->account) return node;
  Refuse(call, RejectReason::kUnknownNode, "node");
  return nullptr;
}

void RequestHandler::Handle(Call& call, const ProbeBeginRequest& request) {
  const NodeRow* node = OwnNode(call, request.node);
  if (node == nullptr) return;
  const HardwareClass* hardware_class = publisher_.state().catalogue().FindClass(node->class_id);
  const auto size =
      judge_.SizesFor(hardware_class->name, static_cast<int32_t>(node->registered.value()));
  if (!size) return Refuse(call, RejectReason::kNoProbe, "node");
  const OwnerId owner = publisher_.state().FindAccount(node->account)->owner;
  const auto others = std::ranges::count_if(publisher_.state().NodesOf(owner), [&](NodeId id) {
    return id != node->id && TakesPart(*publisher_.state().FindNode(id));
  });
  if (static_cast<size_t>(others) >= limits_.proved_nodes_max) {
    return Refuse(call, {.reason = RejectReason::kTooManyNodes,
                         .detail = absl::StrCat(limits_.proved_nodes_max, " are proved together")});
  }
  if (!probe_desk_.HasRoom(*node)) {
    return Refuse(call, {.reason = RejectReason::kRateLimited,
                         .retry_after_us = limits_.probes_retry_micros});
  }
  if (!PassesChecks(call, request)) return;
  Submit(call, call.visitor.logged_on->account, [&](CommandOrigin origin) {
    const Sha256Digest nonce =
        probe_desk_.Begin(origin.tag, call.visitor.connection_id, *node, *size);
    const int64_t over =
        clocks_.market.NowMicros() + limits_.probe_patience_micros + limits_.probe_verdict_micros;
    return MakeCommand(request, origin, nonce, Timestamp(over));
  });
}

void RequestHandler::Handle(Call& call, const ProbeAnswerRequest& request) {
  const NodeRow* node = OwnNode(call, request.node);
  if (node == nullptr) return;
  PendingRequests& pending = publisher_.replier().pending();
  const auto new_tag = [&] {
    const uint64_t tag = pending.NextTag(call.visitor.session);
    pending.Add(tag, {.connection_id = call.visitor.connection_id,
                      .method = *call.message.method,
                      .req_id = call.message.req_id,
                      .time_in_us = call.time_in_us});
    return tag;
  };
  ProbeDesk::Reply reply;
  const RejectReason reason = probe_desk_.Answer(
      call.visitor.connection_id, request, *node,
      publisher_.state().catalogue().FindClass(node->class_id)->name, new_tag, reply);
  if (reason != RejectReason::kNone) return Refuse(call, reason);
  if (reply.is_verified) return;  // answered by the verdict
  Succeed(call, [&](MessageWriter& out) {
    if (reply.awaits) out.Field("awaits", Name(*reply.awaits));
    if (reply.part != 0) out.Field("part", reply.part);
    if (!reply.challenge.empty()) out.FieldBlob("challenge", reply.challenge);
    if (reply.seed) out.FieldBytes("seed", *reply.seed);
    if (reply.wait_micros > 0) out.Field("wait_us", reply.wait_micros);
  });
}

void RequestHandler::Handle(Call& call, const LeaseHeartbeatRequest& request) {
  const LeaseRow* lease = publisher_.state().FindLease(request.lease);
  if (lease == nullptr || lease->provider != call.visitor.logged_on->account) {
    return Refuse(call, RejectReason::kUnknownLease, "lease");
  }
  const NodeRow* node = publisher_.state().FindNode(lease->node);
  if (node == nullptr || !authenticator_.VerifyHeartbeat(node->device_key, request.lease,
                                                         request.minute, request.signature)) {
    return Refuse(call, RejectReason::kBadSignature, "signature");
  }
  SubmitPlain(call, request);
}

}  // namespace warpbook::gateway
