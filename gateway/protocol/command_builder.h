// Requests -> commands (schema/wire/commands.fbs). Pure: what a request names by text (symbol,
// class, region) has been looked up before.
#pragma once

#include <cstdint>

#include "gateway/protocol/request.h"
#include "schema/types/enums.h"
#include "schema/types/ids.h"
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
