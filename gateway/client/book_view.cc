#include "gateway/client/book_view.h"

#include <limits>
#include <optional>

#include "absl/strings/str_cat.h"
#include "gateway/protocol/book_checksum.h"
#include "schema/types/decimal.h"

namespace warpbook::gateway {
namespace {

template <typename Levels>
absl::Status ApplyLevels(const JsonValue& changes, Levels& levels) {
  for (const JsonValue& change : changes.items()) {
    if (change.items().size() != 2) return absl::InvalidArgumentError("a level is not [price, n]");
    const std::optional<Price> price = ParsePrice(change.items()[0].text());
    const int64_t gpus = change.items()[1].integer();
    if (!price || gpus < 0 || gpus > std::numeric_limits<int32_t>::max())
      return absl::InvalidArgumentError("a level's price or GPUs are wrong");
    if (gpus == 0) {
      levels.erase(*price);
    } else {
      levels[*price] = Quantity(static_cast<int32_t>(gpus));
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status BookView::Apply(const JsonValue& message) {
  const std::string& type = message["type"].text();
  if (type != "snapshot" && type != "update") {
    return absl::InvalidArgumentError(absl::StrCat("a book's message of type \"", type, "\""));
  }
  if (type == "snapshot") {
    bids_.clear();
    asks_.clear();
  } else if (!has_snapshot_ || message["prev_seq"].integer() != sequence_) {
    has_snapshot_ = false;
    return absl::DataLossError(absl::StrCat("the book's update ", message["seq"].integer(),
                                            " follows ", message["prev_seq"].integer(), ", but ",
                                            sequence_, " was the last one here"));
  }
  has_snapshot_ = false;
  absl::Status status = ApplyLevels(message["data"]["bids"], bids_);
  if (status.ok()) status = ApplyLevels(message["data"]["asks"], asks_);
  if (!status.ok()) return status;
  sequence_ = message["seq"].integer();
  if (BookChecksum(asks_, bids_, tick_) != message["checksum"].integer()) {
    return absl::DataLossError(
        absl::StrCat("the book's checksum differs at ", message["seq"].integer()));
  }
  has_snapshot_ = true;
  return absl::OkStatus();
}

}  // namespace warpbook::gateway
