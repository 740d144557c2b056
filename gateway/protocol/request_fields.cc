#include "gateway/protocol/request_fields.h"

#include <algorithm>
#include <limits>
#include <string>

#include "absl/strings/str_cat.h"
#include "gateway/protocol/decision_fields.h"
#include "schema/base/check.h"
#include "schema/types/judgement_reason.h"

namespace warpbook::gateway {
namespace {

constexpr size_t kSymbolBytesMax = 96;
constexpr size_t kCatalogueNameBytesMax = 64;
constexpr size_t kPublicKeyBytes = 32;
constexpr size_t kSignatureBytes = 64;
constexpr int kMicroDecimals = 6;
constexpr int64_t kInt32Max = std::numeric_limits<int32_t>::max();
constexpr int64_t kInt32Min = std::numeric_limits<int32_t>::min();
constexpr int64_t kSequenceMax = 9'007'199'254'740'991;  // 2^53 - 1
constexpr int64_t kCancelAfterMillisMax = 24 * 60 * 60 * 1'000;
constexpr int64_t kDrainMillisMax = 10 * 60 * 1'000;
constexpr int64_t kDrainMillisDefault = 10 * 1'000;
constexpr int64_t kStatementEntriesMax = 500;
constexpr int64_t kListRowsMax = 1'000;
constexpr int64_t kShareBpsMax = 10'000;
constexpr int64_t kCreditsPerMicroUsd = kCreditsPerUsd / kMicroUsdPerUsd;

using enum Need;

// ---- Fields that several methods have ----

std::string_view Symbol(FieldReader& fields) {
  return fields.Text("symbol", kSymbolBytesMax, kRequired).value_or("");
}

// GPUs fit their command here; whether they are in range is the engine's to say.
Quantity Gpus(FieldReader& fields, std::string_view name, Need need) {
  return Quantity(
      static_cast<int32_t>(fields.Integer(name, kInt32Min, kInt32Max, need).value_or(0)));
}

Tokens TokenAmount(FieldReader& fields, std::string_view name) {
  return Tokens(fields.Decimal(name, kMicroDecimals, kRequired).value_or(0));
}

LeaseId Lease(FieldReader& fields) {
  return fields.Identifier<LeaseId>("lease", kRequired).value_or(LeaseId());
}

// An order is named by exactly one of order_id and cl_ord_id.
template <typename OrderRequest>
void ReadOrderName(FieldReader& fields, OrderRequest& request) {
  const auto order_id = fields.Identifier<OrderId>("order_id", kOptional);
  const auto client_order_id = fields.OrderName("cl_ord_id", kOptional);
  if (!fields.Has("order_id") && !fields.Has("cl_ord_id")) {
    fields.Refuse(RejectReason::kMissingField, "order_id", "order_id or cl_ord_id");
  }
  if (fields.Has("order_id") && fields.Has("cl_ord_id")) {
    fields.Refuse(RejectReason::kConflictingFields, "cl_ord_id", "order_id or cl_ord_id");
  }
  request.order_id = order_id.value_or(OrderId());
  request.client_order_id = client_order_id.value_or(ClientOrderId());
}

// ---- The session ----

Request ReadSessionLogon(FieldReader& fields) {
  return SessionLogonRequest{
      .account = fields.Identifier<AccountId>("account", kRequired).value_or(AccountId()),
      .public_key = fields.Hex<kPublicKeyBytes>("public_key"),
      .timestamp = fields.Time("timestamp", kRequired).value_or(Timestamp()),
      .signature = fields.Hex<kSignatureBytes>("signature")};
}

Request ReadAccountOpen(FieldReader& fields) {
  return AccountOpenRequest{.public_key = fields.Hex<kPublicKeyBytes>("public_key"),
                            .timestamp = fields.Time("timestamp", kRequired).value_or(Timestamp()),
                            .signature = fields.Hex<kSignatureBytes>("signature")};
}

std::optional<Scope> MemberScope(std::string_view word) {
  if (word == "read") return Scope::kRead;
  if (word == "trade") return Scope::kTrade;
  if (word == "provide") return Scope::kProvide;
  return std::nullopt;
}

Request ReadKeyAdd(FieldReader& fields, const FieldTree& tree) {
  KeyAddRequest request{.public_key = fields.Hex<kPublicKeyBytes>("public_key")};
  const auto scopes = fields.Node("scopes", FieldNode::Kind::kArray, kRequired);
  if (!scopes) return request;
  for (uint32_t child = tree.node(*scopes).first_child; child != 0;
       child = tree.node(child).next_sibling) {
    if (tree.node(child).kind != FieldNode::Kind::kString) {
      fields.Refuse(RejectReason::kWrongType, "scopes", "must hold strings");
    } else if (const auto scope = MemberScope(tree.node(child).text)) {
      request.scopes |= static_cast<uint32_t>(*scope);
    } else {
      fields.Refuse(RejectReason::kUnknownValue, "scopes", "each one of read trade provide");
    }
  }
  return request;
}

// ---- Questions and subscriptions ----

Request ReadInstruments(FieldReader& fields) {
  return InstrumentsRequest{
      .hardware_class = fields.Text("hardware_class", kCatalogueNameBytesMax, kOptional),
      .region = fields.Text("region", kCatalogueNameBytesMax, kOptional)};
}

std::optional<Channel> ChannelOf(std::string_view name) {
  const auto* const found = std::ranges::find(kChannelNames, name);
  if (found == kChannelNames.end()) return std::nullopt;
  return static_cast<Channel>(found - kChannelNames.begin());
}

template <typename SubscriptionRequest>
Request ReadSubscription(FieldReader& fields) {
  SubscriptionRequest request;
  const auto name = fields.Node("channel", FieldNode::Kind::kString, kRequired);
  const auto symbol = fields.Text("symbol", kSymbolBytesMax, kOptional);
  request.symbol = symbol.value_or("");
  const auto interval = fields.Word<CandleInterval>("interval", kOptional);
  request.interval = interval.value_or(CandleInterval::k1m);
  if (!name) return request;
  const auto channel = ChannelOf(fields.TextOf(*name));
  if (!channel) {
    fields.Refuse(RejectReason::kUnknownChannel, "channel", "");
    return request;
  }
  request.channel = *channel;
  if (!HasSymbol(*channel) && fields.Has("symbol")) {
    fields.Refuse(RejectReason::kConflictingFields, "symbol", "this channel has no symbol");
  }
  if (HasSymbol(*channel) && !fields.Has("symbol")) {
    fields.Refuse(RejectReason::kMissingField, "symbol", "");
  }
  if (*channel != Channel::kCandles && fields.Has("interval")) {
    fields.Refuse(RejectReason::kConflictingFields, "interval", "this channel has no interval");
  }
  if (*channel == Channel::kCandles && !fields.Has("interval")) {
    fields.Refuse(RejectReason::kMissingField, "interval", "");
  }
  return request;
}

Request ReadSessionResume(FieldReader& fields, const FieldTree& tree) {
  SessionResumeRequest request;
  request.last_sequence =
      static_cast<uint64_t>(fields.Integer("last_seq", 0, kSequenceMax, kRequired).value_or(0));
  if (const auto last = fields.Node("last_channel", FieldNode::Kind::kString, kOptional)) {
    request.last_channel = ChannelOf(fields.TextOf(*last));
    if (!request.last_channel || !IsPrivate(*request.last_channel)) {
      fields.Refuse(RejectReason::kUnknownChannel, "last_channel",
                    "one of executions balances leases");
    }
  }
  const auto channels = fields.Node("channels", FieldNode::Kind::kArray, kRequired);
  if (!channels) return request;
  for (uint32_t child = tree.node(*channels).first_child; child != 0;
       child = tree.node(child).next_sibling) {
    const bool is_text = tree.node(child).kind == FieldNode::Kind::kString;
    const auto channel = is_text ? ChannelOf(tree.node(child).text) : std::nullopt;
    if (!is_text) {
      fields.Refuse(RejectReason::kWrongType, "channels", "must hold strings");
    } else if (!channel || !IsPrivate(*channel)) {
      fields.Refuse(RejectReason::kUnknownChannel, "channels",
                    "each one of executions balances leases");
    } else {
      request.channels |= 1u << static_cast<unsigned>(*channel);
    }
  }
  if (tree.node(*channels).first_child == 0) {
    fields.Refuse(RejectReason::kOutOfRange, "channels", "must not be empty");
  }
  return request;
}

Request ReadKeyRevoke(FieldReader& fields) {
  return KeyRevokeRequest{
      .account = fields.Identifier<AccountId>("account", kOptional).value_or(AccountId()),
      .public_key = fields.Hex<kPublicKeyBytes>("public_key")};
}

ListFields ReadList(FieldReader& fields) {
  return {.after = fields.Identifier<OrderId>("after", kOptional).value_or(OrderId()).value(),
          .limit = static_cast<int32_t>(
              fields.Integer("limit", 1, kListRowsMax, kOptional).value_or(kListRowsMax))};
}

Request ReadAccountStatement(FieldReader& fields) {
  return AccountStatementRequest{
      .after_sequence = static_cast<uint64_t>(
          fields.Integer("after_seq", 0, kSequenceMax, kOptional).value_or(0)),
      .limit = static_cast<int32_t>(fields.Integer("limit", 1, kStatementEntriesMax, kOptional)
                                        .value_or(kStatementEntriesMax))};
}

// ---- Orders ----

// The fields of one side: their command would carry something else, or nothing, on the other.
void ReadSideFields(FieldReader& fields, OrderPlaceRequest& request) {
  const auto tier = fields.Word<Tier>("tier", kOptional);
  const auto min_assurance = fields.Word<Assurance>("min_assurance", kOptional);
  const auto node = fields.Identifier<NodeId>("node", kOptional);
  const auto lease = fields.Identifier<LeaseId>("lease", kOptional);
  request.min_assurance = min_assurance.value_or(Assurance::kListed);
  request.node = node.value_or(NodeId());
  request.lease = lease.value_or(LeaseId());
  const bool is_buy = request.side == Side::kBuy;
  if (is_buy) request.tier = tier.value_or(Tier::kStandard);
  for (const std::string_view name : {"tier", "min_assurance"}) {
    if (!is_buy && fields.Has(name)) fields.Refuse(RejectReason::kFieldNotForSide, name, "");
  }
  for (const std::string_view name : {"node", "lease"}) {
    if (is_buy && fields.Has(name)) fields.Refuse(RejectReason::kFieldNotForSide, name, "");
  }
}

Request ReadOrderPlace(FieldReader& fields) {
  OrderPlaceRequest request;
  request.symbol = Symbol(fields);
  request.side = fields.Word<Side>("side", kRequired).value_or(Side::kBuy);
  request.order_type = fields.Word<OrderType>("order_type", kRequired).value_or(OrderType::kLimit);
  const bool is_limit = request.order_type == OrderType::kLimit;
  request.price = fields.PositivePrice("price", is_limit ? kRequired : kOptional).value_or(Price());
  request.gpus = Gpus(fields, "gpus", kRequired);
  request.min_fill = Gpus(fields, "min_fill", kOptional);
  request.time_in_force = fields.Word<TimeInForce>("time_in_force", kOptional)
                              .value_or(is_limit ? TimeInForce::kGtc : TimeInForce::kIoc);
  request.expires = fields.Time("expires", kOptional).value_or(Timestamp());
  request.deadline = fields.Time("deadline", kOptional).value_or(Timestamp());
  request.client_order_id = fields.OrderName("cl_ord_id", kOptional).value_or(ClientOrderId());
  request.post_only = fields.Bool("post_only", kOptional).value_or(false);
  request.stp = fields.Word<SelfTradePrevention>("stp", kOptional)
                    .value_or(SelfTradePrevention::kCancelNewest);
  ReadSideFields(fields, request);
  return request;
}

Request ReadOrderAmend(FieldReader& fields) {
  OrderAmendRequest request;
  ReadOrderName(fields, request);
  request.deadline = fields.Time("deadline", kOptional).value_or(Timestamp());
  request.price = fields.PositivePrice("price", kOptional).value_or(Price());
  // From 1: 0 says in the command that nothing changes. Cancelling has its own method.
  request.gpus =
      Quantity(static_cast<int32_t>(fields.Integer("gpus", 1, kInt32Max, kOptional).value_or(0)));
  return request;
}

Request ReadOrderCancel(FieldReader& fields) {
  OrderCancelRequest request;
  ReadOrderName(fields, request);
  request.deadline = fields.Time("deadline", kOptional).value_or(Timestamp());
  return request;
}

Request ReadOrderStatus(FieldReader& fields) {
  OrderStatusRequest request;
  ReadOrderName(fields, request);
  return request;
}

Request ReadCancelOnDisconnect(FieldReader& fields) {
  constexpr std::array<std::string_view, 3> kScopes = {"off", "session", "account"};
  const auto node = fields.Node("scope", FieldNode::Kind::kString, kRequired);
  if (!node) return CancelOnDisconnectRequest{};
  const auto* const found = std::ranges::find(kScopes, fields.TextOf(*node));
  if (found == kScopes.end()) {
    fields.Refuse(RejectReason::kUnknownValue, "scope", "one of off session account");
    return CancelOnDisconnectRequest{};
  }
  return CancelOnDisconnectRequest{.scope = static_cast<DisconnectScope>(found - kScopes.begin())};
}

Request ReadOrderCancelAll(FieldReader& fields) {
  return OrderCancelAllRequest{
      .symbol = fields.Text("symbol", kSymbolBytesMax, kOptional),
      .hardware_class = fields.Text("hardware_class", kCatalogueNameBytesMax, kOptional),
      .side = fields.Word<Side>("side", kOptional),
      .deadline = fields.Time("deadline", kOptional).value_or(Timestamp())};
}

// One item: its faults are its own, and the field they name is one of its params.
OrderBatchItem ReadBatchItem(FieldTree& tree, uint32_t child) {
  OrderBatchItem item;
  Fault fault;
  FieldReader envelope(tree, child, fault);
  const auto name = envelope.Node("method", FieldNode::Kind::kString, kRequired);
  const auto params = envelope.Node("params", FieldNode::Kind::kObject, kOptional);
  const MethodInfo* info = name ? FindMethod(envelope.TextOf(*name)) : nullptr;
  FieldReader fields(tree, params.value_or(FieldReader::kEmptyObject), fault);
  const Method method = info == nullptr ? Method::kOrderBatch : info->method;
  if (method == Method::kOrderPlace) {
    item.request = std::get<OrderPlaceRequest>(ReadOrderPlace(fields));
  } else if (method == Method::kOrderAmend) {
    item.request = std::get<OrderAmendRequest>(ReadOrderAmend(fields));
  } else if (method == Method::kOrderCancel) {
    item.request = std::get<OrderCancelRequest>(ReadOrderCancel(fields));
  } else if (name) {
    envelope.Refuse(RejectReason::kUnknownValue, "method",
                    "one of order.place order.amend order.cancel");
  }
  if (item.request.index() != 0) {
    item.method = method;
    item.validate = ReadValidate(method, fields);
    fields.RefuseUnknownFields();
    envelope.RefuseUnknownFields();
  }
  if (fault.found()) item.request = fault.refusal();
  return item;
}

Request ReadOrderBatch(FieldReader& fields, FieldTree& tree) {
  OrderBatchRequest request;
  const auto requests = fields.Node("requests", FieldNode::Kind::kArray, kRequired);
  if (!requests) return request;
  const size_t count = tree.CountChildren(*requests);
  if (count == 0) {
    fields.Refuse(RejectReason::kOutOfRange, "requests", "must not be empty");
  } else if (count > kBatchItemsMax) {
    fields.Refuse(RejectReason::kOutOfRange, "requests",
                  absl::StrCat("must hold at most ", kBatchItemsMax));
  } else {
    for (uint32_t child = tree.node(*requests).first_child; child != 0;
         child = tree.node(child).next_sibling) {
      if (tree.node(child).kind == FieldNode::Kind::kObject) {
        request.items.push_back(ReadBatchItem(tree, child));
      } else {
        request.items.push_back({.request = Refusal{.reason = RejectReason::kNotAnObject}});
      }
    }
  }
  return request;
}

// ---- Capacity and leases ----

Request ReadProbeBegin(FieldReader& fields) {
  return ProbeBeginRequest{fields.Identifier<NodeId>("node", kRequired).value_or(NodeId())};
}

Request ReadProbeAnswer(FieldReader& fields) {
  ProbeAnswerRequest request;
  request.node = fields.Identifier<NodeId>("node", kRequired).value_or(NodeId());
  request.probe = fields.Identifier<Sequence>("probe", kRequired).value_or(Sequence());
  request.step = fields.Word<ProbeStep>("step", kRequired).value_or(ProbeStep::kReady);
  const Need numbered = fields.Has("part") || fields.Has("parts") ? kRequired : kOptional;
  const auto parts = fields.Integer("parts", 1, kProbePartsMax, numbered);
  const auto part = fields.Integer("part", 1, kProbePartsMax, numbered);
  request.parts = static_cast<int32_t>(parts.value_or(1));
  request.part = static_cast<int32_t>(part.value_or(1));
  if (parts && part && *part > *parts) {
    fields.Refuse(RejectReason::kOutOfRange, "part", "must be 1 to parts");
  }
  request.data = fields.Blob("data", kProbePartBytesMax, kOptional);
  return request;
}

Request ReadCapacityRegister(FieldReader& fields) {
  return CapacityRegisterRequest{
      .hardware_class =
          fields.Text("hardware_class", kCatalogueNameBytesMax, kRequired).value_or(""),
      .region = fields.Text("region", kCatalogueNameBytesMax, kRequired).value_or(""),
      .gpus = Gpus(fields, "gpus", kRequired),
      .device_key = fields.Hex<kPublicKeyBytes>("device_key"),
      .signature = fields.Hex<kSignatureBytes>("signature")};
}

Request ReadLeaseHeartbeat(FieldReader& fields) {
  return LeaseHeartbeatRequest{.lease = Lease(fields),
                               .minute = fields.Time("minute", kRequired).value_or(Timestamp()),
                               .signature = fields.Hex<kSignatureBytes>("signature")};
}

// ---- Operators ----

template <typename TokenRequest>
Request ReadTokenMovement(FieldReader& fields) {
  return TokenRequest{
      .account = fields.Identifier<AccountId>("account", kRequired).value_or(AccountId()),
      .amount = TokenAmount(fields, "amount"),
      .reference = fields.OrderName("reference", kRequired).value_or(ClientOrderId())};
}

Request ReadOwnerVerify(FieldReader& fields) {
  return OwnerVerifyRequest{
      .owner = fields.Identifier<OwnerId>("owner", kRequired).value_or(OwnerId()),
      .verified = fields.Bool("verified", kOptional).value_or(true)};
}

Request ReadLeaseJudge(FieldReader& fields) {
  LeaseJudgeRequest request;
  request.lease = Lease(fields);
  const auto verdict = fields.Word<DisputeVerdict>("verdict", kRequired);
  if (verdict == DisputeVerdict::kNone) {
    fields.Refuse(RejectReason::kUnknownValue, "verdict", "one of founded unfounded");
  }
  request.verdict = verdict.value_or(DisputeVerdict::kFounded);
  request.share_bps = static_cast<int32_t>(
      fields.Integer("share_bps", 0, kShareBpsMax, kOptional).value_or(kShareBpsMax));
  if (request.verdict == DisputeVerdict::kUnfounded && request.share_bps != kShareBpsMax) {
    fields.Refuse(RejectReason::kConflictingFields, "share_bps",
                  "an unfounded dispute takes nothing off the delivery");
  }
  request.reason = fields.Text("reason", kJudgementReasonLengthMax, kRequired).value_or("none");
  if (!IsJudgementReason(request.reason)) {
    fields.Refuse(RejectReason::kMalformedText, "reason",
                  "must be printable ASCII, with no space at its ends");
  }
  return request;
}

Request ReadLimitSet(FieldReader& fields) {
  LimitSetRequest request;
  request.account = fields.Identifier<AccountId>("account", kRequired).value_or(AccountId());
  const int64_t micro_usd = fields.Decimal("limit_usd", kMicroDecimals, kRequired).value_or(0);
  int64_t credits = 0;
  if (__builtin_mul_overflow(micro_usd, kCreditsPerMicroUsd, &credits)) {
    fields.Refuse(RejectReason::kOutOfRange, "limit_usd", "is too large");
  } else {
    request.limit = Credits(credits);
  }
  return request;
}

Request ReadCapacitySet(FieldReader& fields) {
  return CapacitySetRequest{
      .node = fields.Identifier<NodeId>("node", kRequired).value_or(NodeId()),
      .gpus = Gpus(fields, "gpus", kRequired),
      .assurance = fields.Word<Assurance>("assurance", kRequired).value_or(Assurance::kListed)};
}

Request ReadPriceSet(FieldReader& fields, FieldTree& tree, Fault& fault) {
  PriceSetRequest request;
  const auto feeds = fields.Node("feeds", FieldNode::Kind::kArray, kRequired);
  if (!feeds) return request;
  size_t count = 0;
  for (uint32_t child = tree.node(*feeds).first_child; child != 0;
       child = tree.node(child).next_sibling, ++count) {
    if (count == kPriceFeedCount) break;
    if (tree.node(child).kind != FieldNode::Kind::kObject) {
      fields.Refuse(RejectReason::kWrongType, "feeds", "must hold objects");
      return request;
    }
    FieldReader feed(tree, child, fault, absl::StrCat("feeds[", count, "]."));
    request.feeds[count] = {
        .price = TokenPrice(feed.Decimal("price", kMicroDecimals, kRequired).value_or(0)),
        .time = feed.Time("time", kRequired).value_or(Timestamp())};
    feed.RefuseUnknownFields();
  }
  const bool has_more = tree.CountChildren(*feeds) != kPriceFeedCount;
  if (has_more) fields.Refuse(RejectReason::kOutOfRange, "feeds", "must hold exactly 5");
  return request;
}

// ---- All of them ----

// Those of operators and of settlement.
Request ReadOperatorRequest(Method method, FieldReader& fields, FieldTree& tree, Fault& fault) {
  switch (method) {
    case Method::kTokenDeposit:
      return ReadTokenMovement<TokenDepositRequest>(fields);
    case Method::kTokenWithdraw:
      return ReadTokenMovement<TokenWithdrawRequest>(fields);
    case Method::kOwnerVerify:
      return ReadOwnerVerify(fields);
    case Method::kLeaseJudge:
      return ReadLeaseJudge(fields);
    case Method::kLimitSet:
      return ReadLimitSet(fields);
    case Method::kCapacitySet:
      return ReadCapacitySet(fields);
    case Method::kPriceSet:
      return ReadPriceSet(fields, tree, fault);
    case Method::kInstrumentHalt:
      return InstrumentHaltRequest{.symbol = Symbol(fields), .halt = true};
    case Method::kInstrumentResume:
      return InstrumentHaltRequest{.symbol = Symbol(fields), .halt = false};
    case Method::kDrain:
      return DrainRequest{.timeout_ms = fields.Integer("timeout_ms", 0, kDrainMillisMax, kOptional)
                                            .value_or(kDrainMillisDefault)};
    case Method::kSettlementSubmit:
      return ReadSettlementSubmit(fields);
    default:
      WARPBOOK_CHECK(false);  // a method that nothing here reads
  }
}

// Money, orders, capacity and leases; the others are operators'.
Request ReadMemberRequest(Method method, FieldReader& fields, FieldTree& tree, Fault& fault) {
  switch (method) {
    case Method::kCreditsBuy:
      return CreditsBuyRequest{.burn = TokenAmount(fields, "burn")};
    case Method::kOrderPlace:
      return ReadOrderPlace(fields);
    case Method::kOrderAmend:
      return ReadOrderAmend(fields);
    case Method::kOrderCancel:
      return ReadOrderCancel(fields);
    case Method::kOrderCancelAll:
      return ReadOrderCancelAll(fields);
    case Method::kOrderBatch:
      return ReadOrderBatch(fields, tree);
    case Method::kOrderStatus:
      return ReadOrderStatus(fields);
    case Method::kCancelAfter:
      return CancelAfterRequest{
          .timeout_ms =
              fields.Integer("timeout_ms", 0, kCancelAfterMillisMax, kRequired).value_or(0)};
    case Method::kCancelOnDisconnect:
      return ReadCancelOnDisconnect(fields);
    case Method::kCapacityRegister:
      return ReadCapacityRegister(fields);
    case Method::kProbeBegin:
      return ReadProbeBegin(fields);
    case Method::kProbeAnswer:
      return ReadProbeAnswer(fields);
    case Method::kLeaseStart:
      return LeaseStartRequest{.lease = Lease(fields)};
    case Method::kLeaseHeartbeat:
      return ReadLeaseHeartbeat(fields);
    case Method::kLeaseComplete:
      return LeaseCompleteRequest{.lease = Lease(fields)};
    case Method::kLeaseDispute:
      return LeaseDisputeRequest{.lease = Lease(fields)};
    default:
      return ReadOperatorRequest(method, fields, tree, fault);
  }
}

}  // namespace

bool ReadValidate(Method method, FieldReader& fields) {
  const bool may_ask = IsCommand(method) || method == Method::kDrain;
  return may_ask && fields.Bool("validate", Need::kOptional).value_or(false);
}

Request ReadRequest(Method method, FieldReader& fields, FieldTree& tree, Fault& fault) {
  switch (method) {
    case Method::kPing:
      return PingRequest{};
    case Method::kSessionChallenge:
      return SessionChallengeRequest{};
    case Method::kSessionLogon:
      return ReadSessionLogon(fields);
    case Method::kSessionStatus:
      return SessionStatusRequest{};
    case Method::kSessionLogout:
      return SessionLogoutRequest{};
    case Method::kSessionResume:
      return ReadSessionResume(fields, tree);
    case Method::kAccountOpen:
      return ReadAccountOpen(fields);
    case Method::kKeyAdd:
      return ReadKeyAdd(fields, tree);
    case Method::kKeyRevoke:
      return ReadKeyRevoke(fields);
    case Method::kAccountBalances:
      return AccountBalancesRequest{};
    case Method::kAccountOrders:
      return AccountOrdersRequest{.list = ReadList(fields)};
    case Method::kAccountLeases:
      return AccountLeasesRequest{.list = ReadList(fields)};
    case Method::kAccountNodes:
      return AccountNodesRequest{.list = ReadList(fields)};
    case Method::kAccountPositions:
      return AccountPositionsRequest{};
    case Method::kAccountStatement:
      return ReadAccountStatement(fields);
    case Method::kInstruments:
      return ReadInstruments(fields);
    case Method::kSubscribe:
      return ReadSubscription<SubscribeRequest>(fields);
    case Method::kUnsubscribe:
      return ReadSubscription<UnsubscribeRequest>(fields);
    case Method::kBookResync:
      return BookResyncRequest{.symbol = Symbol(fields)};
    default:
      return ReadMemberRequest(method, fields, tree, fault);
  }
}

}  // namespace warpbook::gateway
