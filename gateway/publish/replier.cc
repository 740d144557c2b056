#include "gateway/publish/replier.h"

#include <algorithm>
#include <utility>

#include "gateway/publish/message_fields.h"
#include "schema/base/check.h"
#include "schema/types/decimal.h"
#include "schema/types/enums.h"
#include "schema/types/probe_reason.h"

namespace warpbook::gateway {
namespace {

// The number of settlement's decision; 0 where the command is none.
uint64_t DecisionNumber(wire::RecordView command) {
  switch (command.type()) {
    case wire::RecordType::kPostDeposit:
      return command.as<wire::PostDeposit>().number();
    case wire::RecordType::kPostWithdrawal:
      return command.as<wire::PostWithdrawal>().number();
    case wire::RecordType::kPostTopUp:
      return command.as<wire::PostTopUp>().number();
    case wire::RecordType::kRefuseRequest:
      return command.as<wire::RefuseRequest>().number();
    case wire::RecordType::kSettleLease:
      return command.as<wire::SettleLease>().number();
    case wire::RecordType::kPayDeferred:
      return command.as<wire::PayDeferred>().number();
    case wire::RecordType::kCloseEpoch:
      return command.as<wire::CloseEpoch>().number();
    case wire::RecordType::kPayBonus:
      return command.as<wire::PayBonus>().number();
    case wire::RecordType::kMarkOwner:
      return command.as<wire::MarkOwner>().number();
    default:
      return 0;
  }
}

void WriteVerdict(MessageWriter& out, const wire::ProbeDecided& decided) {
  const auto reason = static_cast<ProbeReason>(decided.reason());
  out.Key("verdict").BeginObject().Field("passed", reason == ProbeReason::kNone);
  out.Field("reason", Name(reason)).Key("flags").BeginArray();
  for (auto flag = static_cast<size_t>(ProbeReason::kLapsed) + 1;
       flag < EnumNames<ProbeReason>::kNames.size(); ++flag) {
    const auto bit = flag - static_cast<size_t>(ProbeReason::kLapsed) - 1;
    if ((decided.flags() >> bit & 1) != 0) out.Text(EnumNames<ProbeReason>::kNames[flag]);
  }
  out.EndArray().Field("gpus", decided.gpus()).Field("share_bps", decided.share());
  out.Field("int8_ops_per_s", decided.int8_ops_per_s());
  out.Field("bytes_per_s", decided.bytes_per_s());
  out.Field("memory_bytes", decided.memory_bytes());
  if (decided.proved_until_us() != 0) out.Field("proved_until", decided.proved_until_us());
  out.EndObject();
}

constexpr std::string_view ScopeWord(uint8_t mode) {
  return Name(static_cast<OrderGuardMode>(mode));
}

}  // namespace

void Replier::StateLimits(uint64_t connection_id, LimitsOf limits_of) {
  const auto connection = connections_.find(connection_id);
  if (connection != connections_.end()) connection->second.limits_of = std::move(limits_of);
}

template <typename Write>
void Replier::Send(const PendingRequest& request, uint64_t sequence, Write&& write) {
  const auto found = connections_.find(request.connection_id);
  if (found == connections_.end()) return;
  const Connection& connection = found->second;
  message_.clear();
  MessageWriter out(connection.subscriber->encoding(), message_);
  ReplyHead head = HeadOf(request, sequence);
  if (connection.limits_of) head.limits = connection.limits_of();
  write(out, head);
  tally_.OnReply(request.method, head);
  connection.subscriber->Send(message_);
}

template <typename WriteFields>
void Replier::Succeed(uint64_t tag, uint64_t sequence, WriteFields&& write_fields) {
  const auto request = pending_.Take(tag);
  if (!request) return;
  Send(*request, sequence, [&](MessageWriter& out, const ReplyHead& head) {
    WriteReply(out, head, [&](MessageWriter& result) { write_fields(result, request->method); });
  });
}

void Replier::Succeed(uint64_t tag, uint64_t sequence, const OrderOutcome& outcome) {
  const auto request = pending_.Take(tag);
  if (!request) return;
  if (request->batch != 0) {
    return SetItem(request->batch, request->item,
                   {.method = request->method, .outcome = outcome, .sequence = sequence});
  }
  Send(*request, sequence, [&](MessageWriter& out, const ReplyHead& head) {
    WriteReply(out, head,
               [&](MessageWriter& result) { WriteOrderOutcome(result, request->method, outcome); });
  });
}

void Replier::Fail(uint64_t tag, uint64_t sequence, const Refusal& refusal,
                   RequestOutcome outcome) {
  const auto request = pending_.Take(tag);
  if (!request) return;
  tally_.OnRejected(refusal.reason);
  if (request->batch != 0) {
    return SetItem(request->batch, request->item,
                   {.method = request->method,
                    .outcome = Failure{.refusal = refusal, .outcome = outcome},
                    .sequence = sequence});
  }
  Send(*request, sequence,
       [&](MessageWriter& out, const ReplyHead& head) { WriteError(out, head, refusal, outcome); });
}

ReplyHead Replier::HeadOf(const PendingRequest& request, uint64_t sequence) const {
  return {.method = InfoOf(request.method).name,
          .req_id = request.req_id,
          .sequence = sequence,
          .time_in_us = request.time_in_us,
          .time_out_us = clock_.NowMicros()};
}

// ---- Batches ----

uint64_t Replier::BeginBatch(const PendingRequest& request, size_t items) {
  const uint64_t id = ++last_batch_;
  batches_.emplace(id,
                   Batch{.request = request, .items = std::vector<Item>(items), .open = items + 1});
  return id;
}

void Replier::RefuseItem(uint64_t batch, uint32_t item, Method method, const Refusal& refusal) {
  tally_.OnRejected(refusal.reason);
  SetItem(batch, item, {.method = method, .outcome = Failure{.refusal = refusal}});
}

void Replier::ValidateItem(uint64_t batch, uint32_t item, Method method) {
  SetItem(batch, item,
          {.method = method, .outcome = OrderOutcome{.kind = OrderOutcome::Kind::kValidated}});
}

void Replier::EndBatch(uint64_t batch, uint64_t sequence) {
  batches_.find(batch)->second.sequence = sequence;
  CloseItem(batch);
}

void Replier::SetItem(uint64_t batch, uint32_t index, Item item) {
  const auto found = batches_.find(batch);
  WARPBOOK_CHECK(found != batches_.end() && index < found->second.items.size());
  found->second.sequence = std::max(found->second.sequence, item.sequence);
  found->second.items[index] = std::move(item);
  CloseItem(batch);
}

void Replier::CloseItem(uint64_t batch) {
  const auto found = batches_.find(batch);
  if (--found->second.open != 0) return;
  const Batch whole = std::move(found->second);
  batches_.erase(found);
  SendBatch(whole);
}

void Replier::SendBatch(const Batch& batch) {
  const auto write_item = [](MessageWriter& out, const Item& item) {
    const auto* failure = std::get_if<Failure>(&item.outcome);
    out.BeginObject().Field("success", failure == nullptr);
    if (failure != nullptr) {
      out.Key("error");
      WriteErrorObject(out, failure->refusal, failure->outcome);
    } else {
      out.Key("result").BeginObject();
      WriteOrderOutcome(out, item.method, std::get<OrderOutcome>(item.outcome));
      out.EndObject();
    }
    if (item.sequence != 0) out.Field("seq", item.sequence);
    out.EndObject();
  };
  Send(batch.request, batch.sequence, [&](MessageWriter& out, const ReplyHead& head) {
    WriteReply(out, head, [&](MessageWriter& result) {
      result.Key("items").BeginArray();
      for (const Item& item : batch.items) write_item(result, item);
      result.EndArray();
    });
  });
}

// ---- Events ----

void Replier::OnEvent(wire::RecordView command, wire::RecordView event) {
  const uint64_t sequence = command.command_header().sequence();
  switch (event.type()) {
    case wire::RecordType::kCommandRejected:
      return OnRejected(event.as<wire::CommandRejected>(), sequence);
    case wire::RecordType::kCommandAccepted:
      return OnAccepted(command, event.as<wire::CommandAccepted>());
    case wire::RecordType::kRequestTaken:
      if (PendingRequest* request = pending_.Find(command.command_header().tag())) {
        request->taken = true;
      }
      return;
    case wire::RecordType::kRequestDecided:
      return OnDecided(event.as<wire::RequestDecided>());
    case wire::RecordType::kAccountOpened: {
      const auto& opened = event.as<wire::AccountOpened>();
      return Succeed(opened.tag(), sequence, [&](MessageWriter& out, Method) {
        out.FieldId("account", opened.header().account_id());
        out.FieldId("owner", opened.owner_id());
      });
    }
    case wire::RecordType::kKeyAdded:
      return Succeed(event.as<wire::KeyAdded>().tag(), sequence, [](MessageWriter&, Method) {});
    case wire::RecordType::kNodeRegistered: {
      const auto& registered = event.as<wire::NodeRegistered>();
      return Succeed(registered.tag(), sequence, [&](MessageWriter& out, Method) {
        out.FieldId("node", registered.node_id());
      });
    }
    case wire::RecordType::kProbeBegun: {
      const auto& begun = event.as<wire::ProbeBegun>();
      return Succeed(begun.tag(), sequence, [&](MessageWriter& out, Method) {
        out.FieldId("node", begun.node_id()).FieldId("probe", begun.probe_id());
        out.Field("expires", begun.expires_us());
      });
    }
    case wire::RecordType::kProbeDecided: {
      const auto& decided = event.as<wire::ProbeDecided>();
      return Succeed(decided.tag(), sequence,
                     [&](MessageWriter& out, Method) { WriteVerdict(out, decided); });
    }
    case wire::RecordType::kOrderAccepted: {
      const auto& accepted = event.as<wire::OrderAccepted>();
      const OrderOutcome outcome = OutcomeOf(accepted);
      return Succeed(accepted.tag(), sequence, outcome);
    }
    case wire::RecordType::kOrderAmended: {
      const auto& amended = event.as<wire::OrderAmended>();
      const OrderOutcome outcome = OutcomeOf(amended);
      return Succeed(amended.tag(), sequence, outcome);
    }
    case wire::RecordType::kOrderCancelled: {
      const auto& cancelled = event.as<wire::OrderCancelled>();
      const OrderOutcome outcome = OutcomeOf(cancelled);
      return Succeed(cancelled.tag(), sequence, outcome);
    }
    default:
      return;
  }
}

void Replier::OnRejected(const wire::CommandRejected& event, uint64_t sequence) {
  Fail(event.tag(), sequence,
       EngineRefusal(static_cast<RejectReason>(event.reason()), event.detail()),
       RequestOutcome::kRejected);
}

void Replier::OnAccepted(wire::RecordView command, const wire::CommandAccepted& event) {
  const uint64_t sequence = command.command_header().sequence();
  const auto type = static_cast<wire::RecordType>(event.command_type());
  if (type == wire::RecordType::kPlaceOrder || type == wire::RecordType::kAmendOrder) {
    const OrderOutcome outcome = OutcomeOf(command, event);
    return Succeed(event.tag(), sequence, outcome);
  }
  Succeed(event.tag(), sequence, [&](MessageWriter& out, Method method) {
    if (method == Method::kOrderCancelAll) {
      out.Field("cancelled_orders", event.result_id());
    } else if (method == Method::kCancelAfter) {
      out.Field("trigger_time", command.as<wire::SetOrderGuard>().deadline_us());
    } else if (method == Method::kCancelOnDisconnect) {
      out.Field("scope", ScopeWord(command.as<wire::SetOrderGuard>().mode()));
    } else if (method == Method::kSettlementSubmit) {
      out.Field("number", DecisionNumber(command));
    }
  });
}

void Replier::OnDecided(const wire::RequestDecided& event) {
  // The reply belongs to the request, and so does its sequence.
  const uint64_t sequence = event.request_sequence();
  if (event.reason() != 0) {
    return Fail(event.tag(), sequence, EngineRefusal(static_cast<RejectReason>(event.reason()), 0),
                RequestOutcome::kRejected);
  }
  Succeed(event.tag(), sequence, [&](MessageWriter& out, Method method) {
    if (method == Method::kTokenDeposit || method == Method::kTokenWithdraw) {
      out.FieldId("account", event.header().account_id());
      out.Field("amount", Tokens(event.amount_utok()));
    } else {
      out.Field("burned", Tokens(event.amount_utok()));
      out.Field("credits", Credits(event.credits()));
    }
  });
}

void Replier::AnswerOverdue(int64_t now_micros) {
  while (const auto tag = pending_.NextOverdue(now_micros)) {
    const bool taken = pending_.Find(*tag)->taken;
    Fail(*tag, 0, {.reason = RejectReason::kSettlementDelayed},
         taken ? RequestOutcome::kAccepted : RequestOutcome::kUnknown);
  }
}

void Replier::AnswerAllUnknown() {
  while (const auto tag = pending_.AnyTag()) {
    const bool taken = pending_.Find(*tag)->taken;
    Fail(*tag, 0, {.reason = RejectReason::kShuttingDown},
         taken ? RequestOutcome::kAccepted : RequestOutcome::kUnknown);
  }
}

}  // namespace warpbook::gateway
