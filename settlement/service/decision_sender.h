// DecisionSender: takes decisions that are safely in the database to the engine, in order. The
// worker knows no more of it than this; engine_link.h is the one over WebSocket.
#pragma once

#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "schema/types/ids.h"
#include "settlement/store/decision.h"

namespace warpbook::settlement {

class DecisionSender {
 public:
  virtual ~DecisionSender() = default;

  // The account under which decisions are sent; nothing is sent before it is known.
  virtual void SetAccount(AccountId account) = 0;
  // Forgets what it has and begins anew with these: unconfirmed, ascending.
  virtual void Replace(const std::vector<Decision>& decisions) = 0;
  // More, behind those that it has.
  virtual void Add(const std::vector<Decision>& decisions) = 0;
  // The journal gave back all decisions up to this number: they need not be sent again.
  virtual void Confirm(uint64_t number) = 0;

  // Whether the engine has answered since the start. Its journal was whole by then.
  virtual bool HeardEngine() const = 0;
  // Ok, or why no decision can be sent any more: the engine refused one that it had to take.
  virtual absl::Status status() const = 0;
};

// Of a worker that posts and decides nothing: there is nothing to send.
class NoSender : public DecisionSender {
 public:
  void SetAccount(AccountId) override {}
  void Replace(const std::vector<Decision>&) override {}
  void Add(const std::vector<Decision>&) override {}
  void Confirm(uint64_t) override {}
  bool HeardEngine() const override { return false; }
  absl::Status status() const override { return absl::OkStatus(); }
};

}  // namespace warpbook::settlement
