#include <bit>

#include "gateway/net/request_handler.h"
#include "gateway/publish/positions.h"
#include "gateway/publish/private_messages.h"
#include "schema/base/check.h"

namespace warpbook::gateway {

const AccountRow& RequestHandler::AccountOf(const Call& call) const {
  const AccountRow* account = publisher_.state().FindAccount(call.visitor.logged_on->account);
  WARPBOOK_CHECK(account != nullptr);
  return *account;
}

void RequestHandler::Handle(Call& call, const AccountBalancesRequest&) {
  Succeed(call, [&](MessageWriter& out) { WriteBalances(out, AccountOf(call)); });
}

// ---- Lists ----

template <typename WriteRows>
void RequestHandler::AnswerList(Call& call, std::string_view key, const ListFields& list,
                                WriteRows write_rows) {
  const ListPage page{.after = list.after, .limit = static_cast<size_t>(list.limit)};
  Succeed(call, [&](MessageWriter& out) {
    out.Key(key);
    const uint64_t last = write_rows(out, AccountOf(call), publisher_.state(), page);
    out.Field("more", last != 0);
    if (last != 0) out.FieldId("next_after", last);
  });
}

void RequestHandler::Handle(Call& call, const AccountOrdersRequest& request) {
  AnswerList(call, "orders", request.list, WriteOrders);
}

void RequestHandler::Handle(Call& call, const AccountLeasesRequest& request) {
  AnswerList(call, "leases", request.list, WriteLeases);
}

void RequestHandler::Handle(Call& call, const AccountNodesRequest& request) {
  AnswerList(call, "nodes", request.list, WriteNodes);
}

void RequestHandler::Handle(Call& call, const AccountPositionsRequest&) {
  Succeed(call, [&](MessageWriter& out) {
    out.Key("positions");
    WritePositions(out, AccountOf(call), publisher_.state());
  });
}

// ---- What has been ----

void RequestHandler::Handle(Call& call, const AccountStatementRequest& request) {
  if (statements_.IsOpen(call.visitor.connection_id)) {
    return Refuse(call, RejectReason::kTooManyInFlight);
  }
  statements_.Begin({.reply = LateReplyTo(call),
                     .account = call.visitor.logged_on->account,
                     .after_sequence = request.after_sequence,
                     .limit = static_cast<size_t>(request.limit)});
}

void RequestHandler::Handle(Call& call, const SessionResumeRequest& request) {
  const uint64_t connection_id = call.visitor.connection_id;
  if (resumer_.CountOf(connection_id) != 0) return Refuse(call, RejectReason::kResumeUnderWay);
  if (publisher_.private_feed().CountOf(connection_id) != 0) {
    return Refuse(call, RejectReason::kAlreadySubscribed, "channels");
  }
  if (request.last_sequence > AccountOf(call).last_sequence) {
    return Refuse(call, RejectReason::kResumeAhead, "last_seq");
  }
  const auto count = static_cast<size_t>(std::popcount(request.channels));
  if (!HasRoomForSubscriptions(call, count)) {
    return Refuse(call, RejectReason::kTooManySubscriptions);
  }
  const bool has_last = request.last_channel && request.last_sequence != 0;
  resumer_.Begin(
      {.reply = LateReplyTo(call),
       .account = call.visitor.logged_on->account,
       .last_sequence = request.last_sequence,
       .channels = request.channels,
       .channels_left = has_last ? request.channels & ChannelsBehind(*request.last_channel) : 0});
}

}  // namespace warpbook::gateway
