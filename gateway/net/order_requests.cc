#include <variant>
#include <vector>

#include "gateway/net/request_handler.h"
#include "gateway/publish/private_messages.h"

namespace warpbook::gateway {

void RequestHandler::Handle(Call& call, const OrderPlaceRequest& request) {
  // A closed one too: a repeat of an order of its days gets the first answer, which only the engine
  // knows.
  const InstrumentRow* instrument = publisher_.state().FindInstrument(request.symbol);
  if (instrument == nullptr) return Refuse(call, RejectReason::kUnknownInstrument, "symbol");
  const InstrumentId id = instrument->terms->id;
  Submit(call, call.visitor.logged_on->account,
         [&](CommandOrigin origin) { return MakeCommand(request, origin, id); });
}

void RequestHandler::Handle(Call& call, const OrderCancelAllRequest& request) {
  const MarketState& state = publisher_.state();
  InstrumentId instrument_id;
  if (request.symbol) {
    // A closed one too: no order is left in it.
    const InstrumentRow* instrument = state.FindInstrument(*request.symbol);
    if (instrument == nullptr) return Refuse(call, RejectReason::kUnknownInstrument, "symbol");
    instrument_id = instrument->terms->id;
  }
  ClassId class_id;
  if (request.hardware_class) {
    const HardwareClass* hardware_class = state.catalogue().FindClass(*request.hardware_class);
    if (hardware_class == nullptr) {
      return Refuse(call, RejectReason::kUnknownValue, "hardware_class");
    }
    class_id = hardware_class->id;
  }
  if (!PassesChecks(call, request)) return;
  Submit(call, call.visitor.logged_on->account, [&](CommandOrigin origin) {
    return MakeCommand(request, origin, instrument_id, class_id);
  });
}

// ---- Batches ----

RequestHandler::ItemCommand RequestHandler::MakeItem(const Call& call, const OrderBatchItem& item,
                                                     CommandOrigin origin) {
  if (const auto* refusal = std::get_if<Refusal>(&item.request)) return {*refusal, {}};
  if (const auto* place = std::get_if<OrderPlaceRequest>(&item.request)) {
    const InstrumentRow* instrument = publisher_.state().FindInstrument(place->symbol);
    if (instrument == nullptr) {
      return {{.reason = RejectReason::kUnknownInstrument, .param = "symbol"}, {}};
    }
    return {{}, MakeCommand(*place, origin, instrument->terms->id)};
  }
  if (const auto* amend = std::get_if<OrderAmendRequest>(&item.request)) {
    return {{}, MakeCommand(*amend, origin)};
  }
  const auto& cancel = std::get<OrderCancelRequest>(item.request);
  Refusal refusal;
  if (origin.validate_only) refusal = CheckAsPublished(MarketView(call), cancel);
  return {refusal, MakeCommand(cancel, origin)};
}

void RequestHandler::Handle(Call& call, const OrderBatchRequest& request) {
  struct Sent {
    uint64_t tag;
    uint32_t item;
  };
  Replier& replier = publisher_.replier();
  PendingRequests& pending = replier.pending();
  const uint64_t connection_id = call.visitor.connection_id;
  const size_t in_flight_max = call.visitor.limits.in_flight_max;
  const size_t in_flight = pending.CountOf(connection_id);
  const PendingRequest whole{.connection_id = connection_id,
                             .method = Method::kOrderBatch,
                             .req_id = call.message.req_id,
                             .time_in_us = call.time_in_us};
  const uint64_t batch = replier.BeginBatch(whole, request.items.size());
  std::vector<wire::CommandRecord> commands;
  std::vector<Sent> sent;
  for (uint32_t i = 0; i < request.items.size(); ++i) {
    const OrderBatchItem& item = request.items[i];
    const bool validate = call.message.validate || item.validate;
    const CommandOrigin origin{.account = call.visitor.logged_on->account,
                               .tag = pending.NextTag(call.visitor.session),
                               .validate_only = validate};
    const ItemCommand made = MakeItem(call, item, origin);
    if (made.refusal.reason != RejectReason::kNone) {
      replier.RefuseItem(batch, i, item.method, made.refusal);
    } else if (validate && item.method == Method::kOrderCancel) {
      replier.ValidateItem(batch, i, item.method);
    } else if (in_flight + commands.size() >= in_flight_max) {
      replier.RefuseItem(batch, i, item.method, {.reason = RejectReason::kTooManyInFlight});
    } else {
      commands.push_back(made.command);
      sent.push_back({.tag = origin.tag, .item = i});
    }
  }
  const size_t taken = commands.empty() ? 0 : port_.TrySubmit(commands);
  for (size_t i = 0; i < sent.size(); ++i) {
    const uint32_t item = sent[i].item;
    const Method method = request.items[item].method;
    if (i >= taken) {
      replier.RefuseItem(batch, item, method,
                         {.reason = RejectReason::kEngineBusy,
                          .retry_after_us = limits_.engine_busy_retry_micros});
      continue;
    }
    PendingRequest one = whole;
    one.method = method;
    one.batch = batch;
    one.item = item;
    pending.Add(sent[i].tag, one);
  }
  replier.EndBatch(batch, publisher_.last_sequence());
}

// ---- Status ----

void RequestHandler::Handle(Call& call, const OrderStatusRequest& request) {
  const MarketState& state = publisher_.state();
  const AccountId account = call.visitor.logged_on->account;
  const OrderId id =
      request.order_id ? request.order_id : state.FindOrder(account, request.client_order_id);
  const OrderRow* open = state.FindOrder(id);
  if (open != nullptr && open->account == account) {
    return Succeed(call, [&](MessageWriter& out) { WriteOrderStatus(out, *open, state); });
  }
  const FinishedOrder* finished = state.finished_orders().Find(id);
  if (finished != nullptr && finished->account == account) {
    return Succeed(call, [&](MessageWriter& out) { WriteOrderStatus(out, *finished, state); });
  }
  Refuse(call, RejectReason::kUnknownOrder, request.order_id ? "order_id" : "cl_ord_id");
}

// ---- Guards ----

void RequestHandler::Handle(Call& call, const CancelAfterRequest& request) {
  if (!PassesChecks(call, request)) return;
  const Timestamp now(clocks_.real.NowMicros());
  Submit(call, call.visitor.logged_on->account,
         [&](CommandOrigin origin) { return MakeCommand(request, origin, now); });
}

void RequestHandler::Handle(Call& call, const CancelOnDisconnectRequest& request) {
  if (!PassesChecks(call, request)) return;
  const AccountId account = call.visitor.logged_on->account;
  const bool is_off = request.scope == DisconnectScope::kOff;
  if (!is_off && publisher_.state().guards().sessions().size() >= limits_.session_guards_max) {
    return Refuse(call, {.reason = RejectReason::kEngineBusy,
                         .retry_after_us = limits_.engine_busy_retry_micros});
  }
  const uint32_t session = call.visitor.session;
  if (!call.message.validate) guardian_.Watch({.account = account, .mark = session});
  Submit(call, account,
         [&](CommandOrigin origin) { return MakeCommand(request, origin, session); });
}

}  // namespace warpbook::gateway
