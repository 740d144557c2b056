#include "gateway/publish/publisher.h"

#include "schema/base/check.h"

namespace warpbook::gateway {

void Publisher::Publish(const engine::DurableBatch& batch) {
  wire::RecordView command;
  for (const wire::RecordView record : wire::Records(batch.records)) {
    if (wire::IsCommand(record.type())) {
      command = record;
      last_sequence_ = command.command_header().sequence();
      last_time_us_ = command.command_header().time_us();
    } else {
      OnEvent(command, record);
    }
  }
  public_.Flush(last_time_us_);
}

void Publisher::Restore(PublishedMarket market) {
  WARPBOOK_CHECK(last_sequence_ == 0);
  state_ = std::move(market.state);
  for (const auto& [instrument, sequences] : market.feeds) public_.Restore(instrument, sequences);
  last_sequence_ = market.last_sequence;
  last_time_us_ = market.last_time_us;
}

void Publisher::OnEvent(wire::RecordView command, wire::RecordView event) {
  state_.Apply(event, Timestamp(last_time_us_));
  if (event.type() == wire::RecordType::kCommandAccepted &&
      command.type() == wire::RecordType::kSetOrderGuard) {
    state_.Apply(command.as<wire::SetOrderGuard>());
  }
  replier_.OnEvent(command, event);
  private_.OnEvent(event, last_time_us_);
  switch (event.type()) {
    case wire::RecordType::kBookLevelChanged:
      return public_.On(event.as<wire::BookLevelChanged>());
    case wire::RecordType::kTradeExecuted:
      return public_.On(event.as<wire::TradeExecuted>());
    case wire::RecordType::kInstrumentStateChanged:
      return public_.On(event.as<wire::InstrumentStateChanged>());
    default:
      return;
  }
}

}  // namespace warpbook::gateway
