#include "gateway/publish/private_event.h"

#include "schema/types/amounts.h"
#include "schema/types/enums.h"

namespace warpbook::gateway {
namespace {

uint32_t ChannelsOfFill(const wire::OrderFilled& fill, wire::RecordView cause) {
  const auto& trade = cause.as<wire::TradeExecuted>();
  const bool resold = static_cast<Side>(fill.side()) == Side::kSell && trade.resold_lease_id() != 0;
  // Who resold it has no part in the new lease, and its provider is told by a LeaseResold.
  return ChannelBit(Channel::kExecutions) | (resold ? 0 : ChannelBit(Channel::kLeases));
}

uint32_t ChannelsOfLease(const wire::LeaseChanged& lease, wire::RecordView cause) {
  const bool is_rewarded = !cause.empty() && cause.type() == wire::RecordType::kLeaseSettled &&
                           lease.is_provider() != 0 &&
                           cause.as<wire::LeaseSettled>().lease_id() == lease.lease_id() &&
                           cause.as<wire::LeaseSettled>().provider_utok() > 0;
  return ChannelBit(Channel::kLeases) | (is_rewarded ? ChannelBit(Channel::kBalances) : 0);
}

}  // namespace

uint32_t ChannelsOf(const PrivateEvent& event) {
  switch (event.record.type()) {
    case wire::RecordType::kOrderAccepted:
    case wire::RecordType::kOrderAmended:
    case wire::RecordType::kOrderCancelled:
      return ChannelBit(Channel::kExecutions);
    case wire::RecordType::kOrderFilled:
      return ChannelsOfFill(event.record.as<wire::OrderFilled>(), event.cause);
    case wire::RecordType::kCreditsMoved:
      return ChannelBit(Channel::kBalances);
    case wire::RecordType::kRequestDecided:
      return event.record.as<wire::RequestDecided>().reason() == 0 ? ChannelBit(Channel::kBalances)
                                                                   : 0;
    case wire::RecordType::kLeaseChanged:
      return ChannelsOfLease(event.record.as<wire::LeaseChanged>(), event.cause);
    case wire::RecordType::kLeaseResold:
    case wire::RecordType::kLeaseJudged:
      return ChannelBit(Channel::kLeases);
    case wire::RecordType::kDeferredPaid:
      return event.record.as<wire::DeferredPaid>().provider_utok() > 0
                 ? ChannelBit(Channel::kBalances)
                 : 0;
    case wire::RecordType::kBonusPaid:
      return event.record.as<wire::BonusPaid>().bonus_utok() > 0 ? ChannelBit(Channel::kBalances)
                                                                 : 0;
    default:  // accounts, keys, nodes, limits: their answers say it; a dispute: its LeaseChanged
      return 0;
  }
}

}  // namespace warpbook::gateway
