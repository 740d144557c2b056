// RequestHandler: one message of one connection, from its bytes to its answer: decoder, admission,
// and then either an answer from the published state or a command to the engine, whose answer comes
// with the durable event (gateway/publish/replier.h). Every message has exactly one answer. No
// sockets here; the I/O thread owns it.
//
// Its methods are in files by what they are about: session_requests.cc, account_, market_, order_,
// capacity_ and operator_requests.cc.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "engine/service/engine_port.h"
#include "gateway/admission/authenticator.h"
#include "gateway/admission/gatekeeper.h"
#include "gateway/admission/limits.h"
#include "gateway/admission/shared_admission.h"
#include "gateway/net/order_guardian.h"
#include "gateway/net/probe_desk.h"
#include "gateway/net/prober.h"
#include "gateway/net/published_checks.h"
#include "gateway/protocol/binary_decoder.h"
#include "gateway/protocol/command_builder.h"
#include "gateway/protocol/json_decoder.h"
#include "gateway/protocol/reply_writer.h"
#include "gateway/publish/history_queries.h"
#include "gateway/publish/late_reply.h"
#include "gateway/publish/publisher.h"
#include "gateway/publish/resumer.h"
#include "gateway/publish/statements.h"
#include "gateway/publish/subscriber.h"
#include "schema/base/clock.h"

namespace warpbook::gateway {

// The clocks of a gateway: signatures are made with real time, rates and delays measured with a
// monotonic one, and the market has its own.
struct GatewayClocks {
  const Clock& real;
  const Clock& monotonic;
  const Clock& market;
};

class RequestHandler {
 public:
  // Of the handlers of several I/O threads one has more to do.
  struct Role {
    // Looks after timers, and after what a process before has left.
    bool is_first = true;
    // An operator asks for the drain; its reply has been sent.
    std::function<void(int64_t timeout_micros)> on_drain = {};
    // Runs something on the I/O thread, from any other one.
    ProbeDesk::Post post = {};
  };

  // All that is passed must outlive it. The publisher has published what is past.
  RequestHandler(std::string server_name, const GatewayLimits& limits, SharedAdmission& admission,
                 Publisher& publisher, engine::EnginePort& port, SharedProbes& probes,
                 GatewayClocks clocks, Role role);

  // A text message: JSON. Each connection speaks its subscriber's encoding alone.
  void OnText(Visitor& visitor, Subscriber& subscriber, std::string_view text);
  // A binary one: FlatBuffers.
  void OnBinary(Visitor& visitor, Subscriber& subscriber, std::string_view bytes);

  // The connection has room again after it refused market data or a part of a replay.
  void OnRoom(uint64_t connection_id) { resumer_.OnRoom(connection_id); }
  // The port may have answers of the journal.
  void OnHistory() { history_.Poll(); }
  // The connection ends: nobody is to send to it any more.
  void RemoveConnection(uint64_t connection_id);

  // From now on commands are refused with kShuttingDown, and so is what waits for the journal.
  void BeginShutdown();
  // And no session's end is its own doing any more: nothing is cancelled for it.
  void BeginDrain();

  // The connection's logon comes to its end: by logout, with its key, or with the connection. Safe
  // to repeat.
  void OnLogonEnded(Visitor& visitor);
  // To be called when batches were published, and several times a second.
  void GoOn();
  // Whether all that this handler does by itself is done.
  bool idle() const { return guardian_.idle() && probe_desk_.idle(); }

 private:
  // One message on its way.
  struct Call {
    Visitor& visitor;
    Subscriber& subscriber;
    const DecodedMessage& message;
    int64_t time_in_us;
  };

  void Answer(Visitor& visitor, Subscriber& subscriber, const DecodedMessage& message,
              int64_t time_in_us);
  void Dispatch(Call& call);

