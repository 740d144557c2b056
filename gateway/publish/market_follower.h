// MarketFollower: what a gateway answers from, kept beside the engine's state for the snapshots,
// with nobody to answer. One thread owns it.
#pragma once

#include <cstddef>
#include <span>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "engine/service/follower.h"
#include "gateway/publish/publisher.h"
#include "schema/base/clock.h"
#include "schema/catalogue/catalogue.h"

namespace warpbook::gateway {

class MarketFollower final : public engine::Follower {
 public:
  // The catalogue must outlive it.
  explicit MarketFollower(const Catalogue& catalogue);

  // FailedPrecondition where the catalogue lacks what the batch speaks of.
  absl::Status Apply(const engine::DurableBatch& batch) override;
  void Write(absl::FunctionRef<void(std::span<const std::byte>)> sink) const override;
  absl::Status Read(std::span<const std::byte> bytes) override;

 private:
  const SystemClock clock_;
  Publisher publisher_;
};

}  // namespace warpbook::gateway
