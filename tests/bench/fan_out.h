// One busy book and its many subscribers: how many bytes go out to them, and what that does to the
// orders meanwhile; and the most that one thread can write to as many sockets.
#pragma once

#include <cstddef>
#include <cstdint>

#include "tests/bench/gateway_market.h"
#include "tests/bench/load_client.h"
#include "tests/bench/statistics.h"

namespace warpbook::bench {

struct FanOutRound {
  double bytes_per_second = 0;  // that all subscribers got
  size_t message_bytes = 0;     // on the average
  Percentiles quiet, busy;      // of orders while nobody is subscribed, and while all are; ns
};

class FanOut {
 public:
  // A market of one member.
  FanOut(const GatewayMarket& market, size_t subscribers);

  // Orders in an open loop for as long, first without and then with the subscribers.
  FanOutRound Measure(double seconds, int64_t orders_per_second);

 private:
  void Subscribe(const char* method);

  const GatewayMarket& market_;
  LoadClient trader_;
  OrderMessages orders_;
  LoadClient subscribers_;
};

// Bytes per second of a thread that writes the same ready message to so many sockets in turn, and
// does nothing else, while another one reads them.
double TimeReadyBuffer(size_t sockets, size_t message_bytes, double seconds);

}  // namespace warpbook::bench
