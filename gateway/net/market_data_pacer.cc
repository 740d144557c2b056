#include "gateway/net/market_data_pacer.h"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <chrono>

namespace warpbook::gateway {
namespace {

// Some 200 us.
constexpr size_t kConnectionsPerTurn = 32;
// So many times as long as a turn took: market data has a third of the thread.
constexpr int64_t kRestPerTurn = 2;
// Messages of one channel that come together in one write, about; and how close they follow each
// other at most.
constexpr int64_t kMessagesPerRound = 16;
constexpr int64_t kIntervalMicrosMin = 1'000;

}  // namespace

void MarketDataPacer::OnChange() {
  const int64_t now = thread_.now_micros();
  if (in_round_ && now - published_micros_ < interval_micros_) return;
  published_micros_ = now;
  publisher_.PublishMarketData();
  OnBroadcast();
}

void MarketDataPacer::BeginRound() {
  in_round_ = true;
  round_began_micros_ = thread_.now_micros();
  boost::asio::post(io_, [this] { TakeTurn(); });
}

void MarketDataPacer::TakeTurn() {
  thread_.BeginTurn();
  const int64_t began = thread_.now_micros();
  const bool goes_on = publisher_.Deliver(kConnectionsPerTurn);
  thread_.FlushAll();
  if (!goes_on) return EndRound();
  thread_.BeginTurn();
  rest_.expires_after(std::chrono::microseconds(kRestPerTurn * (thread_.now_micros() - began)));
  rest_.async_wait([this](boost::system::error_code cancelled) {
    if (!cancelled) TakeTurn();
  });
}

void MarketDataPacer::EndRound() {
  thread_.BeginTurn();
  const int64_t took = thread_.now_micros() - round_began_micros_;
  interval_micros_ = std::max(took / kMessagesPerRound, kIntervalMicrosMin);
  in_round_ = false;
  OnChange();
}

}  // namespace warpbook::gateway
