// Requests -> commands (schema/wire/commands.fbs). Pure: what a request names by text (symbol,
// class, region) has been looked up before.
#pragma once

#include <cstdint>

#include "gateway/protocol/request.h"
#include "schema/types/ids.h"
#include "schema/wire/record.h"

namespace warpbook::gateway {

// Who asks, and the mark by which the answer is known.
struct CommandOrigin {
  AccountId account;  // 0: the exchange itself (account.open)
  uint64_t tag = 0;
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
wire::CommandRecord MakeCommand(const CapacityRegisterRequest& request, CommandOrigin origin,
                                ClassId class_id, RegionId region_id);
wire::CommandRecord MakeCommand(const LeaseStartRequest& request, CommandOrigin origin);
wire::CommandRecord MakeCommand(const LeaseHeartbeatRequest& request, CommandOrigin origin);
wire::CommandRecord MakeCommand(const LeaseCompleteRequest& request, CommandOrigin origin);
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