  void Handle(Call& call, const Refusal& refusal);
  void Handle(Call& call, const PingRequest& request);
  void Handle(Call& call, const SessionChallengeRequest& request);
  void Handle(Call& call, const SessionLogonRequest& request);
  void Handle(Call& call, const SessionStatusRequest& request);
  void Handle(Call& call, const SessionLogoutRequest& request);
  void Handle(Call& call, const SessionResumeRequest& request);
  void Handle(Call& call, const AccountOpenRequest& request);
  void Handle(Call& call, const KeyAddRequest& request);
  void Handle(Call& call, const KeyRevokeRequest& request);
  void Handle(Call& call, const AccountBalancesRequest& request);
  void Handle(Call& call, const AccountOrdersRequest& request);
  void Handle(Call& call, const AccountLeasesRequest& request);
  void Handle(Call& call, const AccountNodesRequest& request);
  void Handle(Call& call, const AccountPositionsRequest& request);
  void Handle(Call& call, const AccountStatementRequest& request);
  void Handle(Call& call, const InstrumentsRequest& request);
  void Handle(Call& call, const SubscribeRequest& request);
  void Handle(Call& call, const UnsubscribeRequest& request);
  void Handle(Call& call, const BookResyncRequest& request);
  void Handle(Call& call, const OrderPlaceRequest& request);
  void Handle(Call& call, const OrderCancelAllRequest& request);
  void Handle(Call& call, const OrderBatchRequest& request);
  void Handle(Call& call, const OrderStatusRequest& request);
  void Handle(Call& call, const CancelAfterRequest& request);
  void Handle(Call& call, const CancelOnDisconnectRequest& request);
  void Handle(Call& call, const CapacityRegisterRequest& request);
  void Handle(Call& call, const ProbeBeginRequest& request);
  void Handle(Call& call, const ProbeAnswerRequest& request);
  void Handle(Call& call, const LeaseHeartbeatRequest& request);
  void Handle(Call& call, const InstrumentHaltRequest& request);
  void Handle(Call& call, const DrainRequest& request);
  // Those whose command needs nothing but what they say.
  void Handle(Call& call, const CreditsBuyRequest& request) { SubmitPlain(call, request); }
  void Handle(Call& call, const OrderAmendRequest& request) { SubmitPlain(call, request); }
  void Handle(Call& call, const OrderCancelRequest& request) { SubmitPlain(call, request); }
  void Handle(Call& call, const LeaseStartRequest& request) { SubmitPlain(call, request); }
  void Handle(Call& call, const LeaseCompleteRequest& request) { SubmitPlain(call, request); }
  void Handle(Call& call, const LeaseDisputeRequest& request) { SubmitPlain(call, request); }
  void Handle(Call& call, const LeaseJudgeRequest& request) { SubmitPlain(call, request); }
  void Handle(Call& call, const TokenDepositRequest& request) { SubmitPlain(call, request); }
  void Handle(Call& call, const TokenWithdrawRequest& request) { SubmitPlain(call, request); }
  void Handle(Call& call, const OwnerVerifyRequest& request) { SubmitPlain(call, request); }
  void Handle(Call& call, const LimitSetRequest& request) { SubmitPlain(call, request); }
  void Handle(Call& call, const CapacitySetRequest& request) { SubmitPlain(call, request); }
  void Handle(Call& call, const PriceSetRequest& request) { SubmitPlain(call, request); }
  void Handle(Call& call, const SettlementSubmitRequest& request) { SubmitPlain(call, request); }

  // The node, if it is the account's; else the call is refused.
  const NodeRow* OwnNode(Call& call, NodeId id);
  // The account that is logged on; its row is there, as its logon found it.
  const AccountRow& AccountOf(const Call& call) const;
  // The commands of a batch's items, or why there is none.
  struct ItemCommand {
    Refusal refusal;
    wire::CommandRecord command;
  };
  ItemCommand MakeItem(const Call& call, const OrderBatchItem& item, CommandOrigin origin);

  // The instrument of that symbol, if it is not closed; else the call is refused.
  const InstrumentRow* OpenInstrument(Call& call, std::string_view symbol);

  // The topic that a public channel, a symbol and an interval name; false: the call is refused.
  bool TopicOf(Call& call, Channel channel, std::string_view symbol, CandleInterval interval,
               Topic& topic);
  void SubscribePublic(Call& call, const SubscribeRequest& request);
  void SubscribePrivate(Call& call, const SubscribeRequest& request);
  bool HasRoomForSubscriptions(const Call& call, size_t count);
  LateReply LateReplyTo(const Call& call) const;
  // A list of the account's rows, in pages.
  template <typename WriteRows>
  void AnswerList(Call& call, std::string_view key, const ListFields& list, WriteRows write_rows);

