#include "gateway/net/request_handler.h"
#include "schema/base/log.h"
#include "schema/base/version.h"

namespace warpbook::gateway {
namespace {

struct ScopeName {
  Scope scope;
  std::string_view name;
};
constexpr ScopeName kScopeNames[] = {{Scope::kRead, "read"},
                                     {Scope::kTrade, "trade"},
                                     {Scope::kProvide, "provide"},
                                     {Scope::kOperate, "operate"},
                                     {Scope::kSettle, "settle"}};

void WriteScopes(MessageWriter& out, uint32_t scopes) {
  out.Key("scopes").BeginArray();
  for (const ScopeName& entry : kScopeNames) {
    if ((scopes & static_cast<uint32_t>(entry.scope)) != 0) out.Text(entry.name);
  }
  out.EndArray();
}

}  // namespace

void RequestHandler::Handle(Call& call, const PingRequest&) {
  Succeed(call, [&](MessageWriter& out) { out.Field("time", call.time_in_us); });
}

void RequestHandler::Handle(Call& call, const SessionChallengeRequest&) {
  const LogonNonce& nonce = call.visitor.challenge.Issue(clocks_.real.NowMicros());
  Succeed(call, [&](MessageWriter& out) {
    out.FieldBytes("nonce", nonce).Field("server_name", authenticator_.server_name());
    out.Field("time", call.time_in_us);
  });
}

void RequestHandler::Handle(Call& call, const SessionLogonRequest& request) {
  if (call.visitor.logged_on) return Refuse(call, RejectReason::kAlreadyLoggedOn);
  const AccountRow* account = publisher_.state().FindAccount(request.account);
  const uint32_t scopes = account == nullptr ? 0 : account->ScopesOf(request.public_key);
  const RejectReason reason = authenticator_.Verify(
      call.visitor.challenge, request.account, request.public_key, request.timestamp,
      request.signature, scopes != 0, clocks_.real.NowMicros());
  if (reason != RejectReason::kNone) {
    Log(LogLevel::kWarning, "logon_refused",
        JsonObject()
            .Integer("conn_id", static_cast<int64_t>(call.visitor.connection_id))
            .Id("account", request.account.value())
            .Text("detail", RejectReasonCode(reason)));
    publisher_.tally().OnLogonRefused(reason);
    return Refuse(call, reason);
  }
  call.visitor.logged_on = LoggedOn{.account = account->id,
                                    .owner = account->owner,
                                    .kind = account->kind,
                                    .scopes = scopes,
                                    .orders = admission_.budgets().account_orders.Get(
                                        account->id, clocks_.monotonic.NowMicros())};
  Log(LogLevel::kInfo, "logon",
      JsonObject()
          .Integer("conn_id", static_cast<int64_t>(call.visitor.connection_id))
          .Id("account", account->id.value()));
  publisher_.logons().Add(call.visitor.connection_id, account->id, request.public_key,
                          call.subscriber);
  Succeed(call, [&](MessageWriter& out) {
    out.FieldId("account", account->id.value()).FieldId("owner", account->owner.value());
    WriteScopes(out, scopes);
    out.Field("kind", Name(account->kind));
  });
}

void RequestHandler::Handle(Call& call, const SessionStatusRequest&) {
  const auto& logged_on = call.visitor.logged_on;
  Succeed(call, [&](MessageWriter& out) {
    out.Field("logged_on", logged_on.has_value());
    if (logged_on) {
      out.FieldId("account", logged_on->account.value());
      WriteScopes(out, logged_on->scopes);
    }
    out.Field("server_name", authenticator_.server_name());
    out.Field("market_time", clocks_.market.NowMicros()).Field("version", kVersion);
  });
}

void RequestHandler::Handle(Call& call, const SessionLogoutRequest&) {
  publisher_.private_feed().RemoveConnection(call.visitor.connection_id);
  publisher_.logons().Remove(call.visitor.connection_id);
  OnLogonEnded(call.visitor);
  Succeed(call, [](MessageWriter&) {});
}

void RequestHandler::Handle(Call& call, const AccountOpenRequest& request) {
  if (call.visitor.logged_on) return Refuse(call, RejectReason::kAlreadyLoggedOn);
  const int64_t wait =
      admission_.TakeAccountOpen(call.visitor.address, clocks_.monotonic.NowMicros());
  if (wait != 0) {
    return Refuse(call, {.reason = RejectReason::kRateLimited, .retry_after_us = wait});
  }
  // Nobody's key yet: the engine says so if it is somebody's.
  const RejectReason reason = authenticator_.Verify(
      call.visitor.challenge, AccountId(), request.public_key, request.timestamp, request.signature,
      /*key_is_known=*/true, clocks_.real.NowMicros());
  if (reason != RejectReason::kNone) return Refuse(call, reason);
  Submit(call, AccountId(), [&](CommandOrigin origin) { return MakeCommand(request, origin); });
}

void RequestHandler::Handle(Call& call, const KeyAddRequest& request) {
  // A key gives no scope that it does not have.
  if ((request.scopes & ~call.visitor.logged_on->scopes) != 0) {
    return Refuse(call, RejectReason::kScopeMissing, "scopes");
  }
  SubmitPlain(call, request);
}

void RequestHandler::Handle(Call& call, const KeyRevokeRequest& request) {
  const LoggedOn& logged_on = *call.visitor.logged_on;
  if (request.account && request.account != logged_on.account) {
    // Another one's: with what operators' methods need.
    if ((logged_on.scopes & static_cast<uint32_t>(Scope::kOperate)) == 0) {
      return Refuse(call, RejectReason::kScopeMissing, "account");
    }
    if (!call.visitor.on_admin) return Refuse(call, RejectReason::kOperatorListenerOnly, "account");
    return SubmitPlain(call, request);
  }
  const uint32_t scopes = AccountOf(call).ScopesOf(request.public_key);
  if (scopes == 0) return Refuse(call, RejectReason::kUnknownKey, "public_key");
  // Nor does it take one.
  if ((scopes & ~logged_on.scopes) != 0) {
    return Refuse(call, RejectReason::kScopeMissing, "public_key");
  }
  SubmitPlain(call, request);
}

}  // namespace warpbook::gateway
