// A market whose whole life is on disk, for timing settlement: members with nodes and money buy and
// sell in windows of a few classes, deliver, and are settled by the decisions that settlement
// makes. Every fill is traded, started, has heartbeats, ends and is settled, each by a command of a
// real engine, in a journal written by the real writer. Deterministic.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "schema/journal/command_log.h"
#include "settlement/service/books.h"
#include "settlement/service/outbox.h"
#include "tests/settlement/support/test_market.h"

namespace warpbook::bench {

class SettlementMarket {
 public:
  struct Size {
    uint64_t members = 1'000;  // each with a node of 100 GPUs and an account that buys
    uint64_t fills_per_window = 10'000;
    int heartbeats = 1;  // of each lease
    uint32_t commands_per_batch = 512;
  };
  // Opens the market in a new journal of that directory.
  SettlementMarket(const std::string& directory, const Size& size);

  // One window after the other, until there are at least so many fills and all are settled.
  void Run(uint64_t fills);

  // For single fills: a window that begins in an hour, and a fill in it, durable when it returns.
  void OpenWindow();
  Sequence Trade();

  uint64_t fills() const { return fills_; }
  Sequence last_sequence() const { return last_sequence_; }
  uint64_t journal_bytes() const { return journal_bytes_; }

 private:
  struct Member {
    AccountId account;
    NodeId node;
  };
  struct Fill {
    LeaseId lease;
    AccountId provider;
  };

  void OpenMembers();
  void TradeOnce();
  void DeliverAndClose();
  void Settle();  // decides, and lets the engine take it, until nothing is left to decide
  // After a command: ends the batch where it is large enough.
  void Count(uint32_t commands);
  void Seal();

  const Size size_;
  test::TestMarket market_;
  const std::unique_ptr<journal::LogAppender> appender_;
  settlement::Books books_;
  settlement::Outbox outbox_;

  std::vector<Member> members_;
  std::vector<InstrumentId> windows_;  // by class
  Timestamp start_;                    // of the windows
  std::vector<Fill> open_;
  uint32_t batch_commands_ = 0;
  uint64_t fills_ = 0;
  uint64_t journal_bytes_ = 0;
  Sequence last_sequence_;
};

}  // namespace warpbook::bench
