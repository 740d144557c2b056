// The books over journals that are whole, repeated, cut, foreign or impossible.
#include "settlement/service/books.h"

#include <doctest/doctest.h>

#include <cstring>

#include "settlement/service/outbox.h"
#include "tests/settlement/support/memory_settlement.h"

namespace warpbook::settlement {
namespace {

using test::GenesisState;
using test::MemoryBatch;
using test::MemorySettlement;
using test::TestMarket;
using test::ViewOf;

// A journal with something of everything, sealed into batches.
class Market {
 public:
  Market() {
    MemorySettlement settlement(market_);
    market_.RunHour();
    settlement.Settle();
    market_.RunHour();
    market_.Advance(600);
    market_.SetMarketPrice();
    market_.Tick(1);
    market_.Seal();
    settlement.Settle();
  }
  test::MemoryJournal& journal() { return market_.journal(); }
  const MemoryBatch& operator[](size_t index) { return market_.journal().batch(index); }
  size_t size() { return market_.journal().size(); }

 private:
  TestMarket market_{3};
};

Books NewBooks() { return *Books::Restore(GenesisState()); }

// Changes one record of the batch: the first of its type behind `skip` others.
template <typename Record>
MemoryBatch Changed(MemoryBatch batch, void (*change)(Record&)) {
  for (const wire::RecordView record : wire::Records(batch.records)) {
    if (record.type() != wire::kRecordTypeOf<Record>) continue;
    change(const_cast<Record&>(record.as<Record>()));
    return batch;
  }
  FAIL("no such record");
  return batch;
}

// What the books say to the journal with each batch that has a `Record` changed, at the first one.
template <typename Record>
absl::Status StatusWith(Market& market, void (*change)(Record&)) {
  Books books = NewBooks();
  for (size_t i = 0; i < market.size(); ++i) {
    bool has_record = false;
    for (const wire::RecordView record : wire::Records(market[i].records)) {
      has_record = has_record || record.type() == wire::kRecordTypeOf<Record>;
    }
    if (has_record) {
      const MemoryBatch changed = Changed(market[i], change);
      absl::Status status = books.Apply(ViewOf(changed));
      if (status.ok()) status = books.TakeChanges().status();
      return status;
    }
    REQUIRE(books.Apply(ViewOf(market[i])).ok());
    REQUIRE(books.TakeChanges().ok());
  }
  FAIL("no such record");
  return absl::OkStatus();
}

TEST_CASE("A batch that was posted changes nothing when it comes again") {
  Market market;
  Books books = NewBooks();
  for (size_t i = 0; i < market.size(); ++i) {
    REQUIRE(books.Apply(ViewOf(market[i])).ok());
    const Cursor cursor = books.cursor();
    const auto changes = books.TakeChanges();
    REQUIRE(changes.ok());
    CHECK(changes->to == cursor);
    REQUIRE(books.Apply(ViewOf(market[i])).ok());
    CHECK(books.cursor() == cursor);
    const auto again = books.TakeChanges();
    REQUIRE(again.ok());
    CHECK(again->transfers.empty());
    CHECK(again->leases.empty());
  }
}

TEST_CASE("How the batches are gathered makes no difference to what is posted") {
  Market market;
  std::vector<Transfer> one_by_one;
  std::vector<Transfer> together;
  Books each = NewBooks();
  Books all = NewBooks();
  for (size_t i = 0; i < market.size(); ++i) {
    REQUIRE(each.Apply(ViewOf(market[i])).ok());
    const auto changes = each.TakeChanges();
    REQUIRE(changes.ok());
    one_by_one.insert(one_by_one.end(), changes->transfers.begin(), changes->transfers.end());
    REQUIRE(all.Apply(ViewOf(market[i])).ok());
  }
  const auto changes = all.TakeChanges();
  REQUIRE(changes.ok());
  CHECK(changes->transfers == one_by_one);
  CHECK(all.cursor() == each.cursor());
  CHECK(all.ledger().totals() == each.ledger().totals());
  CHECK(all.ledger().counters() == each.ledger().counters());
}

TEST_CASE("A missing batch is a fault that names the sequence") {
  Market market;
  Books books = NewBooks();
  REQUIRE(books.Apply(ViewOf(market[0])).ok());
  const absl::Status status = books.Apply(ViewOf(market[2]));
  CHECK(absl::IsDataLoss(status));
  CHECK(std::string(status.message()).find("was expected") != std::string::npos);
}

TEST_CASE("Another journal is known by the last command that was posted") {
  Market market;
  Books posted = NewBooks();
  REQUIRE(posted.Apply(ViewOf(market[0])).ok());
  REQUIRE(posted.Apply(ViewOf(market[1])).ok());
  StoredState state = GenesisState();
  state.cursor = posted.cursor();

  Books same = *Books::Restore(state);
  CHECK_FALSE(same.journal_confirmed());
  CHECK(same.Apply(ViewOf(market[1])).ok());
  CHECK(same.journal_confirmed());

  state.cursor.command_hash ^= 1;
  Books other = *Books::Restore(state);
  CHECK(absl::IsFailedPrecondition(other.Apply(ViewOf(market[1]))));
  CHECK_FALSE(other.journal_confirmed());
}

TEST_CASE("Events that no engine makes are faults") {
  Market market;
  using Status = absl::Status;
  const Status rows[] = {
      StatusWith<wire::RequestTaken>(
          market, [](wire::RequestTaken& event) { event.mutate_amount_utok(0); }),
      StatusWith<wire::RequestTaken>(market,
                                     [](wire::RequestTaken& event) { event.mutate_kind(9); }),
      StatusWith<wire::AccountOpened>(market,
                                      [](wire::AccountOpened& event) { event.mutate_kind(9); }),
      StatusWith<wire::RequestDecided>(
          market, [](wire::RequestDecided& event) { event.mutate_request_sequence(1); }),
      StatusWith<wire::RequestDecided>(
          market,
          [](wire::RequestDecided& event) { event.mutate_amount_utok(event.amount_utok() + 1); }),
      StatusWith<wire::PostDeposit>(market,
                                    [](wire::PostDeposit& command) { command.mutate_number(77); }),
      StatusWith<wire::CreditsMoved>(market,
                                     [](wire::CreditsMoved& event) { event.mutate_amount(-1); }),
      StatusWith<wire::TradeExecuted>(
          market, [](wire::TradeExecuted& event) { event.mutate_notional(event.notional() + 1); }),
      // The lease is another member's than the credits in its escrow.
      StatusWith<wire::TradeExecuted>(market,
                                      [](wire::TradeExecuted& event) {
                                        event.mutate_buyer_account_id(event.buyer_account_id() + 1);
                                      }),
      // The lease says that more went into escrow than was moved.
      StatusWith<wire::TradeExecuted>(
          market,
          [](wire::TradeExecuted& event) { event.mutate_surcharge(event.surcharge() + 1'000); }),
      StatusWith<wire::LeaseHeartbeat>(
          market, [](wire::LeaseHeartbeat& event) { event.mutate_minute_us(1); }),
      StatusWith<wire::LeaseSettled>(
          market, [](wire::LeaseSettled& event) { event.mutate_consumed(event.consumed() + 1); }),
      // Sums that are right, of parts that were not moved so.
      StatusWith<wire::LeaseSettled>(market,
                                     [](wire::LeaseSettled& event) {
                                       event.mutate_consumed(event.consumed() + 1);
                                       event.mutate_refunded(event.refunded() - 1);
                                     }),
      StatusWith<wire::LeaseSettled>(
          market,
          [](wire::LeaseSettled& event) { event.mutate_provider_utok(kMaxTokens.value()); }),
      StatusWith<wire::Checkpoint>(
          market, [](wire::Checkpoint& event) { event.mutate_free(event.free() + 1); }),
      StatusWith<wire::Checkpoint>(
          market, [](wire::Checkpoint& event) { event.mutate_settlement_number(99); }),
      StatusWith<wire::Tick>(
          market, [](wire::Tick& command) { command.mutable_header().mutate_time_us(5); }),
      StatusWith<wire::Tick>(market,
                             [](wire::Tick& command) {
                               command.mutable_header().mutate_sequence(
                                   command.header().sequence() + 1);
                             }),
      StatusWith<wire::CommandAccepted>(market,
                                        [](wire::CommandAccepted& event) {
                                          event.mutable_header().mutate_event_sequence(
                                              event.header().event_sequence() + 1);
                                        }),
  };
  int row = 0;
  for (const Status& status : rows) {
    CAPTURE(row);
    ++row;
    CAPTURE(status.ToString());
    CHECK(absl::IsDataLoss(status));
  }
}

// ---- Outbox ----

struct WithRequests {
  TestMarket market;
  Books books = NewBooks();
  AccountId member = market.OpenMember();
  Sequence first = market.RequestDeposit(member, Tokens(10), "one");
  Sequence second = market.RequestDeposit(member, Tokens(20), "two");

  WithRequests() {
    market.Seal();
    for (size_t i = 0; i < market.journal().size(); ++i) {
      CHECK(books.Apply(ViewOf(market.journal().batch(i))).ok());
    }
    CHECK(books.TakeChanges().ok());
  }
  Decision Post(uint64_t number, Sequence request) const {
    Decision decision;
    decision.number = number;
    decision.kind = DecisionKind::kPostDeposit;
    decision.request = request;
    return decision;
  }
};

TEST_CASE("The outbox counts what its decisions will move, until they are taken back") {
  WithRequests f;
  Outbox outbox;
  outbox.Add(f.Post(1, f.first), f.books);
  outbox.Add(f.Post(2, f.second), f.books);
  const LedgerAccount tokens(f.member, Holding::kTokens);
  CHECK(outbox.Effect(tokens) == 30);
  CHECK(outbox.Effect(LedgerAccount(Holding::kOutside)) == -30);
  CHECK(outbox.Decides(f.first));
  CHECK(outbox.PostsReference("one"));
  CHECK_FALSE(outbox.TakeBack(f.Post(1, f.first)));
  CHECK(outbox.Effect(tokens) == 20);
  CHECK_FALSE(outbox.Decides(f.first));
  CHECK_FALSE(outbox.PostsReference("one"));
  CHECK_FALSE(outbox.TakeBack(f.Post(2, f.second)));
  CHECK(outbox.Effect(tokens) == 0);
  CHECK(outbox.size() == 0);
}

TEST_CASE("When the journal has another decision under a number, all from there on are void") {
  WithRequests f;
  Outbox outbox;
  outbox.Add(f.Post(1, f.first), f.books);
  outbox.Add(f.Post(2, f.second), f.books);
  Decision other = f.Post(1, f.second);
  CHECK(outbox.TakeBack(other));
  CHECK(outbox.size() == 0);
  CHECK(outbox.Effect(LedgerAccount(f.member, Holding::kTokens)) == 0);
  CHECK_FALSE(outbox.Decides(f.first));
  // What is not here changes nothing.
  CHECK_FALSE(outbox.TakeBack(f.Post(2, f.first)));
}

TEST_CASE("An outbox is restored with its effects, and refused where it decides on nothing") {
  WithRequests f;
  const auto outbox = Outbox::Restore({f.Post(4, f.first), f.Post(5, f.second)}, f.books);
  REQUIRE(outbox.ok());
  CHECK(outbox->last_number() == 5);
  CHECK(outbox->Effect(LedgerAccount(f.member, Holding::kTokens)) == 30);
  CHECK_FALSE(Outbox::Restore({f.Post(4, Sequence(1))}, f.books).ok());
  CHECK_FALSE(Outbox::Restore({f.Post(4, f.first), f.Post(4, f.second)}, f.books).ok());
}

}  // namespace
}  // namespace warpbook::settlement
