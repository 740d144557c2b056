#include "gateway/protocol/reply_writer.h"

#include "schema/types/reject_reason.h"

namespace warpbook::gateway {
namespace {

std::string_view OutcomeName(RequestOutcome outcome) {
  switch (outcome) {
    case RequestOutcome::kRejected:
      return "rejected";
    case RequestOutcome::kAccepted:
      return "accepted";
    case RequestOutcome::kUnknown:
      return "unknown";
  }
  return "";
}

// The field of the request that an engine's refusal is about; "" where it is about none.
std::string_view EngineParam(RejectReason reason) {
  switch (reason) {
    case RejectReason::kDeadlinePassed:
      return "deadline";
    case RejectReason::kUnknownAccount:
      return "account";
    case RejectReason::kUnknownInstrument:
    case RejectReason::kInstrumentHalted:
    case RejectReason::kInstrumentGateClosed:
    case RejectReason::kInstrumentClosed:
    case RejectReason::kLessThanOneMinute:
    case RejectReason::kInvalidInstrumentState:
      return "symbol";
    case RejectReason::kClientOrderIdReused:
      return "cl_ord_id";
    case RejectReason::kUnknownOrder:
      return "order_id";
    case RejectReason::kInvalidQuantity:
    case RejectReason::kInsufficientCapacity:
    case RejectReason::kInsufficientLeaseGpus:
      return "gpus";
    case RejectReason::kInvalidMinFill:
      return "min_fill";
    case RejectReason::kPriceNotPositive:
    case RejectReason::kPriceOffTick:
    case RejectReason::kPriceOutsideBand:
      return "price";
    case RejectReason::kMarketNeedsIocOrFok:
    case RejectReason::kFokNotFillable:
    case RejectReason::kFokMeetsOwnOrder:
      return "time_in_force";
    case RejectReason::kPostOnlyNeedsResting:
    case RejectReason::kPostOnlyWouldTrade:
      return "post_only";
    case RejectReason::kExpiryInPast:
      return "expires";
    case RejectReason::kAskNeedsNodeOrLease:
    case RejectReason::kUnknownNode:
    case RejectReason::kNodeNotApproved:
    case RejectReason::kNodeWrongInstrument:
      return "node";
    case RejectReason::kLeaseNotResalable:
    case RejectReason::kResaleChainTooLong:
    case RejectReason::kUnknownLease:
    case RejectReason::kLeaseWrongState:
    case RejectReason::kLeaseNotStartable:
    case RejectReason::kLeaseStartTooLate:
    case RejectReason::kLeaseNotDelivered:
    case RejectReason::kDisputeTimeOver:
    case RejectReason::kJudgingTimeOver:
      return "lease";
    case RejectReason::kMinuteOutsideLease:
    case RejectReason::kMinuteInFuture:
    case RejectReason::kHeartbeatTooLate:
      return "minute";
    case RejectReason::kKeyInUse:
    case RejectReason::kUnknownKey:
    case RejectReason::kLastKey:
      return "public_key";
    case RejectReason::kUnknownOwner:
      return "owner";
    case RejectReason::kInvalidScopes:
      return "scopes";
    case RejectReason::kInvalidPriceFeed:
      return "feeds";
    case RejectReason::kInvalidReference:
    case RejectReason::kReferenceReused:
      return "reference";
    case RejectReason::kNumberRepeated:
    case RejectReason::kNumberGap:
      return "number";
    case RejectReason::kUnknownRequest:
      return "request";
    default:
      return "";
  }
}

}  // namespace

void BeginReply(MessageWriter& out, const ReplyHead& head, bool success) {
  out.BeginObject();
  if (!head.method.empty()) out.Field("method", head.method);
  if (head.req_id) out.Field("req_id", *head.req_id);
  out.Field("success", success);
}

void EndReply(MessageWriter& out, const ReplyHead& head) {
  if (head.sequence != 0) out.Field("seq", head.sequence);
  out.Field("time_in", head.time_in_us).Field("time_out", head.time_out_us);
  if (head.limits.count != 0) {
    out.Key("limits").BeginArray();
    for (const LimitState& limit : head.limits.view()) {
      out.BeginObject().Field("name", limit.name).Field("used", limit.used);
      out.Field("limit", limit.limit).Field("reset_us", limit.reset_us).EndObject();
    }
    out.EndArray();
  }
  out.EndObject().Finish();
}

void WriteErrorObject(MessageWriter& out, const Refusal& refusal, RequestOutcome outcome) {
  const auto info = FindRejectReason(refusal.reason);
  out.BeginObject();
  out.Field("code", RejectReasonCode(refusal.reason));
  out.Field("number", static_cast<uint16_t>(refusal.reason));
  out.Field("message", info ? info->message : std::string_view());
  out.Key("data").BeginObject();
  out.Field("param", refusal.param).Field("reason", refusal.detail);
  out.Field("retry_after_us", refusal.retry_after_us).EndObject();
  out.Field("outcome", OutcomeName(outcome)).EndObject();
}

void WriteError(MessageWriter& out, const ReplyHead& head, const Refusal& refusal,
                RequestOutcome outcome) {
  BeginReply(out, head, false);
  out.Key("error");
  WriteErrorObject(out, refusal, outcome);
  EndReply(out, head);
}

Refusal EngineRefusal(RejectReason reason, int64_t detail) {
  Refusal refusal{.reason = reason, .param = std::string(EngineParam(reason))};
  if (detail != 0) refusal.detail = std::to_string(detail);
  return refusal;
}

}  // namespace warpbook::gateway
