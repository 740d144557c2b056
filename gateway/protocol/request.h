// Requests, typed: what the decoder makes of a message. Text is borrowed from the decoder and valid
// until it decodes the next message. What a request means is the engine's to judge: here every
// field has its type and fits the command that will carry it, no more.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "gateway/protocol/candle_interval.h"
#include "gateway/protocol/methods.h"
#include "schema/types/amounts.h"
#include "schema/types/client_order_id.h"
#include "schema/types/enums.h"
#include "schema/types/ids.h"
#include "schema/types/public_key.h"
#include "schema/types/reject_reason.h"
#include "schema/types/timestamp.h"

namespace warpbook::gateway {

// Why a request is refused: the field at fault ("" where it is none) and, for people, what exactly
// is wrong with it.
struct Refusal {
  RejectReason reason = RejectReason::kNone;
  std::string param = {};
  std::string detail = {};
  int64_t retry_after_us = 0;
};

// ---- The session ----

struct PingRequest {};
struct SessionChallengeRequest {};
struct SessionLogonRequest {
  AccountId account;
  PublicKey public_key{};
  Timestamp timestamp;
  Ed25519Signature signature{};
};
struct SessionStatusRequest {};
struct SessionLogoutRequest {};
// What was missed of the account's private events behind `last_sequence`, and what comes from now
// on.
struct SessionResumeRequest {
  uint64_t last_sequence = 0;
  // The channel of the last message, where others may be told of the same event; else all were.
  std::optional<Channel> last_channel;
  uint32_t channels = 0;  // bits, 1 << Channel; private ones
};
struct AccountOpenRequest {
  PublicKey public_key{};
  Timestamp timestamp;
  Ed25519Signature signature{};
};
struct KeyAddRequest {
  PublicKey public_key{};
  uint32_t scopes = 0;
};

struct KeyRevokeRequest {
  AccountId account;  // 0: the own one
  PublicKey public_key{};
};

// ---- Questions ----

struct AccountBalancesRequest {};
// A part of a list: the rows with ids behind `after`, so many at most.
struct ListFields {
  uint64_t after = 0;
  int32_t limit = 0;
};
struct AccountOrdersRequest {
  ListFields list;
};
struct AccountLeasesRequest {
  ListFields list;
};
struct AccountNodesRequest {
  ListFields list;
};
struct AccountPositionsRequest {};
struct AccountStatementRequest {
  uint64_t after_sequence = 0;  // of the account's private events
  int32_t limit = 0;            // entries at most
};
struct InstrumentsRequest {
  std::optional<std::string_view> hardware_class;
  std::optional<std::string_view> region;
};
struct SubscribeRequest {
  Channel channel = Channel::kBook;
  std::string_view symbol;                        // of channels that have one (HasSymbol)
  CandleInterval interval = CandleInterval::k1m;  // of candles
};
struct UnsubscribeRequest {
  Channel channel = Channel::kBook;
  std::string_view symbol;
  CandleInterval interval = CandleInterval::k1m;
};
struct BookResyncRequest {
  std::string_view symbol;
};

// ---- Money, orders, capacity, leases ----

struct CreditsBuyRequest {
  Tokens burn;
};
struct OrderPlaceRequest {
  std::string_view symbol;
  Side side = Side::kBuy;
  OrderType order_type = OrderType::kLimit;
  Price price;  // 0: none (a market order without protection price)
  Quantity gpus;
  Quantity min_fill;
  Tier tier = Tier::kPremium;  // asks keep the zero that their command carries
  Assurance min_assurance = Assurance::kListed;
  TimeInForce time_in_force = TimeInForce::kGtc;
  Timestamp expires;   // 0: none
  Timestamp deadline;  // 0: none
  ClientOrderId client_order_id;
  bool post_only = false;
  SelfTradePrevention stp = SelfTradePrevention::kCancelNewest;
  NodeId node;
  LeaseId lease;
};
// An order is named by its id or by its client order id: exactly one of them is set.
struct OrderAmendRequest {
  OrderId order_id;
  ClientOrderId client_order_id;
  Price price;    // 0: unchanged
  Quantity gpus;  // 0: unchanged
  Timestamp deadline;
};
struct OrderCancelRequest {
  OrderId order_id;
  ClientOrderId client_order_id;
  Timestamp deadline;
};
// Of the account's own orders, those of the instrument, class and side that are named.
struct OrderCancelAllRequest {
  std::optional<std::string_view> symbol;
  std::optional<std::string_view> hardware_class;
  std::optional<Side> side;
  Timestamp deadline;
};
// Several of place, amend and cancel, each on its own: an item that is at fault is refused by
// itself.
inline constexpr size_t kBatchItemsMax = 50;
struct OrderBatchItem {
  Method method = Method::kOrderPlace;
  bool validate = false;
  std::variant<Refusal, OrderPlaceRequest, OrderAmendRequest, OrderCancelRequest> request;
};
struct OrderBatchRequest {
  std::vector<OrderBatchItem> items;
};
struct OrderStatusRequest {
  OrderId order_id;
  ClientOrderId client_order_id;
};
// The account's dead-man timer: unless it is set again within the time, all its orders are
// cancelled. 0: off.
struct CancelAfterRequest {
  int64_t timeout_ms = 0;
};
enum class DisconnectScope : uint8_t { kOff, kSession, kAccount };
struct CancelOnDisconnectRequest {
  DisconnectScope scope = DisconnectScope::kOff;
};
struct CapacityRegisterRequest {
  std::string_view hardware_class;
  std::string_view region;
  Quantity gpus;
  PublicKey device_key{};
  Ed25519Signature signature{};
};
struct ProbeBeginRequest {
  NodeId node;
};
// The steps of a probe (gpu_probe/verifier/probe_session.h): what the prover says it has done.
enum class ProbeStep : uint8_t { kSizes, kReady, kProducts, kFilled, kGathered, kOpenings };
inline constexpr size_t kProbePartBytesMax = 32 * 1024;
inline constexpr int32_t kProbePartsMax = 512;  // 16 MiB
struct ProbeAnswerRequest {
  NodeId node;
  Sequence probe;
  ProbeStep step = ProbeStep::kReady;
  int32_t part = 1, parts = 1;  // from 1
  std::string data;             // up to kProbePartBytesMax
};
struct LeaseStartRequest {
  LeaseId lease;
};
struct LeaseHeartbeatRequest {
  LeaseId lease;
  Timestamp minute;
  Ed25519Signature signature{};
};
struct LeaseCompleteRequest {
  LeaseId lease;
};
struct LeaseDisputeRequest {
  LeaseId lease;
};

// ---- Operators ----

struct TokenDepositRequest {
  AccountId account;
  Tokens amount;
  ClientOrderId reference;
};
struct TokenWithdrawRequest {
  AccountId account;
  Tokens amount;
  ClientOrderId reference;
};
struct OwnerVerifyRequest {
  OwnerId owner;
  bool verified = true;
};
struct LeaseJudgeRequest {
  LeaseId lease;
  DisputeVerdict verdict = DisputeVerdict::kNone;
  int32_t share_bps = 0;    // at which the delivered minutes count
  std::string_view reason;  // IsJudgementReason
};
struct LimitSetRequest {
  AccountId account;
  Credits limit;
};
struct CapacitySetRequest {
  NodeId node;
  Quantity gpus;
  Assurance assurance = Assurance::kListed;
};
struct PriceFeedField {
  TokenPrice price;
  Timestamp time;
};
inline constexpr size_t kPriceFeedCount = 5;
struct PriceSetRequest {
  std::array<PriceFeedField, kPriceFeedCount> feeds{};
};
struct InstrumentHaltRequest {  // instrument.halt and instrument.resume
  std::string_view symbol;
  bool halt = true;
};

struct DrainRequest {
  int64_t timeout_ms = 0;
};

// ---- Settlement's numbered decisions ----

struct PostDepositDecision {
  Sequence request;
};
struct PostWithdrawalDecision {
  Sequence request;
};
struct PostTopUpDecision {
  Sequence request;
  Credits credits;
};
struct RefuseRequestDecision {
  Sequence request;
  uint16_t reason = 0;
};
struct SettleLeaseDecision {
  LeaseId lease;
  int64_t verified_weight = 0;  // GPU-minutes x 10,000
  Credits consumed, burned, owed;
  Tokens gross, provider, fee, retire, emitted;
  Minutes delivered_minutes;
  DisputeVerdict verdict = DisputeVerdict::kNone;
};
struct PayDeferredDecision {
  LeaseId lease;
  Credits consumed;
  Tokens gross, provider, fee, retire, emitted;
};
struct CloseEpochDecision {
  int32_t day = 0;  // since 1970-01-01
  Tokens budget, emitted, bonus, gross, retire;
};
struct PayBonusDecision {
  int32_t day = 0;
  AccountId account;
  Tokens gross, bonus;
};
struct MarkOwnerDecision {
  OwnerId owner;
  bool large = false;
};
struct SettlementSubmitRequest {
  uint64_t number = 0;
  std::variant<PostDepositDecision, PostWithdrawalDecision, PostTopUpDecision,
               RefuseRequestDecision, SettleLeaseDecision, PayDeferredDecision, CloseEpochDecision,
               PayBonusDecision, MarkOwnerDecision>
      decision;
};

using Request = std::variant<
    Refusal, PingRequest, SessionChallengeRequest, SessionLogonRequest, SessionStatusRequest,
    SessionLogoutRequest, SessionResumeRequest, AccountOpenRequest, KeyAddRequest, KeyRevokeRequest,
    AccountBalancesRequest, AccountOrdersRequest, AccountLeasesRequest, AccountNodesRequest,
    AccountPositionsRequest, AccountStatementRequest, CreditsBuyRequest, OrderPlaceRequest,
    OrderAmendRequest, OrderCancelRequest, OrderCancelAllRequest, OrderBatchRequest,
    OrderStatusRequest, CancelAfterRequest, CancelOnDisconnectRequest, CapacityRegisterRequest,
    LeaseStartRequest, LeaseHeartbeatRequest, LeaseCompleteRequest, InstrumentsRequest,
    SubscribeRequest, UnsubscribeRequest, BookResyncRequest, TokenDepositRequest,
    TokenWithdrawRequest, OwnerVerifyRequest, LimitSetRequest, CapacitySetRequest, PriceSetRequest,
    InstrumentHaltRequest, DrainRequest, SettlementSubmitRequest, LeaseDisputeRequest,
    LeaseJudgeRequest, ProbeBeginRequest, ProbeAnswerRequest>;

// One message, decoded. Method and req_id are there where they could be read, also beside a
// refusal.
struct DecodedMessage {
  std::optional<Method> method;
  std::string_view method_name;  // as sent; empty where it could not be read
  std::optional<int64_t> req_id;
  bool validate = false;  // a command is only to be checked
  Request request;
};

}  // namespace warpbook::gateway

template <>
struct warpbook::EnumNames<warpbook::gateway::ProbeStep> {
  static constexpr std::array<std::string_view, 6> kNames = {"sizes",  "ready",    "products",
                                                             "filled", "gathered", "openings"};
};
