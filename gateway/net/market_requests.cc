#include "gateway/net/request_handler.h"
#include "gateway/publish/public_messages.h"

namespace warpbook::gateway {
namespace {

// What was subscribed to, as it was named.
template <typename SubscriptionRequest>
void WriteTopic(MessageWriter& out, const SubscriptionRequest& request) {
  out.Field("channel", ChannelName(request.channel));
  if (HasSymbol(request.channel)) out.Field("symbol", request.symbol);
  if (request.channel == Channel::kCandles) out.Field("interval", Name(request.interval));
}

}  // namespace

void RequestHandler::Handle(Call& call, const InstrumentsRequest& request) {
  const MarketState& state = publisher_.state();
  const Catalogue& catalogue = state.catalogue();
  const HardwareClass* hardware_class =
      request.hardware_class ? catalogue.FindClass(*request.hardware_class) : nullptr;
  const Region* region = request.region ? catalogue.FindRegion(*request.region) : nullptr;
  if (request.hardware_class && hardware_class == nullptr) {
    return Refuse(call, RejectReason::kUnknownValue, "hardware_class");
  }
  if (request.region && region == nullptr) {
    return Refuse(call, RejectReason::kUnknownValue, "region");
  }
  Succeed(call, [&](MessageWriter& out) {
    out.Key("instruments").BeginArray();
    for (const InstrumentId id : state.open_instruments()) {
      const InstrumentRow& instrument = *state.FindInstrument(id);
      if (hardware_class != nullptr && instrument.terms->class_id != hardware_class->id) continue;
      if (region != nullptr && instrument.terms->region_id != region->id) continue;
      WriteInstrument(out, instrument, catalogue);
    }
    out.EndArray();
  });
}

// ---- Subscriptions ----

const InstrumentRow* RequestHandler::OpenInstrument(Call& call, std::string_view symbol) {
  const InstrumentRow* instrument = publisher_.state().FindInstrument(symbol);
  if (instrument == nullptr) {
    Refuse(call, RejectReason::kUnknownInstrument, "symbol");
  } else if (instrument->state == InstrumentState::kClosed) {
    Refuse(call, RejectReason::kInstrumentClosed, "symbol");
    return nullptr;
  }
  return instrument;
}

bool RequestHandler::HasRoomForSubscriptions(const Call& call, size_t count) {
  const uint64_t connection_id = call.visitor.connection_id;
  return publisher_.public_feed().CountOf(connection_id) +
             publisher_.private_feed().CountOf(connection_id) + resumer_.CountOf(connection_id) +
             count <=
         call.visitor.limits.subscriptions_max;
}

void RequestHandler::Handle(Call& call, const SubscribeRequest& request) {
  if (IsPrivate(request.channel)) {
    SubscribePrivate(call, request);
  } else {
    SubscribePublic(call, request);
  }
}

bool RequestHandler::TopicOf(Call& call, Channel channel, std::string_view symbol,
                             CandleInterval interval, Topic& topic) {
  topic = {.channel = channel, .interval = interval};
  if (!HasSymbol(channel)) return true;
  const InstrumentRow* instrument = OpenInstrument(call, symbol);
  if (instrument == nullptr) return false;
  topic.instrument = instrument->terms->id;
  return true;
}

void RequestHandler::SubscribePublic(Call& call, const SubscribeRequest& request) {
  Topic topic;
  if (!TopicOf(call, request.channel, request.symbol, request.interval, topic)) return;
  PublicFeed& feed = publisher_.public_feed();
  const uint64_t connection_id = call.visitor.connection_id;
  if (feed.IsSubscribed(connection_id, topic)) {
    return Refuse(call, RejectReason::kAlreadySubscribed, "channel");
  }
  if (!HasRoomForSubscriptions(call, 1)) return Refuse(call, RejectReason::kTooManySubscriptions);
  if (const RejectReason reason = feed.CanSubscribe(topic); reason != RejectReason::kNone) {
    return Refuse(call, reason, "channel");
  }
  const int64_t wait =
      TakeForSubscription(call.visitor, topic.channel, clocks_.monotonic.NowMicros());
  if (wait != 0) {
    return Refuse(call, {.reason = RejectReason::kRateLimited, .retry_after_us = wait});
  }
  publisher_.PublishMarketData();
  feed.Subscribe(connection_id, call.subscriber, topic);
  Succeed(call, [&](MessageWriter& out) { WriteTopic(out, request); });
  feed.SendSnapshot(connection_id, topic, publisher_.last_time_us());
}

void RequestHandler::SubscribePrivate(Call& call, const SubscribeRequest& request) {
  const auto& logged_on = call.visitor.logged_on;
  if (!logged_on) return Refuse(call, RejectReason::kNotLoggedOn, "channel");
  if ((logged_on->scopes & static_cast<uint32_t>(Scope::kRead)) == 0) {
    return Refuse(call, RejectReason::kScopeMissing, "channel");
  }
  PrivateFeed& feed = publisher_.private_feed();
  const uint64_t connection_id = call.visitor.connection_id;
  if (resumer_.CountOf(connection_id) != 0) return Refuse(call, RejectReason::kResumeUnderWay);
  if (feed.IsSubscribed(connection_id, request.channel)) {
    return Refuse(call, RejectReason::kAlreadySubscribed, "channel");
  }
  if (!HasRoomForSubscriptions(call, 1)) return Refuse(call, RejectReason::kTooManySubscriptions);
  if (feed.SnapshotRows(request.channel, logged_on->account) > limits_.private_snapshot_rows_max) {
    return Refuse(call, RejectReason::kSnapshotTooLarge, "channel");
  }
  feed.Subscribe(connection_id, call.subscriber, request.channel, logged_on->account);
  Succeed(call, [&](MessageWriter& out) { out.Field("channel", ChannelName(request.channel)); });
  feed.SendFirst(connection_id, request.channel, publisher_.last_time_us());
}

void RequestHandler::Handle(Call& call, const UnsubscribeRequest& request) {
  const uint64_t connection_id = call.visitor.connection_id;
  RejectReason reason = RejectReason::kNone;
  if (IsPrivate(request.channel)) {
    reason = publisher_.private_feed().Unsubscribe(connection_id, request.channel);
  } else {
    Topic topic;
    if (!TopicOf(call, request.channel, request.symbol, request.interval, topic)) return;
    reason = publisher_.public_feed().Unsubscribe(connection_id, topic);
  }
  if (reason != RejectReason::kNone) return Refuse(call, reason, "channel");
  Succeed(call, [&](MessageWriter& out) { WriteTopic(out, request); });
}

void RequestHandler::Handle(Call& call, const BookResyncRequest& request) {
  Topic topic;
  if (!TopicOf(call, Channel::kBook, request.symbol, {}, topic)) return;
  const uint64_t connection_id = call.visitor.connection_id;
  PublicFeed& feed = publisher_.public_feed();
  if (!feed.IsSubscribed(connection_id, topic)) {
    return Refuse(call, RejectReason::kNotSubscribed, "symbol");
  }
  publisher_.PublishMarketData();
  Succeed(call, [&](MessageWriter& out) { out.Field("symbol", request.symbol); });
  feed.SendSnapshot(connection_id, topic, publisher_.last_time_us());
}

}  // namespace warpbook::gateway
