// The read-only HTTP API: the target of a GET in, status and JSON out (4-gateway-api of the design,
// Shape). The same facts as the WebSocket's, and the same error object. Pure functions over what
// was published; the I/O thread's.
//
//   /api/v1/instruments[?hardware_class=&region=&limit=&after=]   after: the last symbol seen
//   /api/v1/book?symbol=[&depth=]
//   /api/v1/trades?symbol=
//   /api/v1/candles?symbol=&interval=
//   /api/v1/supply[?date=YYYY-MM-DD], /api/v1/disclosures: settlement's
#pragma once

#include <string>
#include <string_view>

#include "gateway/publish/publisher.h"

namespace warpbook::gateway {

// 200; 400 a parameter is wrong; 404 there is no such thing; 410 it is over; 503 not now.
struct ApiAnswer {
  unsigned status = 200;
  std::string body;  // JSON
  // Where it is settlement's to answer: what it is to be asked. Status and body are then what is
  // said while it cannot be.
  std::string settlement_target = {};
};

// Rows of /instruments at once, if nothing is said and at most.
inline constexpr int kInstrumentsPageDefault = 500;
inline constexpr int kInstrumentsPageMax = 1'000;
// Levels of /book that may be asked for; without `depth` all are given.
inline constexpr int kBookDepthMax = 1'000;

// What is said where settlement, which knows the market's day, finds the date out of range.
ApiAnswer RefuseSupplyDate();

// `target` as it stands in the request, "/api/v1/book?symbol=...".
ApiAnswer AnswerApi(std::string_view target, const Publisher& publisher);

}  // namespace warpbook::gateway
