#include "gateway/net/request_handler.h"

#include <utility>
#include <variant>

namespace warpbook::gateway {
namespace {

DecodedMessage Refused(RejectReason reason) {
  DecodedMessage message;
  message.request = Refusal{.reason = reason};
  return message;
}

}  // namespace

RequestHandler::RequestHandler(std::string server_name, const GatewayLimits& limits,
                               SharedAdmission& admission, Publisher& publisher,
                               engine::EnginePort& port, SharedProbes& probes, GatewayClocks clocks,
                               Role role)
    : authenticator_(std::move(server_name)),
      limits_(limits),
      admission_(admission),
      publisher_(publisher),
      port_(port),
      clocks_(clocks),
      history_(port),
      resumer_(publisher, history_, clocks.real, clocks.market, limits.history),
      statements_(publisher, history_, clocks.real, clocks.market, limits.history),
      role_(std::move(role)),
      guardian_(publisher, port),
      judge_(probes.judge),
      probe_desk_(probes, publisher.state(), port,
                  {.real = clocks.real, .monotonic = clocks.monotonic, .market = clocks.market},
                  role_.post, limits),
      prober_(publisher.state(), port, probes),
      json_decoder_(limits.message_bytes_max),
      binary_decoder_(limits.message_bytes_max) {
  if (!role_.is_first) return;
  guardian_.TakeOverSessions();
  prober_.TakeOver();
}

void RequestHandler::BeginDrain() {
  BeginShutdown();
  guardian_.BeginDrain();
}

void RequestHandler::OnLogonEnded(Visitor& visitor) {
  guardian_.OnSessionEnd(visitor.session);
  resumer_.Remove(visitor.connection_id, RejectReason::kNotLoggedOn);
  visitor.logged_on.reset();
  visitor.session = NextSessionMark();
}

void RequestHandler::GoOn() {
  if (role_.is_first) guardian_.LookAtTimers(Timestamp(clocks_.real.NowMicros()));
  guardian_.GoOn();
  probe_desk_.LookAtBegun(publisher_.replier().pending());
  probe_desk_.GoOn();
  if (role_.is_first && !shutting_down_) prober_.Look(Timestamp(clocks_.market.NowMicros()));
}

void RequestHandler::Introduce(Visitor& visitor) {
  if (visitor.is_introduced) return;
  visitor.is_introduced = true;
  if (!visitor.on_admin) {
    visitor.address_requests =
        admission_.budgets().address_requests.Get(visitor.address, clocks_.monotonic.NowMicros());
  }
  publisher_.replier().StateLimits(visitor.connection_id, [this, &visitor] {
    return visitor.LimitsAt(clocks_.monotonic.NowMicros());
  });
}

void RequestHandler::OnText(Visitor& visitor, Subscriber& subscriber, std::string_view text) {
  const int64_t time_in_us = clocks_.real.NowMicros();
  if (subscriber.encoding() != Encoding::kJson) {
    return Answer(visitor, subscriber, Refused(RejectReason::kTextNotSupported), time_in_us);
  }
  Answer(visitor, subscriber, json_decoder_.Decode(text), time_in_us);
}

void RequestHandler::OnBinary(Visitor& visitor, Subscriber& subscriber, std::string_view bytes) {
  const int64_t time_in_us = clocks_.real.NowMicros();
  if (subscriber.encoding() != Encoding::kFlatBuffers) {
    return Answer(visitor, subscriber, Refused(RejectReason::kBinaryNotSupported), time_in_us);
  }
  Answer(visitor, subscriber, binary_decoder_.Decode(bytes), time_in_us);
}

void RequestHandler::Answer(Visitor& visitor, Subscriber& subscriber, const DecodedMessage& message,
                            int64_t time_in_us) {
  Call call{visitor, subscriber, message, time_in_us};
  Dispatch(call);
}

void RequestHandler::Dispatch(Call& call) {
  Introduce(call.visitor);
  publisher_.tally().OnReceived(call.message.method);
  const int64_t now = clocks_.monotonic.NowMicros();
  if (!std::holds_alternative<Refusal>(call.message.request)) {
    // A batch counts as what it holds.
    const auto* batch = std::get_if<OrderBatchRequest>(&call.message.request);
    const auto count = static_cast<int64_t>(batch == nullptr ? 1 : batch->items.size());
    const Refusal refusal = Admit(call.visitor, *call.message.method, count, shutting_down_, now);
    if (refusal.reason != RejectReason::kNone) return Refuse(call, refusal);
  } else {
    // A bad message counts like any other, but its own fault is the answer.
    call.visitor.requests.Take(now);
    if (call.visitor.address_requests != nullptr) call.visitor.address_requests->Take(now);
  }
  std::visit([&](const auto& request) { Handle(call, request); }, call.message.request);
}

void RequestHandler::RemoveConnection(uint64_t connection_id) {
  resumer_.Remove(connection_id, RejectReason::kNone);
  statements_.Remove(connection_id);
  probe_desk_.RemoveConnection(connection_id);
}

void RequestHandler::BeginShutdown() {
  shutting_down_ = true;
  resumer_.RefuseUnanswered(RejectReason::kShuttingDown);
  statements_.RefuseAll(RejectReason::kShuttingDown);
}

// ---- Answers ----

ReplyHead RequestHandler::HeadOf(const Call& call) const {
  return {.method = call.message.method_name,
          .req_id = call.message.req_id,
          .sequence = 0,
          .time_in_us = call.time_in_us,
          .time_out_us = clocks_.real.NowMicros(),
          .limits = call.visitor.LimitsAt(clocks_.monotonic.NowMicros())};
}

PublishedMarketView RequestHandler::MarketView(const Call& call) const {
  return {.state = publisher_.state(),
          .account = call.visitor.logged_on->account,
          .now = Timestamp(clocks_.market.NowMicros())};
}

void RequestHandler::Validated(Call& call) {
  Succeed(call, [](MessageWriter& out) { out.Field("validated", true); });
}

LateReply RequestHandler::LateReplyTo(const Call& call) const {
  return {.connection_id = call.visitor.connection_id,
          .subscriber = &call.subscriber,
          .tally = &publisher_.tally(),
          .method = *call.message.method,
          .req_id = call.message.req_id,
          .time_in_us = call.time_in_us,
          .limits = call.visitor.LimitsAt(clocks_.monotonic.NowMicros())};
}

void RequestHandler::Refuse(Call& call, const Refusal& refusal) {
  message_.clear();
  MessageWriter out(call.subscriber.encoding(), message_);
  const ReplyHead head = HeadOf(call);
  WriteError(out, head, refusal, RequestOutcome::kRejected);
  publisher_.tally().OnReply(call.message.method, head);
  publisher_.tally().OnRejected(refusal.reason);
  call.subscriber.Send(message_);
}

void RequestHandler::Refuse(Call& call, RejectReason reason, std::string_view param) {
  Refuse(call, Refusal{.reason = reason, .param = std::string(param)});
}

void RequestHandler::Handle(Call& call, const Refusal& refusal) { Refuse(call, refusal); }

}  // namespace warpbook::gateway
