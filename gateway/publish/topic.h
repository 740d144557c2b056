// Topic: what one subscription is to. A channel alone, or of an instrument, or its candles of one
// length.
#pragma once

#include <utility>

#include "gateway/protocol/candle_interval.h"
#include "gateway/protocol/methods.h"
#include "schema/types/ids.h"

namespace warpbook::gateway {

struct Topic {
  Channel channel = Channel::kBook;
  InstrumentId instrument = {};                   // where HasSymbol(channel)
  CandleInterval interval = CandleInterval::k1m;  // of candles

  friend bool operator==(const Topic&, const Topic&) = default;
  template <typename H>
  friend H AbslHashValue(H hash, const Topic& topic) {
    return H::combine(std::move(hash), topic.channel, topic.instrument, topic.interval);
  }
};

}  // namespace warpbook::gateway
