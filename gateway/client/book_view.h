// BookView: one instrument's book as the channel `book` tells it. Checks what the API promises: no
// update is missed (prev_seq), and the book is the gateway's (checksum). No thread of its own: its
// owner's.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>

#include "absl/status/status.h"
#include "gateway/client/json_value.h"
#include "schema/types/amounts.h"

namespace warpbook::gateway {

class BookView {
 public:
  using Bids = std::map<Price, Quantity, std::greater<>>;  // best first
  using Asks = std::map<Price, Quantity>;

  // The instrument's tick is needed for the checksum.
  explicit BookView(Price tick) : tick_(tick) {}

  // Takes a snapshot or an update. DataLoss where an update was missed or the checksum differs: the
  // view is then of no use until the next snapshot (subscribe again). InvalidArgument where the
  // message is none of a book. The last one, of type "closed", is its owner's to see.
  absl::Status Apply(const JsonValue& message);

  const Bids& bids() const { return bids_; }
  const Asks& asks() const { return asks_; }
  int64_t sequence() const { return sequence_; }
  bool has_snapshot() const { return has_snapshot_; }

 private:
  const Price tick_;
  Bids bids_;
  Asks asks_;
  int64_t sequence_ = 0;
  bool has_snapshot_ = false;
};

}  // namespace warpbook::gateway
