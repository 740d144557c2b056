#include "gateway/publish/public_feed.h"

namespace warpbook::gateway {

RejectReason PublicFeed::CanSubscribe(const Topic& topic) const {
  const bool too_large =
      topic.channel == Channel::kOrders &&
      state_.FindInstrument(topic.instrument)->orders.size() > kOrdersSnapshotMax;
  return too_large ? RejectReason::kSnapshotTooLarge : RejectReason::kNone;
}

void PublicFeed::SendSnapshot(uint64_t connection_id, const Topic& topic, int64_t ts_us) {
  if (HasSymbol(topic.channel)) {
    market_.SendSnapshot(connection_id, topic, ts_us);
  } else {
    exchange_.SendSnapshot(connection_id, topic);
  }
}

void PublicFeed::Resume(uint64_t connection_id, int64_t ts_us) {
  for (const Topic& topic : subscriptions_.MissedBy(connection_id)) {
    SendSnapshot(connection_id, topic, ts_us);
  }
}

void PublicFeed::OnEvent(wire::RecordView event) {
  switch (event.type()) {
    case wire::RecordType::kBookLevelChanged:
      return market_.On(event.as<wire::BookLevelChanged>());
    case wire::RecordType::kOrderAccepted:
      market_.On(event.as<wire::OrderAccepted>());
      return exchange_.On(event.as<wire::OrderAccepted>());
    case wire::RecordType::kOrderFilled:
      return market_.On(event.as<wire::OrderFilled>());
    case wire::RecordType::kOrderAmended:
      return market_.On(event.as<wire::OrderAmended>());
    case wire::RecordType::kOrderCancelled:
      return market_.On(event.as<wire::OrderCancelled>());
    case wire::RecordType::kTradeExecuted:
      return market_.On(event.as<wire::TradeExecuted>());
    case wire::RecordType::kInstrumentOpened:
      return exchange_.On(event.as<wire::InstrumentOpened>());
    case wire::RecordType::kInstrumentStateChanged:
      market_.On(event.as<wire::InstrumentStateChanged>());
      return exchange_.On(event.as<wire::InstrumentStateChanged>());
    case wire::RecordType::kCommandRejected:
      return exchange_.On(event.as<wire::CommandRejected>());
    default:
      return;
  }
}

void PublicFeed::Flush(uint64_t last_sequence, int64_t ts_us) {
  market_.Flush(ts_us);
  exchange_.Flush(last_sequence, ts_us);
}

}  // namespace warpbook::gateway
