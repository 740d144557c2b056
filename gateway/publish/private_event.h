// PrivateEvent: a private event of an account, as it happens (Publisher), from memory
// (recent_events.h) or from the journal (engine::HistoryPage). What the account is told of it
// follows from these three alone, and so is the same each time.
#pragma once

#include <array>
#include <cstdint>

#include "gateway/protocol/methods.h"
#include "schema/types/ids.h"
#include "schema/wire/causes.h"
#include "schema/wire/record.h"

namespace warpbook::gateway {

struct PrivateEvent {
  wire::RecordView record;
  wire::RecordView cause;  // schema/wire/causes.h; empty where it has none
  int64_t ts_us = 0;       // of its command

  AccountId account() const { return AccountId(record.event_header().account_id()); }
  uint64_t sequence() const { return record.event_header().account_sequence(); }
};

// Sets of channels.
constexpr uint32_t ChannelBit(Channel channel) { return 1u << static_cast<unsigned>(channel); }

// The private channels, in the order in which they are told of one event.
inline constexpr std::array<Channel, 3> kPrivateChannels = {Channel::kExecutions, Channel::kLeases,
                                                            Channel::kBalances};
// Those that are told of an event after that one.
constexpr uint32_t ChannelsBehind(Channel channel) {
  uint32_t behind = 0;
  bool found = false;
  for (const Channel each : kPrivateChannels) {
    if (found) behind |= ChannelBit(each);
    found = found || each == channel;
  }
  return behind;
}

// The channels that are told of the event.
uint32_t ChannelsOf(const PrivateEvent& event);

}  // namespace warpbook::gateway
