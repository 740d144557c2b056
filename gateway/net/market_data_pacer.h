// MarketDataPacer: when market data is made, and when it is written. What changes while nobody is
// being told of anything is told at once. To write to a thousand connections takes milliseconds:
// they are served a few at a time, and after each turn market data rests for longer than the turn
// took, so that replies, and whoever else needs the processor, wait for no more than one of them.
// What changes meanwhile is told now and then, and leaves with whatever else its connection is to
// get.
//
// Belongs to the I/O thread.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstdint>

#include "gateway/net/session_host.h"
#include "gateway/publish/publisher.h"

namespace warpbook::gateway {

class MarketDataPacer {
 public:
  MarketDataPacer(boost::asio::io_context& io, SessionThread& thread, Publisher& publisher)
      : io_(io), thread_(thread), publisher_(publisher), rest_(io) {}

  // The market may have changed.
  void OnChange();
  // Something may have been broadcast by others.
  void OnBroadcast() {
    if (!in_round_ && publisher_.has_undelivered()) BeginRound();
  }
  void Stop() { rest_.cancel(); }

 private:
  void BeginRound();
  void TakeTurn();
  void EndRound();

  boost::asio::io_context& io_;
  SessionThread& thread_;
  Publisher& publisher_;
  boost::asio::steady_timer rest_;
  bool in_round_ = false;  // connections are being served, turn by turn
  int64_t round_began_micros_ = 0;
  int64_t published_micros_ = 0;
  int64_t interval_micros_ = 0;  // between messages of one channel, in a round
};

}  // namespace warpbook::gateway
