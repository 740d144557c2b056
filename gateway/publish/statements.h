// Statements: account.statement, a page of what has changed an account's balances, from memory or
// from the journal. A connection has one at a time. The I/O thread owns it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "absl/container/flat_hash_map.h"
#include "gateway/publish/history_cursor.h"
#include "gateway/publish/history_queries.h"
#include "gateway/publish/late_reply.h"
#include "gateway/publish/private_event.h"
#include "gateway/publish/publisher.h"
#include "schema/base/clock.h"

namespace warpbook::gateway {

class Statements {
 public:
  struct Request {
    LateReply reply;
    AccountId account;
    uint64_t after_sequence = 0;
    size_t limit = 0;
  };

  // All that is passed must outlive it.
  Statements(Publisher& publisher, HistoryQueries& history, const Clock& real_clock,
             const Clock& market_clock, const HistoryLimits& limits)
      : publisher_(publisher),
        history_(history),
        real_clock_(real_clock),
        market_clock_(market_clock),
        limits_(limits) {}

  // Answers, now or once the journal has. Of a connection that has none open.
  void Begin(const Request& request);
  bool IsOpen(uint64_t connection_id) const { return open_.contains(connection_id); }
  // The connection ends: nobody waits for it any more.
  void Remove(uint64_t connection_id);
  void RefuseAll(RejectReason reason);

 private:
  struct Statement {
    Request request;
    HistoryCursor cursor;
    uint64_t from = 0;                 // the first event that is looked at
    engine::HistoryPage changes = {};  // of balances, so far
    bool restarted = false;            // with the oldest that is there
  };

  // Goes on until it has its answer (true), or has to read the journal.
  bool Run(Statement& statement) const;
  void Fetch(Statement& statement);
  void OnArrival(Statement& statement, HistoryCursor::Arrival arrival);
  void BeginWithOldest(Statement& statement) const;
  void Answer(const Statement& statement) const;

  Publisher& publisher_;
  HistoryQueries& history_;
  const Clock& real_clock_;
  const Clock& market_clock_;
  const HistoryLimits limits_;
  absl::flat_hash_map<uint64_t, std::unique_ptr<Statement>> open_;  // wait for the journal
};

}  // namespace warpbook::gateway
