// Buyer: burns tokens for credits, bids around the fair price, takes what is offered near it,
// resells some of what it bought before its delivery, and completes what was delivered to it.
#pragma once

#include <chrono>
#include <string>

#include "gateway/cli/demo/member.h"

namespace warpbook::gateway {

class Buyer : public Member {
 public:
  using Member::Member;

 protected:
  void Trade() override;
  void Maintain() override;
  void Deliver() override;
  void OnOrderRefused(const std::string& code) override;

 private:
  void Rest(const std::string& symbol, size_t market, const DemoWindow& window);
  void Take(const std::string& symbol, size_t market, const DemoWindow& window);
  bool Resell();
  // GPUs of a lease that no ask of this buyer resells.
  int64_t GpusLeft(const OwnLease& lease) const;
  void Complete(OwnLease& lease);

  bool needs_credits_ = false;
  int64_t credits_bought_before_ = 0;
  std::chrono::steady_clock::time_point purchase_due_;  // no other one is asked for before
};

}  // namespace warpbook::gateway
