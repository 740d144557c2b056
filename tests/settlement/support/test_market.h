// A small market around the real engine, for tests of settlement: members with nodes and money,
// trades, deliveries, and a journal in memory. Deterministic: the same seed makes the same market,
// as long as the same decisions come in at the same places.
#pragma once

#include <cstdint>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "engine/core/engine.h"
#include "schema/types/enums.h"
#include "schema/types/public_key.h"
#include "schema/types/reject_reason.h"
#include "schema/types/timestamp.h"
#include "settlement/store/decision.h"
#include "tests/settlement/support/memory_journal.h"

namespace warpbook::test {

inline constexpr Timestamp kMarketStart = Timestamp(1'800'000'000'000'000);  // on a whole hour

// Of settlement's and of the operator's account in every TestMarket.
PublicKey SettlementKey();

class TestMarket {
 public:
  explicit TestMarket(uint64_t seed = 1);

  // ---- Single steps. Each command is applied at once, and joins the batch that Seal closes. ----

  // Applies the command as the account's; returns why it was refused, or kNone.
  template <typename Command>
  RejectReason Submit(Command command, AccountId account) {
    command.mutable_header().mutate_account_id(account.value());
    return Apply(wire::CommandRecord(command));
  }
  RejectReason Submit(const settlement::Decision& decision);
  // Closes the batch; nothing where it is empty.
  void Seal();
  void Advance(int64_t seconds) { now_ = now_.PlusSeconds(seconds); }
  void AdvanceTo(Timestamp time) { now_ = std::max(now_, time); }
  Timestamp now() const { return now_; }

  // One whom an operator has verified, so that it may be of any size; and one whom nobody has.
  AccountId OpenMember();
  AccountId OpenUnverifiedMember();
  void VerifyOwner(AccountId member);
  // A deposit that waits for settlement, with a reference of its own where none is given.
  Sequence RequestDeposit(AccountId member, Tokens amount, std::string reference = "");
  Sequence RequestWithdrawal(AccountId member, Tokens amount, std::string reference = "");
  Sequence RequestTopUp(AccountId member, Tokens burn);
  // All five feeds at this price, of now.
  void SetPrice(TokenPrice price);
  void SetFeeds(const std::array<int64_t, 5>& prices);
  // A node of 100 GPUs whose member may sell without limit in practice.
  NodeId GiveNode(AccountId member, ClassId hardware_class = ClassId(1));
  // A window of 60 minutes.
  InstrumentId OpenWindow(Timestamp start, ClassId hardware_class = ClassId(1));
  void CloseWindow(InstrumentId instrument);
  // An ask that resells GPUs of the trader's lease, and a bid that takes them; the new lease's id.
  LeaseId Resell(InstrumentId instrument, AccountId buyer, AccountId trader, LeaseId lease,
                 Price price, Quantity gpus, Tier tier);
  // An ask and a bid that fill each other; the lease's id.
  LeaseId Trade(InstrumentId instrument, AccountId buyer, AccountId provider, NodeId node,
                Price price, Quantity gpus, Tier tier);
  void Tick(uint8_t checkpoint = 0);

  // ---- A random market ----

  // One more hour: members come, deposit, top up, trade this hour and the next, resell, deliver
  // more or less, withdraw; prices move. Needs settlement's decisions between the calls (requests
  // wait for them).
  void RunHour();
  // The window after the last hour's ends too, without any delivery.
  void EndLastWindow();
  // The price that the random market has come to.
  void SetMarketPrice() { SetPrice(TokenPrice(price_)); }

  MemoryJournal& journal() { return journal_; }
  engine::Engine& engine() { return engine_; }
  AccountId operator_account() const { return operator_; }
  AccountId settlement_account() const { return settlement_; }

 private:
  struct Member {
    AccountId account;
    NodeId node;
  };
  struct OpenLease {
    LeaseId id;
    InstrumentId instrument;
    AccountId buyer, provider;
    Timestamp start, end;
    Quantity gpus;  // when it was made
    bool started = false;
    int reliability = 0;  // percent of its minutes that get a heartbeat
  };

  // Its members ask for more top-ups at once than the engine lets a client.
  static engine::EngineLimits MarketLimits() {
    engine::EngineLimits limits;
    limits.pending_top_ups_per_account_max = 1'000;
    return limits;
  }
  RejectReason Apply(wire::CommandRecord command);
  template <typename Command>
  Sequence RequestTokens(AccountId member, Tokens amount, std::string reference);
  LeaseId TradeWith(const wire::PlaceOrder& ask, AccountId seller, AccountId buyer, Tier tier);
  int64_t Random(int64_t low, int64_t high);
  void TradeAtRandom(InstrumentId instrument);
  // One of the leases of a window that has not begun is offered again, in part or whole, and
  // somebody bids for it.
  void ResellAtRandom(InstrumentId instrument);
  void TakeNewLeases();
  void DeliverMinute();

  std::mt19937_64 random_;
  engine::Engine engine_{MarketLimits()};
  MemoryJournal journal_;
  wire::RecordWriter events_;
  MemoryBatch batch_;
  Timestamp now_ = kMarketStart;
  AccountId operator_, settlement_;
  uint64_t keys_ = 0;
  uint64_t references_ = 0;

  // What the last command made, from its events.
  uint64_t made_id_ = 0;
  std::map<AccountId, OwnerId> owners_;
  std::vector<OpenLease> new_leases_;

  std::vector<Member> members_;
  std::vector<OpenLease> leases_;
  InstrumentId next_window_;
  Timestamp next_start_;
  int64_t price_ = 2'000'000;
  const int64_t trend_per_mille_ = Random(-12, 8);  // of the price, every five minutes
};

}  // namespace warpbook::test
