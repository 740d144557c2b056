// Requests -> commands (schema/wire/commands.fbs). Pure: what a request names by text (symbol,
// class, region) has been looked up before.
#pragma once

#include <cstdint>

#include "gateway/protocol/request.h"
#include "schema/base/crypto.h"
#include "schema/types/enums.h"
#include "schema/types/ids.h"
#include "schema/types/probe_reason.h"
#include "schema/wire/record.h"

namespace warpbook::gateway {

// Who asks, and the mark by which the answer is known.
struct CommandOrigin {
  AccountId account;  // 0: the exchange itself (account.open)
  uint64_t tag = 0;
  bool validate_only = false;  // of orders and amends: the engine checks them and does no more
};

wire::CommandRecord MakeCommand(const AccountOpenRequest& request, CommandOrigin origin);
wire::CommandRecord MakeCommand(const KeyAddRequest& request, CommandOrigin origin);
wire::CommandRecord MakeCommand(const KeyRevokeRequest& request, CommandOrigin origin);
wire::CommandRecord MakeCommand(const CreditsBuyRequest& request, CommandOrigin origin);
wire::CommandRecord MakeCommand(const OrderPlaceRequest& request, CommandOrigin origin,
                                InstrumentId instrument);
wire::CommandRecord MakeCommand(const OrderAmendRequest& request, CommandOrigin origin);
wire::CommandRecord MakeCommand(const OrderCancelRequest& request, CommandOrigin origin);
// 0 for an instrument or a class that is not named.
wire::CommandRecord MakeCommand(const OrderCancelAllRequest& request, CommandOrigin origin,
                                InstrumentId instrument, ClassId class_id);
// The sender's own session.
wire::CommandRecord MakeCommand(const CancelOnDisconnectRequest& request, CommandOrigin origin,
                                uint32_t session);
// `now`: real time. When the timer runs out is in its deadline_us.
wire::CommandRecord MakeCommand(const CancelAfterRequest& request, CommandOrigin origin,
                                Timestamp now);

// ---- The gateway's own, for a member that is not heard of any more ----

wire::CommandRecord MakeCancelAll(AccountId account, CancelReason reason);
wire::CommandRecord MakeWithdraw(AccountId account, OrderId order, CancelReason reason);
// Of a session; or, where it is 0, of the timer with that deadline.
wire::CommandRecord MakeGuardOff(AccountId account, uint32_t session, Timestamp deadline);

// ---- The gateway's own, about a node's probes (engine/core/probe_commands.cc) ----

wire::CommandRecord MakeCallProbe(NodeId node, Timestamp due);
// What is decided of a probe; probe 0: of a call, or a proof, whose time is over.
struct ProbeDecision {
  NodeId node;
  Sequence probe = {};
  Sha256Digest transcript{};  // of what the prover signed; zeros: nothing came
  int64_t int8_ops_per_s = 0, bytes_per_s = 0, memory_bytes = 0;
  Timestamp valid_until = {};  // a pass; so are the next three
  Quantity gpus = {};
  int32_t share_bps = 0;
  bool answers_call = false;  // else one that the node has stands
  uint32_t flags = 0;
  ProbeReason reason = ProbeReason::kNone;
};
wire::CommandRecord MakeDecideProbe(const ProbeDecision& decision, uint64_t tag);

wire::CommandRecord MakeCommand(const ProbeBeginRequest& request, CommandOrigin origin,
                                const Sha256Digest& nonce, Timestamp expires);
wire::CommandRecord MakeCommand(const CapacityRegisterRequest& request, CommandOrigin origin,
                                ClassId class_id, RegionId region_id);
wire::CommandRecord MakeCommand(const LeaseStartRequest& request, CommandOrigin origin);
wire::CommandRecord MakeCommand(const LeaseHeartbeatRequest& request, CommandOrigin origin);
wire::CommandRecord MakeCommand(const LeaseCompleteRequest& request, CommandOrigin origin);
wire::CommandRecord MakeCommand(const LeaseDisputeRequest& request, CommandOrigin origin);
wire::CommandRecord MakeCommand(const LeaseJudgeRequest& request, CommandOrigin origin);
wire::CommandRecord MakeCommand(const TokenDepositRequest& request, CommandOrigin origin);
wire::CommandRecord MakeCommand(const TokenWithdrawRequest& request, CommandOrigin origin);
wire::CommandRecord MakeCommand(const OwnerVerifyRequest& request, CommandOrigin origin);
wire::CommandRecord MakeCommand(const LimitSetRequest& request, CommandOrigin origin);
wire::CommandRecord MakeCommand(const CapacitySetRequest& request, CommandOrigin origin);
wire::CommandRecord MakeCommand(const PriceSetRequest& request, CommandOrigin origin);
wire::CommandRecord MakeCommand(const InstrumentHaltRequest& request, CommandOrigin origin,
                                InstrumentId instrument);
wire::CommandRecord MakeCommand(const SettlementSubmitRequest& request, CommandOrigin origin);

}  // namespace warpbook::gateway
