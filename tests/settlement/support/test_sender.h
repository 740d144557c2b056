// TestSender: takes a worker's decisions to a TestMarket's engine when the test says so, as a link
// that loses connections and answers does: each decision at least once, in order.
#pragma once

#include <deque>
#include <vector>

#include "settlement/service/decision_sender.h"
#include "tests/settlement/support/test_market.h"

namespace warpbook::test {

class TestSender : public settlement::DecisionSender {
 public:
  explicit TestSender(TestMarket& market) : market_(market) {}

  void SetAccount(AccountId account) override { account_ = account; }
  void Replace(const std::vector<settlement::Decision>& decisions) override {
    decisions_.assign(decisions.begin(), decisions.end());
    next_ = 0;
  }
  void Add(const std::vector<settlement::Decision>& decisions) override {
    decisions_.insert(decisions_.end(), decisions.begin(), decisions.end());
  }
  void Confirm(uint64_t number) override {
    while (!decisions_.empty() && decisions_.front().number <= number) {
      decisions_.pop_front();
      if (next_ > 0) --next_;
    }
  }
  bool HeardEngine() const override { return heard_ && account_; }
  absl::Status status() const override { return status_; }

  // Sends at most `most` decisions that were not sent on this connection yet.
  void Send(size_t most = SIZE_MAX) {
    for (; most > 0 && next_ < decisions_.size(); --most) {
      const settlement::Decision& decision = decisions_[next_++];
      const RejectReason reason = market_.Submit(decision);
      if (reason == RejectReason::kNumberRepeated) {
        ++repeated_;
      } else if (reason != RejectReason::kNone) {
        status_ = absl::FailedPreconditionError(std::string(RejectReasonCode(reason)));
        return;
      }
    }
  }
  // The connection is lost: all that is not confirmed will be sent again.
  void Reconnect() { next_ = 0; }
  void set_heard(bool heard) { heard_ = heard; }
  std::optional<AccountId> account() const { return account_; }
  size_t waiting() const { return decisions_.size() - next_; }
  int repeated() const { return repeated_; }

 private:
  TestMarket& market_;
  std::deque<settlement::Decision> decisions_;
  size_t next_ = 0;
  bool heard_ = true;
  std::optional<AccountId> account_;
  absl::Status status_;
  int repeated_ = 0;
};

}  // namespace warpbook::test