  // Sends the command that `make(origin)` gives, from `account`.
  template <typename Make>
  void Submit(Call& call, AccountId account, Make&& make);
  template <typename R>
  void SubmitPlain(Call& call, const R& request);

  // False: the command is only to be checked, and was refused. Before Submit, which gives the
  // answer of those that passed.
  template <typename R>
  bool PassesChecks(Call& call, const R& request);
  // The answer of a command that is only to be checked, and was.
  void Validated(Call& call);

  // The answers that need no command.
  template <typename WriteFields>
  void Succeed(Call& call, WriteFields&& write_fields);
  void Refuse(Call& call, const Refusal& refusal);
  void Refuse(Call& call, RejectReason reason, std::string_view param = "");
  ReplyHead HeadOf(const Call& call) const;
  PublishedMarketView MarketView(const Call& call) const;
  // What is known of a connection from its first message on.
  void Introduce(Visitor& visitor);

  const Authenticator authenticator_;
  const GatewayLimits& limits_;
  SharedAdmission& admission_;
  Publisher& publisher_;
  engine::EnginePort& port_;
  const GatewayClocks clocks_;
  HistoryQueries history_;
  Resumer resumer_;
  Statements statements_;
  const Role role_;
  OrderGuardian guardian_;
  const ProbeJudge& judge_;
  ProbeDesk probe_desk_;
  Prober prober_;
  JsonDecoder json_decoder_;
  BinaryDecoder binary_decoder_;
  bool shutting_down_ = false;
  std::string message_;  // being written; kept for its memory
};

// ---- Implementation ----

template <typename WriteFields>
void RequestHandler::Succeed(Call& call, WriteFields&& write_fields) {
  ReplyHead head = HeadOf(call);
  // The state that the answer was taken from.
  head.sequence = publisher_.last_sequence();
  message_.clear();
  MessageWriter out(call.subscriber.encoding(), message_);
  WriteReply(out, head, write_fields);
  publisher_.tally().OnReply(call.message.method, head);
  call.subscriber.Send(message_);
}

template <typename Make>
void RequestHandler::Submit(Call& call, AccountId account, Make&& make) {
  const Method method = *call.message.method;
  // The engine itself checks these two.
  const bool validate = call.message.validate;
  const bool by_engine = method == Method::kOrderPlace || method == Method::kOrderAmend;
  if (validate && !by_engine) return Validated(call);
  PendingRequests& pending = publisher_.replier().pending();
  const uint64_t connection_id = call.visitor.connection_id;
  if (pending.CountOf(connection_id) >= call.visitor.limits.in_flight_max) {
    return Refuse(call, RejectReason::kTooManyInFlight);
  }
  const uint64_t tag = pending.NextTag(call.visitor.session);
  const wire::CommandRecord command =
      make(CommandOrigin{.account = account, .tag = tag, .validate_only = validate});
  if (port_.TrySubmit(std::span(&command, 1)) == 0) {
    return Refuse(call, {.reason = RejectReason::kEngineBusy,
                         .retry_after_us = limits_.engine_busy_retry_micros});
  }
  pending.Add(tag, {.connection_id = connection_id,
                    .method = method,
                    .req_id = call.message.req_id,
                    .time_in_us = call.time_in_us});
  if (IsDecidedBySettlement(method)) {
    pending.AddDeadline(tag, clocks_.monotonic.NowMicros() + limits_.settlement_reply_micros);
  }
}

template <typename R>
bool RequestHandler::PassesChecks(Call& call, const R& request) {
  if (!call.message.validate) return true;
  const Refusal refusal = CheckAsPublished(MarketView(call), request);
  if (refusal.reason == RejectReason::kNone) return true;
  Refuse(call, refusal);
  return false;
}

template <typename R>
void RequestHandler::SubmitPlain(Call& call, const R& request) {
  const AccountId account = call.visitor.logged_on->account;
  if (!PassesChecks(call, request)) return;
  Submit(call, account, [&](CommandOrigin origin) { return MakeCommand(request, origin); });
}

}  // namespace warpbook::gateway
