// Settlement without a database: books, outbox and decisions over a TestMarket's journal, as the
// worker does it, with what a transaction would write given to the test.
#pragma once

#include <vector>

#include "settlement/service/books.h"
#include "settlement/service/outbox.h"
#include "tests/settlement/support/test_market.h"

namespace warpbook::test {

class MemorySettlement {
 public:
  explicit MemorySettlement(TestMarket& market);
  // With another budget of emission on the first day.
  MemorySettlement(TestMarket& market, Tokens emission);

  // Applies all batches that it has not seen, and decides. Its new decisions wait until Deliver.
  settlement::Changes Step();
  // Takes the waiting decisions to the engine, which must take them, and seals them as a batch.
  void Deliver();
  // Step and Deliver until nothing is left to do.
  void Settle();

  const settlement::Books& books() const { return books_; }
  const settlement::Outbox& outbox() const { return outbox_; }
  // Every transfer so far, in order.
  const std::vector<settlement::Transfer>& transfers() const { return transfers_; }

 private:
  TestMarket& market_;
  settlement::Books books_;
  settlement::Outbox outbox_;
  size_t next_batch_ = 0;
  std::vector<settlement::Decision> waiting_;
  std::vector<settlement::Transfer> transfers_;
};

// What the database holds when it is new: genesis alone.
settlement::StoredState GenesisState();
// And a first day with that budget, of the market's beginning.
settlement::StoredState GenesisState(Tokens emission);
journal::BatchView ViewOf(const MemoryBatch& batch);

}  // namespace warpbook::test
