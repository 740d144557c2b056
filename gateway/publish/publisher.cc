#include "gateway/publish/publisher.h"

#include <algorithm>

#include "schema/base/check.h"

namespace warpbook::gateway {

void Publisher::Take(const engine::DurableBatch& batch) {
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
}

void Publisher::PublishMarketData() { public_.Flush(last_time_us_); }

void Publisher::Restore(PublishedMarket market) {
  WARPBOOK_CHECK(last_sequence_ == 0);
  state_ = std::move(market.state);
  for (const auto& [instrument, sequences] : market.feeds) public_.Restore(instrument, sequences);
  last_sequence_ = market.last_sequence;
  last_time_us_ = market.last_time_us;
}

void Publisher::OnEvent(wire::RecordView command, wire::RecordView event) {
  state_.Apply(event, Timestamp(last_time_us_));
  replier_.OnEvent(command, event);
  private_.OnEvent(event, last_time_us_);
  switch (event.type()) {
    case wire::RecordType::kKeyRevoked:
      return On(event.as<wire::KeyRevoked>());
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

void Publisher::On(const wire::KeyRevoked& event) {
  const AccountId account(event.header().account_id());
  PublicKey key;
  std::copy_n(event.public_key()->Data(), key.size(), key.begin());
  for (const uint64_t connection_id : logons_.End(account, key)) {
    private_.RemoveConnection(connection_id);
  }
}

}  // namespace warpbook::gateway
