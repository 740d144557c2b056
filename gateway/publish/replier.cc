#include "gateway/publish/replier.h"

#include <utility>

#include "gateway/publish/message_fields.h"
#include "schema/types/decimal.h"

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
    default:
      return 0;
  }
}

// A repeat of an earlier order, or one that was only to be checked.
void WriteOrderNotMade(MessageWriter& out, const wire::PlaceOrder& command,
                       const wire::CommandAccepted& event) {
  if (event.result_id() != 0) out.FieldId("order_id", event.result_id());
  WriteClientOrderId(out, ClientOrderId::FromBytes(command.client_order_id()->Data()));
  out.Field(event.duplicate() != 0 ? "duplicate" : "validated", true);
}

}  // namespace

template <typename Write>
void Replier::Send(const PendingRequest& request, Write&& write) {
  const auto connection = connections_.find(request.connection_id);
  if (connection == connections_.end()) return;
  message_.clear();
  MessageWriter out(connection->second->encoding(), message_);
  write(out);
  connection->second->Send(message_);
}

template <typename WriteFields>
void Replier::Succeed(uint64_t tag, uint64_t sequence, WriteFields&& write_fields) {
  const auto request = pending_.Take(tag);
  if (!request) return;
  Send(*request, [&](MessageWriter& out) {
    WriteReply(out, HeadOf(*request, sequence),
               [&](MessageWriter& result) { write_fields(result, request->method); });
  });
}

void Replier::Fail(uint64_t tag, uint64_t sequence, const Refusal& refusal,
                   RequestOutcome outcome) {
  const auto request = pending_.Take(tag);
  if (!request) return;
  Send(*request,
       [&](MessageWriter& out) { WriteError(out, HeadOf(*request, sequence), refusal, outcome); });
}

ReplyHead Replier::HeadOf(const PendingRequest& request, uint64_t sequence) const {
  return {.method = InfoOf(request.method).name,
          .req_id = request.req_id,
          .sequence = sequence,
          .time_in_us = request.time_in_us,
          .time_out_us = clock_.NowMicros()};
}

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
    case wire::RecordType::kOrderAccepted: {
      const auto& accepted = event.as<wire::OrderAccepted>();
      return Succeed(accepted.tag(), sequence, [&](MessageWriter& out, Method) {
        out.FieldId("order_id", accepted.order_id());
        WriteClientOrderId(out, ClientOrderId::FromBytes(accepted.client_order_id()->Data()));
      });
    }
    case wire::RecordType::kOrderAmended: {
      const auto& amended = event.as<wire::OrderAmended>();
      return Succeed(amended.tag(), sequence, [&](MessageWriter& out, Method) {
        out.FieldId("order_id", amended.order_id());
        out.Field("price", Price(amended.price())).Field("gpus", amended.gpus());
        out.Field("remaining", amended.remaining());
        out.Field("kept_priority", amended.kept_priority() != 0);
      });
    }
    case wire::RecordType::kOrderCancelled:
      return OnCancelled(event.as<wire::OrderCancelled>(), sequence);
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
  Succeed(event.tag(), command.command_header().sequence(), [&](MessageWriter& out, Method method) {
    if (method == Method::kOrderPlace) {
      WriteOrderNotMade(out, command.as<wire::PlaceOrder>(), event);
    } else if (method == Method::kOrderCancelAll) {
      out.Field("cancelled_orders", event.result_id());
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
      out.FieldId("credits", event.credits());
      out.Field("usd", FormatUsd(Credits(event.credits())));
    }
  });
}

void Replier::OnCancelled(const wire::OrderCancelled& event, uint64_t sequence) {
  Succeed(event.tag(), sequence, [&](MessageWriter& out, Method method) {
    out.FieldId("order_id", event.order_id());
    if (method == Method::kOrderAmend) {
      out.Field("cancelled", true);
    } else {
      out.Field("cancelled_gpus", event.remaining());
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
