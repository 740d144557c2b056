#include "gateway/net/request_handler.h"
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

void RequestHandler::Handle(Call& call, const AccountOrdersRequest&) {
  Succeed(call, [&](MessageWriter& out) {
    out.Key("orders");
    WriteOrders(out, AccountOf(call), publisher_.state());
  });
}

void RequestHandler::Handle(Call& call, const AccountLeasesRequest&) {
  Succeed(call, [&](MessageWriter& out) {
    out.Key("leases");
    WriteLeases(out, AccountOf(call), publisher_.state());
  });
}

void RequestHandler::Handle(Call& call, const AccountNodesRequest&) {
  Succeed(call, [&](MessageWriter& out) {
    out.Key("nodes");
    WriteNodes(out, AccountOf(call), publisher_.state());
  });
}

void RequestHandler::Handle(Call& call, const AccountPositionsRequest&) {
  Refuse(call, RejectReason::kUnknownMethod, "method");
}

void RequestHandler::Handle(Call& call, const AccountStatementRequest&) {
  Refuse(call, RejectReason::kUnknownMethod, "method");
}

}  // namespace warpbook::gateway
