#include "tests/settlement/support/memory_settlement.h"

#include <cstdio>
#include <string>
#include <utility>

#include "settlement/ledger/postings.h"
#include "settlement/service/decider.h"

namespace warpbook::test {

using settlement::Books;
using settlement::Changes;
using settlement::Decision;

settlement::StoredState GenesisState() {
  settlement::Ledger ledger;
  WARPBOOK_CHECK(ledger.Post(settlement::GenesisPosting()).ok());
  settlement::StoredState state;
  state.balances = ledger.TakeChanged();
  state.counters = ledger.counters();
  return state;
}

settlement::StoredState GenesisState(Tokens emission) {
  settlement::StoredState state = GenesisState();
  constexpr int64_t kMicrosPerDay = 24 * 60 * kMicrosPerMinute;
  state.day.begun = true;
  state.day.day = static_cast<int32_t>(kMarketStart.micros() / kMicrosPerDay);
  state.day.emission.budget = emission;
  return state;
}

journal::BatchView ViewOf(const MemoryBatch& batch) {
  return {1, batch.first_sequence, batch.command_count, 0, batch.records};
}

MemorySettlement::MemorySettlement(TestMarket& market)
    : market_(market), books_(*Books::Restore(GenesisState())) {}

MemorySettlement::MemorySettlement(TestMarket& market, Tokens emission)
    : market_(market), books_(*Books::Restore(GenesisState(emission))) {}

Changes MemorySettlement::Step() {
  while (next_batch_ < market_.journal().size()) {
    const absl::Status status = books_.Apply(ViewOf(market_.journal().batch(next_batch_++)));
    if (!status.ok()) std::fprintf(stderr, "%s\n", std::string(status.message()).c_str());
    WARPBOOK_CHECK(status.ok());
  }
  auto changes = books_.TakeChanges();
  WARPBOOK_CHECK(changes.ok());
  for (const auto& confirmed : changes->confirmed) {
    WARPBOOK_CHECK(!outbox_.TakeBack(confirmed.decision));
  }
  changes->decided = Decide(books_, outbox_);
  waiting_.insert(waiting_.end(), changes->decided.begin(), changes->decided.end());
  transfers_.insert(transfers_.end(), changes->transfers.begin(), changes->transfers.end());
  return *std::move(changes);
}

void MemorySettlement::Deliver() {
  for (const Decision& decision : std::exchange(waiting_, {})) {
    WARPBOOK_CHECK(market_.Submit(decision) == RejectReason::kNone);
  }
  market_.Seal();
}

void MemorySettlement::Settle() {
  while (Step(), !waiting_.empty()) Deliver();
}

}  // namespace warpbook::test
