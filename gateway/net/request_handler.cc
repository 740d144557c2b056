#include "gateway/net/request_handler.h"

#include <span>
#include <utility>
#include <variant>

#include "absl/strings/escaping.h"
#include "gateway/net/log.h"
#include "gateway/protocol/command_builder.h"
#include "gateway/publish/private_messages.h"
#include "gateway/publish/public_messages.h"
#include "schema/base/check.h"

namespace warpbook::gateway {
namespace {

std::string Hex(std::span<const uint8_t> bytes) {
  return absl::BytesToHexString(
      absl::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
}

struct ScopeName {
  Scope scope;
  std::string_view name;
};
constexpr ScopeName kScopeNames[] = {{Scope::kRead, "read"},
                                     {Scope::kTrade, "trade"},
                                     {Scope::kProvide, "provide"},
                                     {Scope::kOperate, "operate"},
                                     {Scope::kSettle, "settle"}};

void WriteScopes(JsonWriter& json, uint32_t scopes) {
  json.Key("scopes").BeginArray();
  for (const ScopeName& entry : kScopeNames) {
    if ((scopes & static_cast<uint32_t>(entry.scope)) != 0) json.String(entry.name);
  }
  json.EndArray();
}

bool AwaitsSettlement(Method method) {
  return method == Method::kCreditsBuy || method == Method::kTokenDeposit;
}

}  // namespace

RequestHandler::RequestHandler(std::string server_name, const GatewayLimits& limits,
                               Publisher& publisher, engine::EnginePort& port, GatewayClocks clocks)
    : authenticator_(std::move(server_name)),
      limits_(limits),
      publisher_(publisher),
      port_(port),
      clocks_(clocks),
      account_opens_(limits.account_opens),
      decoder_(limits.message_bytes_max) {}

void RequestHandler::OnText(Visitor& visitor, Subscriber& subscriber, std::string_view text) {
  const int64_t time_in_us = clocks_.real.NowMicros();
  const DecodedMessage message = decoder_.Decode(text);
  Call call{visitor, subscriber, message, time_in_us};
  Dispatch(call);
}

void RequestHandler::OnBinary(Visitor& visitor, Subscriber& subscriber) {
  DecodedMessage message;
  message.request = Refusal{.reason = RejectReason::kBinaryNotSupported};
  Call call{visitor, subscriber, message, clocks_.real.NowMicros()};
  Dispatch(call);
}

void RequestHandler::Dispatch(Call& call) {
  const int64_t now = clocks_.monotonic.NowMicros();
  if (!std::holds_alternative<Refusal>(call.message.request)) {
    const Refusal refusal = Admit(call.visitor, *call.message.method, shutting_down_, now);
    if (refusal.reason != RejectReason::kNone) return Refuse(call, refusal);
  } else {
    // A bad message counts like any other, but its own fault is the answer.
    call.visitor.requests.Take(now);
  }
  std::visit([&](const auto& request) { Handle(call, request); }, call.message.request);
}

// ---- Answers ----

ReplyHead RequestHandler::HeadOf(const Call& call) const {
  return {.method = call.message.method_name,
          .req_id = call.message.req_id,
          .sequence = 0,
          .time_in_us = call.time_in_us,
          .time_out_us = clocks_.real.NowMicros()};
}

template <typename WriteFields>
void RequestHandler::Succeed(Call& call, WriteFields&& write_fields) {
  ReplyHead head = HeadOf(call);
  // The state that the answer was taken from.
  head.sequence = publisher_.last_sequence();
  call.subscriber.Send(Share(WriteReply(head, [&](JsonWriter& json) {
    json.BeginObject();
    write_fields(json);
    json.EndObject();
  })));
}

void RequestHandler::Refuse(Call& call, const Refusal& refusal) {
  call.subscriber.Send(Share(WriteError(HeadOf(call), refusal, RequestOutcome::kRejected)));
}

void RequestHandler::Refuse(Call& call, RejectReason reason, std::string_view param) {
  Refuse(call, Refusal{.reason = reason, .param = std::string(param)});
}

void RequestHandler::Handle(Call& call, const Refusal& refusal) { Refuse(call, refusal); }

// ---- The session ----

void RequestHandler::Handle(Call& call, const PingRequest&) {
  Succeed(call, [&](JsonWriter& json) { json.Field("time", call.time_in_us); });
}

void RequestHandler::Handle(Call& call, const SessionChallengeRequest&) {
  const LogonNonce& nonce = call.visitor.challenge.Issue(clocks_.real.NowMicros());
  Succeed(call, [&](JsonWriter& json) {
    json.Field("nonce", Hex(nonce)).Field("server_name", authenticator_.server_name());
    json.Field("time", call.time_in_us);
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
    LogEvent(LogLevel::kWarning, "logon_refused",
             {.connection_id = call.visitor.connection_id,
              .account = request.account.value(),
              .detail = RejectReasonCode(reason)});
    return Refuse(call, reason);
  }
  call.visitor.logged_on = LoggedOn{
      .account = account->id, .owner = account->owner, .kind = account->kind, .scopes = scopes};
  LogEvent(LogLevel::kInfo, "logon",
           {.connection_id = call.visitor.connection_id, .account = account->id.value()});
  Succeed(call, [&](JsonWriter& json) {
    json.FieldText("account", account->id.value()).FieldText("owner", account->owner.value());
    WriteScopes(json, scopes);
    json.Field("kind", Name(account->kind));
  });
}

void RequestHandler::Handle(Call& call, const SessionStatusRequest&) {
  const auto& logged_on = call.visitor.logged_on;
  Succeed(call, [&](JsonWriter& json) {
    json.Field("logged_on", logged_on.has_value());
    if (logged_on) {
      json.FieldText("account", logged_on->account.value());
      WriteScopes(json, logged_on->scopes);
    }
    json.Field("server_name", authenticator_.server_name());
    json.Field("market_time", clocks_.market.NowMicros()).Field("version", kGatewayVersion);
  });
}

void RequestHandler::Handle(Call& call, const SessionLogoutRequest&) {
  publisher_.private_feed().RemoveConnection(call.visitor.connection_id);
  call.visitor.logged_on.reset();
  Succeed(call, [](JsonWriter&) {});
}

void RequestHandler::Handle(Call& call, const AccountOpenRequest& request) {
  if (call.visitor.logged_on) return Refuse(call, RejectReason::kAlreadyLoggedOn);
  const int64_t wait = account_opens_.Take(call.visitor.address, clocks_.monotonic.NowMicros());
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

// ---- Questions ----

const AccountRow& RequestHandler::AccountOf(const Call& call) const {
  const AccountRow* account = publisher_.state().FindAccount(call.visitor.logged_on->account);
  WARPBOOK_CHECK(account != nullptr);
  return *account;
}

void RequestHandler::Handle(Call& call, const AccountBalancesRequest&) {
  Succeed(call, [&](JsonWriter& json) { WriteBalances(json, AccountOf(call)); });
}

void RequestHandler::Handle(Call& call, const AccountOrdersRequest&) {
  Succeed(call, [&](JsonWriter& json) {
    json.Key("orders");
    WriteOrders(json, AccountOf(call), publisher_.state());
  });
}

void RequestHandler::Handle(Call& call, const AccountLeasesRequest&) {
  Succeed(call, [&](JsonWriter& json) {
    json.Key("leases");
    WriteLeases(json, AccountOf(call), publisher_.state());
  });
}

void RequestHandler::Handle(Call& call, const AccountNodesRequest&) {
  Succeed(call, [&](JsonWriter& json) {
    json.Key("nodes");
    WriteNodes(json, AccountOf(call), publisher_.state());
  });
}

void RequestHandler::Handle(Call& call, const InstrumentsRequest& request) {
  const MarketState& state = publisher_.state();
  const Catalogue& catalogue = state.catalogue();
  const HardwareClass* hardware_class =
      request.hardware_class ? catalogue.FindClass(*request.hardware_class) : nullptr;
  const Region* region = request.region ? catalogue.FindRegion(*request.region) : nullptr;
  if (request.hardware_class && hardware_class == nullptr) {
    return Refuse(call, RejectReason::kUnknownValue, "hardware_class");
  }
  if (request.region && region == nullptr) {
    return Refuse(call, RejectReason::kUnknownValue, "region");
  }
  Succeed(call, [&](JsonWriter& json) {
    json.Key("instruments").BeginArray();
    for (const InstrumentId id : state.open_instruments()) {
      const InstrumentRow& instrument = *state.FindInstrument(id);
      if (hardware_class != nullptr && instrument.terms->class_id != hardware_class->id) continue;
      if (region != nullptr && instrument.terms->region_id != region->id) continue;
      WriteInstrument(json, instrument, catalogue);
    }
    json.EndArray();
  });
}

// ---- Subscriptions ----

const InstrumentRow* RequestHandler::OpenInstrument(Call& call, std::string_view symbol) {
  const InstrumentRow* instrument = publisher_.state().FindInstrument(symbol);
  if (instrument == nullptr) {
    Refuse(call, RejectReason::kUnknownInstrument, "symbol");
  } else if (instrument->state == InstrumentState::kClosed) {
    Refuse(call, RejectReason::kInstrumentClosed, "symbol");
    return nullptr;
  }
  return instrument;
}

bool RequestHandler::HasRoomForSubscription(const Call& call) {
  const uint64_t connection_id = call.visitor.connection_id;
  return publisher_.public_feed().CountOf(connection_id) +
             publisher_.private_feed().CountOf(connection_id) <
         call.visitor.limits.subscriptions_max;
}

void RequestHandler::Handle(Call& call, const SubscribeRequest& request) {
  if (IsPrivate(request.channel)) {
    SubscribePrivate(call, request);
  } else {
    SubscribePublic(call, request);
  }
}

void RequestHandler::SubscribePublic(Call& call, const SubscribeRequest& request) {
  const InstrumentRow* instrument = OpenInstrument(call, request.symbol);
  if (instrument == nullptr) return;
  const InstrumentId id = instrument->terms->id;
  PublicFeed& feed = publisher_.public_feed();
  const uint64_t connection_id = call.visitor.connection_id;
  if (feed.IsSubscribed(connection_id, request.channel, id)) {
    return Refuse(call, RejectReason::kAlreadySubscribed, "channel");
  }
  if (!HasRoomForSubscription(call)) return Refuse(call, RejectReason::kTooManySubscriptions);
  feed.Subscribe(connection_id, call.subscriber, request.channel, id);
  Succeed(call, [&](JsonWriter& json) {
    json.Field("channel", ChannelName(request.channel)).Field("symbol", request.symbol);
  });
  feed.SendFirst(connection_id, request.channel, id, publisher_.last_time_us());
}

void RequestHandler::SubscribePrivate(Call& call, const SubscribeRequest& request) {
  const auto& logged_on = call.visitor.logged_on;
  if (!logged_on) return Refuse(call, RejectReason::kNotLoggedOn, "channel");
  if ((logged_on->scopes & static_cast<uint32_t>(Scope::kRead)) == 0) {
    return Refuse(call, RejectReason::kScopeMissing, "channel");
  }
  PrivateFeed& feed = publisher_.private_feed();
  const uint64_t connection_id = call.visitor.connection_id;
  if (feed.IsSubscribed(connection_id, request.channel)) {
    return Refuse(call, RejectReason::kAlreadySubscribed, "channel");
  }
  if (!HasRoomForSubscription(call)) return Refuse(call, RejectReason::kTooManySubscriptions);
  feed.Subscribe(connection_id, call.subscriber, request.channel, logged_on->account);
  Succeed(call, [&](JsonWriter& json) { json.Field("channel", ChannelName(request.channel)); });
  feed.SendFirst(connection_id, request.channel, publisher_.last_time_us());
}

void RequestHandler::Handle(Call& call, const UnsubscribeRequest& request) {
  RejectReason reason = RejectReason::kNone;
  if (IsPrivate(request.channel)) {
    reason = publisher_.private_feed().Unsubscribe(call.visitor.connection_id, request.channel);
  } else {
    const InstrumentRow* instrument = OpenInstrument(call, request.symbol);
    if (instrument == nullptr) return;
    reason = publisher_.public_feed().Unsubscribe(call.visitor.connection_id, request.channel,
                                                  instrument->terms->id);
  }
  if (reason != RejectReason::kNone) return Refuse(call, reason, "channel");
  Succeed(call, [&](JsonWriter& json) {
    json.Field("channel", ChannelName(request.channel));
    if (!IsPrivate(request.channel)) json.Field("symbol", request.symbol);
  });
}

// ---- Commands ----

template <typename Make>
void RequestHandler::Submit(Call& call, AccountId account, Make&& make) {
  PendingRequests& pending = publisher_.replier().pending();
  const uint64_t connection_id = call.visitor.connection_id;
  if (pending.CountOf(connection_id) >= call.visitor.limits.in_flight_max) {
    return Refuse(call, RejectReason::kTooManyInFlight);
  }
  const uint64_t tag = pending.NextTag();
  const wire::CommandRecord command = make(CommandOrigin{.account = account, .tag = tag});
  if (port_.TrySubmit(std::span(&command, 1)) == 0) {
    return Refuse(call, {.reason = RejectReason::kEngineBusy,
                         .retry_after_us = limits_.engine_busy_retry_micros});
  }
  const Method method = *call.message.method;
  pending.Add(tag, {.connection_id = connection_id,
                    .method = method,
                    .req_id = call.message.req_id,
                    .time_in_us = call.time_in_us});
  if (AwaitsSettlement(method)) {
    pending.AddDeadline(tag, clocks_.monotonic.NowMicros() + limits_.settlement_reply_micros);
  }
}

template <typename R>
void RequestHandler::SubmitPlain(Call& call, const R& request) {
  Submit(call, call.visitor.logged_on->account,
         [&](CommandOrigin origin) { return MakeCommand(request, origin); });
}

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
  Submit(call, call.visitor.logged_on->account, [&](CommandOrigin origin) {
    return MakeCommand(request, origin, instrument_id, class_id);
  });
}

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

void RequestHandler::Handle(Call& call, const InstrumentHaltRequest& request) {
  const InstrumentRow* instrument = OpenInstrument(call, request.symbol);
  if (instrument == nullptr) return;
  const InstrumentId id = instrument->terms->id;
  Submit(call, call.visitor.logged_on->account,
         [&](CommandOrigin origin) { return MakeCommand(request, origin, id); });
}

}  // namespace warpbook::gateway
