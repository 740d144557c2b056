#include "gateway/publish/publisher.h"

#include <algorithm>

#include "schema/base/check.h"

namespace warpbook::gateway {

void Publisher::Take(const engine::DurableBatch& batch) {
  wire::RecordView command;
  for (const wire::RecordView record : wire::Records(batch.records)) {
    const wire::RecordView cause = causes_.Next(record);
    if (wire::IsCommand(record.type())) {
      command = record;
      last_sequence_ = command.command_header().sequence();
      last_time_us_ = command.command_header().time_us();
    } else {
      OnEvent(command, record, cause);
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

void Publisher::OnEvent(wire::RecordView command, wire::RecordView event, wire::RecordView cause) {
  state_.Apply(event, Timestamp(last_time_us_));
  if (event.type() == wire::RecordType::kCommandAccepted &&
      command.type() == wire::RecordType::kSetOrderGuard) {
    state_.Apply(command.as<wire::SetOrderGuard>());
  }
  replier_.OnEvent(command, event);
  if (event.event_header().account_sequence() != 0) {
    const PrivateEvent private_event{.record = event, .cause = cause, .ts_us = last_time_us_};
    recent_.Add(private_event);
    private_.OnEvent(private_event);
  }
  public_.OnEvent(event);
  if (event.type() == wire::RecordType::kKeyRevoked) On(event.as<wire::KeyRevoked>());
}

void Publisher::AnnounceShutdown(int64_t reconnect_by_us) {
  replier_.ForEachConnection([&](uint64_t connection_id, Subscriber& subscriber) {
    if (public_.IsSubscribed(connection_id, {.channel = Channel::kStatus})) return;
    subscriber.Send(ShutdownNotice(subscriber.encoding(), reconnect_by_us));
    tally_.OnSent(Channel::kStatus);
  });
  public_.AnnounceShutdown(reconnect_by_us);
}

void Publisher::On(const wire::KeyRevoked& event) {
  const AccountId account(event.header().account_id());
  PublicKey key;
  std::copy_n(event.public_key()->Data(), key.size(), key.begin());
  for (const uint64_t connection_id : logons_.End(account, key)) {
    private_.RemoveConnection(connection_id);
    tally_.OnSent(Channel::kStatus);
  }
}

}  // namespace warpbook::gateway
