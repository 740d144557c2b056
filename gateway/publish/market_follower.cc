#include "gateway/publish/market_follower.h"

#include "gateway/publish/catalogue_check.h"
#include "gateway/publish/market_snapshot.h"

namespace warpbook::gateway {

// Nobody resumes.
MarketFollower::MarketFollower(const Catalogue& catalogue)
    : publisher_(catalogue, clock_, {.bytes = 0}) {}

absl::Status MarketFollower::Apply(const engine::DurableBatch& batch) {
  const absl::Status known = CheckCatalogue(publisher_.state().catalogue(), batch);
  if (known.ok()) publisher_.Publish(batch);
  return known;
}

void MarketFollower::Write(absl::FunctionRef<void(std::span<const std::byte>)> sink) const {
  WriteMarket(publisher_, sink);
}

absl::Status MarketFollower::Read(std::span<const std::byte> bytes) {
  return ReadMarket(bytes, publisher_);
}

}  // namespace warpbook::gateway
