#include "gateway/publish/exchange_feed.h"

#include "schema/base/check.h"
#include "schema/base/version.h"
#include "schema/types/reject_reason.h"

namespace warpbook::gateway {
namespace {

constexpr int64_t kHeartbeatMicros = kMicrosPerSecond;
constexpr Topic kInstruments = {.channel = Channel::kInstruments};
constexpr Topic kStatus = {.channel = Channel::kStatus};
constexpr Topic kHeartbeat = {.channel = Channel::kHeartbeat};

// What has happened to an instrument that is in this state now; it never begins in it.
std::string_view EventOf(InstrumentState state) {
  return state == InstrumentState::kOpen ? "resumed" : Name(state);
}

}  // namespace

std::string ShutdownNotice(Encoding encoding, int64_t reconnect_by_us) {
  return WriteMessage(encoding, [&](MessageWriter& out) {
    out.Field("channel", "status").Field("type", "update");
    out.Key("data").BeginObject().Field("event", "server_shutdown");
    out.Field("reconnect_by", reconnect_by_us).EndObject();
  });
}

void ExchangeFeed::SendSnapshot(uint64_t connection_id, const Topic& topic) {
  subscriptions_.SendSnapshot(connection_id, topic, [&](Encoding encoding) {
    switch (topic.channel) {
      case Channel::kInstruments:
        return InstrumentsSnapshot(encoding);
      case Channel::kStatus:
        return StatusMessage(encoding, MessageType::kSnapshot, "");
      default:
        WARPBOOK_CHECK(topic.channel == Channel::kHeartbeat);
        return Heartbeat(encoding, MessageType::kSnapshot);
    }
  });
}

// ---- Events and time ----

void ExchangeFeed::On(const wire::InstrumentOpened& event) {
  changes_.push_back({.instrument = InstrumentId(event.instrument_id()), .event = "opened"});
}

void ExchangeFeed::On(const wire::InstrumentStateChanged& event) {
  const auto state = static_cast<InstrumentState>(event.state());
  changes_.push_back(
      {.instrument = InstrumentId(event.instrument_id()), .event = EventOf(state), .state = state});
}

void ExchangeFeed::On(const wire::CommandRejected& event) {
  if (static_cast<RejectReason>(event.reason()) == RejectReason::kStorageLow) SetStorageLow(true);
}

void ExchangeFeed::Flush(uint64_t last_sequence, int64_t ts_us) {
  last_sequence_ = last_sequence;
  ts_us_ = ts_us;
  if (!changes_.empty()) FlushInstruments();
  if (status_changed_) FlushStatus(storage_low_ ? "storage_low" : "storage_recovered");
  status_changed_ = false;
}

void ExchangeFeed::FlushInstruments() {
  const PublicHead head{.sequence = ++instruments_sequence_, .ts_us = ts_us_};
  subscriptions_.Broadcast(kInstruments,
                           [&](Encoding encoding) { return InstrumentsUpdate(encoding, head); });
  changes_.clear();
}

void ExchangeFeed::FlushStatus(std::string_view event) {
  ++status_sequence_;
  subscriptions_.Broadcast(kStatus, [&](Encoding encoding) {
    return StatusMessage(encoding, MessageType::kUpdate, event);
  });
}

void ExchangeFeed::Tick(int64_t now_us) {
  if (now_us < heartbeat_due_us_) return;
  heartbeat_due_us_ = now_us + kHeartbeatMicros;
  subscriptions_.Broadcast(
      kHeartbeat, [&](Encoding encoding) { return Heartbeat(encoding, MessageType::kUpdate); });
}

void ExchangeFeed::AnnounceShutdown(int64_t reconnect_by_us) {
  reconnect_by_us_ = reconnect_by_us;
  FlushStatus("server_shutdown");
}

// ---- Messages ----

std::string ExchangeFeed::InstrumentsSnapshot(Encoding encoding) const {
  return WriteMessage(encoding, [&](MessageWriter& out) {
    BeginPublicMessage(out, Channel::kInstruments, MessageType::kSnapshot, "", std::nullopt,
                       {.sequence = instruments_sequence_, .ts_us = ts_us_});
    out.Key("data").BeginArray();
    for (const InstrumentId id : state_.open_instruments()) {
      WriteInstrument(out, *state_.FindInstrument(id), state_.catalogue());
    }
    out.EndArray();
  });
}

// One that is opened comes with all its fields.
std::string ExchangeFeed::InstrumentsUpdate(Encoding encoding, PublicHead head) const {
  return WriteMessage(encoding, [&](MessageWriter& out) {
    BeginPublicMessage(out, Channel::kInstruments, MessageType::kUpdate, "", std::nullopt, head);
    out.Key("data").BeginArray();
    for (const Change& change : changes_) {
      const InstrumentRow* row = state_.FindInstrument(change.instrument);
      if (row == nullptr) continue;  // forgotten already
      out.BeginObject().Field("event", change.event);
      if (change.event == "opened") {
        WriteInstrumentFields(out, *row, state_.catalogue());
      } else {
        out.Field("symbol", row->terms->symbol).Field("state", Name(change.state));
      }
      out.EndObject();
    }
    out.EndArray();
  });
}

std::string ExchangeFeed::StatusMessage(Encoding encoding, MessageType type,
                                        std::string_view event) const {
  return WriteMessage(encoding, [&](MessageWriter& out) {
    BeginPublicMessage(out, Channel::kStatus, type, "", std::nullopt,
                       {.sequence = status_sequence_, .ts_us = ts_us_});
    out.Key("data").BeginObject();
    if (!event.empty()) out.Field("event", event);
    out.Field("status", reconnect_by_us_ == 0 ? "online" : "draining");
    if (reconnect_by_us_ != 0) out.Field("reconnect_by", reconnect_by_us_);
    out.Field("storage_low", storage_low_).Field("version", kVersion).EndObject();
  });
}

// `seq` is the journal's: of the last command that the channels have told of, at the market's time
// `ts`.
std::string ExchangeFeed::Heartbeat(Encoding encoding, MessageType type) const {
  return WriteMessage(encoding, [&](MessageWriter& out) {
    out.Field("channel", ChannelName(Channel::kHeartbeat)).Field("type", TypeName(type));
    out.Field("seq", last_sequence_).Field("ts", ts_us_);
  });
}

}  // namespace warpbook::gateway
