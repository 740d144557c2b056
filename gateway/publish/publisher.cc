#include "gateway/publish/publisher.h"

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

void Publisher::PublishMarketData() { public_.Flush(last_sequence_, last_time_us_); }

void Publisher::Restore(PublishedMarket market) {
  WARPBOOK_CHECK(last_sequence_ == 0);
  state_ = std::move(market.state);
  last_sequence_ = market.last_sequence;
  last_time_us_ = market.last_time_us;
  for (const auto& [instrument, sequences] : market.feeds) {
    public_.market().Restore(instrument, sequences);
  }
  public_.market().RestoreTime(last_time_us_);
  public_.exchange().Restore(market.instruments_sequence, last_sequence_, last_time_us_);
}

void Publisher::OnEvent(wire::RecordView command, wire::RecordView event) {
  state_.Apply(event, Timestamp(last_time_us_));
  replier_.OnEvent(command, event);
  private_.OnEvent(event, last_time_us_);
  public_.OnEvent(event);
}

void Publisher::AnnounceShutdown(int64_t reconnect_by_us) {
  for (const auto& [connection_id, subscriber] : replier_.connections()) {
    if (public_.IsSubscribed(connection_id, {.channel = Channel::kStatus})) continue;
    subscriber->Send(ShutdownNotice(subscriber->encoding(), reconnect_by_us));
  }
  public_.AnnounceShutdown(reconnect_by_us);
}

}  // namespace warpbook::gateway
