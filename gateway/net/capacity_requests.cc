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
