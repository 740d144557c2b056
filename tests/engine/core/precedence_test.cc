// Where several reasons apply to an order or an amend, the one declared first is given: every pair
// of the declared lists is caused at once.
#include <doctest/doctest.h>

#include <cstring>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/core/engine.h"
#include "engine/core/order_checks.h"
#include "tests/engine/core/record_text.h"

namespace warpbook::engine {
namespace {

constexpr uint64_t kOperator = 1, kMember = 3, kFull = 4, kOther = 5, kFullInBook = 6, kPoor = 7,
                   kTrader = 8, kLarge = 9, kFirstFiller = 10;
constexpr int kOrdersMax = 1'500, kOrdersInBookMax = 1'000;
// Orders of the world, by id as they are placed.
constexpr uint64_t kPlainBid = 1, kAsk = 2, kHaltedBid = 3, kPostOnlyBid = 4, kPoorBid = 5,
                   kNearFullLevelBid = 6, kOthersBid = 8, kResaleAsk = 17;
// Leases of kMember: resold once already, of instrument 1, of instrument 5.
constexpr uint64_t kResoldLease = 2, kLease = 3, kOtherLease = 4;

// A market in which every reason can be had by changing the command alone.
class World {
 public:
  World() : engine_(Limits()) {
    Do("RegisterSystemKey public_key=op kind=operator");
    Do("RegisterSystemKey public_key=st kind=settlement");
    for (uint64_t account = 3; account < 40; ++account) {
      Do("OpenAccount public_key=member" + std::to_string(account));
      Do("RequestTopUp from=" + std::to_string(account) + " burn_utok=1");
      Do("PostTopUp from=2 number=" + std::to_string(account - 2) +
         " request_sequence=" + std::to_string(engine_.last_sequence().value()) +
         " credits=" + (account == kPoor ? "60000" : "100000000000000"));
    }
    AddNode(kMember, 1);  // node 1: good
    AddNode(kMember, 2);  // node 2: of another class
    AddNode(kOther, 1);   // node 3: somebody else's
    Do("RegisterNode from=3 device_key=new gpus=16 class_id=1 region_id=1");  // 4: not approved
    Do("SetBondedLimit from=1 target_account_id=3 limit=12000000");
    Do("SetBondedLimit from=1 target_account_id=5 limit=12000000");
    Open("T+60m", 1, 1);   // instrument 1: where the orders go
    Open("T+120m", 1, 1);  // 2: will be halted
    Open("T-50m", 3, 7);   // 3: its gate will close
    Open("T-58m", 2, 1);   // 4: will be closed
    Open("T+180m", 1, 1);  // 5: with a level that is nearly full
    Open("T+240m", 1, 1);  // 6: only there to hold orders
    PlaceOrders();
    time_ = kScenarioStart + 5 * kMicrosPerMinute;
    Do("SetInstrumentHalt from=1 instrument_id=2 halted=1");
    Do("CloseInstrument instrument_id=4");
    Do("MarkOwner from=2 number=38 owner_id=7 large=1");
  }

  // kNone where the command is not refused.
  RejectReason Apply(wire::CommandRecord command) {
    command.mutable_header().mutate_sequence(engine_.last_sequence().value() + 1);
    command.mutable_header().mutate_time_us(time_);
    events_.Clear();
    engine_.Apply(command.view(), 0, events_);
    for (const wire::RecordView event : wire::Records(events_.bytes())) {
      if (event.type() != wire::RecordType::kCommandRejected) continue;
      return static_cast<RejectReason>(event.as<wire::CommandRejected>().reason());
    }
    return RejectReason::kNone;
  }

 private:
  static EngineLimits Limits() {
    EngineLimits limits;
    limits.orders_per_account_max = kOrdersMax;
    limits.orders_per_account_and_book_max = kOrdersInBookMax;
    limits.client_order_ids_max = 1;  // any further id: kEngineFull
    limits.leases_max = 3;            // those of PlaceOrders; any further trade: kEngineFull
    limits.resales_per_lease_max = 1;
    return limits;
  }
  void Do(const std::string& line) {
    const RejectReason reason = Apply(ParseCommand(line));
    CHECK_MESSAGE(reason == RejectReason::kNone, line << ": " << RejectReasonCode(reason));
  }
  void AddNode(uint64_t account, int class_id) {
    ++nodes_;
    const std::string number = std::to_string(nodes_);
    Do("RegisterNode from=" + std::to_string(account) + " device_key=node" + number +
       " gpus=16 region_id=1 class_id=" + std::to_string(class_id));
    Do("SetCapacity from=1 gpus=16 assurance=verified node_id=" + number);
  }
  void Open(const std::string& start, int class_id, int gate_minutes) {
    Do("OpenInstrument window_minutes=60 tick=1000 band_low=1000 band_high=100000 region_id=1"
       " window_start_us=" +
       start + " class_id=" + std::to_string(class_id) +
       " gate_minutes=" + std::to_string(gate_minutes));
  }
  void Bid(uint64_t account, int instrument, const std::string& rest) {
    Do("PlaceOrder tier=economy min_assurance=listed from=" + std::to_string(account) +
       " instrument_id=" + std::to_string(instrument) + " " + rest);
  }
  void PlaceOrders() {
    Bid(kMember, 1, "gpus=4 min_fill=2 price=10000 client_order_id=used");
    Do("PlaceOrder from=3 node_id=1 instrument_id=1 side=sell gpus=4 price=25000 min_assurance=2");
    Bid(kMember, 2, "gpus=1 price=2000");
    Bid(kMember, 1, "gpus=1 price=2000 post_only=1");
    Bid(kPoor, 1, "gpus=1 price=1000");
    Bid(kMember, 5, "gpus=1 price=2000");
    Do("PlaceOrder from=5 node_id=3 instrument_id=1 side=sell gpus=4 price=30000 min_assurance=2");
    Bid(kOther, 1, "gpus=1 price=20000");
    MakeLeases();
    // 83,647 GPUs less than 31 bits hold.
    for (uint64_t i = 0; i < 21'474; ++i) {
      Bid(kFirstFiller + i / 900, 5, "gpus=100000 price=1000");
    }
    for (int i = 0; i < kOrdersInBookMax; ++i) Bid(kFullInBook, 5, "gpus=1 price=2000");
    for (int i = 0; i < kOrdersMax; ++i) Bid(kFull, 5 + i % 2, "gpus=1 price=2000");
  }

  void Ask(uint64_t account, int instrument, const std::string& rest) {
    Do("PlaceOrder side=sell gpus=1 min_assurance=2 from=" + std::to_string(account) +
       " instrument_id=" + std::to_string(instrument) + " " + rest);
  }
  void MakeLeases() {
    Ask(kOther, 1, "node_id=3 price=24000");
    Bid(kTrader, 1, "gpus=1 price=24000 time_in_force=ioc");
    Ask(kTrader, 1, "lease_id=1 price=23000");
    Bid(kMember, 1, "gpus=1 price=23000 time_in_force=ioc");
    Ask(kOther, 1, "node_id=3 price=24000");
    Bid(kMember, 1, "gpus=1 price=24000 time_in_force=ioc");
    Ask(kOther, 5, "node_id=3 price=3000");
    Bid(kMember, 5, "gpus=1 price=3000 time_in_force=ioc");
    Ask(kMember, 1, "lease_id=3 price=29000");
  }

  Engine engine_;
  wire::RecordWriter events_;
  int64_t time_ = kScenarioStart;
  int nodes_ = 0;
};

// What makes a reason apply, whatever the command was before. `side`: 0 bids, 1 asks, 2 both.
template <typename Command>
struct Fault {
  RejectReason reason;
  int side;
  std::function<void(Command&)> apply;
};

void SetId(wire::PlaceOrder& c, std::string_view id) {
  auto* bytes = c.mutable_client_order_id()->Data();
  std::memset(bytes, 0, 32);
  std::memcpy(bytes, id.data(), id.size());
}

template <typename Command>
void SetAccount(Command& c, uint64_t account) {
  c.mutable_header().mutate_account_id(account);
}

void SetNode(wire::PlaceOrder& c, uint64_t node) {
  c.mutate_lease_id(0);
  c.mutate_node_id(node);
}

void SetLease(wire::PlaceOrder& c, uint64_t lease) {
  SetAccount(c, kMember);
  c.mutate_node_id(0);
  c.mutate_lease_id(lease);
}

using Place = wire::PlaceOrder;
const std::vector<Fault<Place>>& PlaceFaults() {
  static const std::vector<Fault<Place>> kFaults = {
      {RejectReason::kDeadlinePassed, 2, [](Place& c) { c.mutate_deadline_us(1); }},
      {RejectReason::kUnknownAccount, 2, [](Place& c) { SetAccount(c, 9'999); }},
      {RejectReason::kNotPermitted, 2, [](Place& c) { SetAccount(c, kOperator); }},
      {RejectReason::kOwnerNotVerified, 1, [](Place& c) { SetAccount(c, kLarge); }},
      {RejectReason::kUnknownInstrument, 2, [](Place& c) { c.mutate_instrument_id(99); }},
      {RejectReason::kClientOrderIdReused, 2,
       [](Place& c) {
         SetAccount(c, kMember);
         SetId(c, "used");
       }},
      {RejectReason::kInstrumentHalted, 2, [](Place& c) { c.mutate_instrument_id(2); }},
      {RejectReason::kInstrumentGateClosed, 2, [](Place& c) { c.mutate_instrument_id(3); }},
      {RejectReason::kInstrumentClosed, 2, [](Place& c) { c.mutate_instrument_id(4); }},
      {RejectReason::kInvalidQuantity, 2, [](Place& c) { c.mutate_gpus(0); }},
      {RejectReason::kInvalidMinFill, 2, [](Place& c) { c.mutate_min_fill(200'000); }},
      {RejectReason::kPriceNotPositive, 2, [](Place& c) { c.mutate_price(-1'000); }},
      {RejectReason::kPriceOffTick, 2, [](Place& c) { c.mutate_price(101'001); }},
      {RejectReason::kPriceOutsideBand, 2, [](Place& c) { c.mutate_price(101'000); }},
      {RejectReason::kMarketNeedsIocOrFok, 2,
       [](Place& c) {
         c.mutate_type(1);
         c.mutate_time_in_force(0);
       }},
      {RejectReason::kPostOnlyNeedsResting, 2,
       [](Place& c) {
         c.mutate_post_only(1);
         c.mutate_time_in_force(2);
       }},
      {RejectReason::kExpiryInPast, 2, [](Place& c) { c.mutate_expires_us(1); }},
      {RejectReason::kFieldNotForSide, 0, [](Place& c) { c.mutate_node_id(1); }},
      {RejectReason::kFieldNotForSide, 1, [](Place& c) { c.mutate_tier(1); }},
      {RejectReason::kAskNeedsNodeOrLease, 1,
       [](Place& c) {
         c.mutate_node_id(1);
         c.mutate_lease_id(5);
       }},
      {RejectReason::kTooManyOrders, 2,
       [](Place& c) {
         SetAccount(c, kFull);
         c.mutate_time_in_force(0);
       }},
      {RejectReason::kTooManyOrdersInBook, 2,
       [](Place& c) {
         SetAccount(c, kFullInBook);
         c.mutate_instrument_id(5);
         c.mutate_time_in_force(0);
       }},
      {RejectReason::kPostOnlyWouldTrade, 0,
       [](Place& c) {
         c.mutate_post_only(1);
         c.mutate_time_in_force(0);
         c.mutate_instrument_id(1);
         c.mutate_price(30'000);
       }},
      {RejectReason::kPostOnlyWouldTrade, 1,
       [](Place& c) {
         c.mutate_post_only(1);
         c.mutate_time_in_force(0);
         c.mutate_price(20'000);
         SetNode(c, 1);
       }},
      {RejectReason::kFokNotFillable, 0,
       [](Place& c) {
         c.mutate_time_in_force(3);
         c.mutate_instrument_id(1);
         c.mutate_price(24'000);
       }},
      {RejectReason::kFokNotFillable, 1,
       [](Place& c) {
         c.mutate_time_in_force(3);
         c.mutate_price(21'000);
         SetNode(c, 1);
       }},
      {RejectReason::kFokMeetsOwnOrder, 0,
       [](Place& c) {
         SetAccount(c, kMember);
         c.mutate_instrument_id(1);
         c.mutate_time_in_force(3);
         c.mutate_price(30'000);
         c.mutate_gpus(2);
         c.mutate_min_fill(0);
       }},
      {RejectReason::kUnknownLease, 1, [](Place& c) { SetLease(c, 1); }},
      {RejectReason::kLeaseNotResalable, 1, [](Place& c) { SetLease(c, kOtherLease); }},
      {RejectReason::kResaleChainTooLong, 1, [](Place& c) { SetLease(c, kResoldLease); }},
      {RejectReason::kInsufficientLeaseGpus, 1,
       [](Place& c) {
         SetLease(c, kLease);
         c.mutate_gpus(2);
       }},
      {RejectReason::kUnknownNode, 1, [](Place& c) { SetNode(c, 3); }},
      {RejectReason::kNodeNotApproved, 1, [](Place& c) { SetNode(c, 4); }},
      {RejectReason::kNodeWrongInstrument, 1, [](Place& c) { SetNode(c, 2); }},
      {RejectReason::kInsufficientCapacity, 1, [](Place& c) { c.mutate_gpus(13); }},
      {RejectReason::kBondedLimitExceeded, 1,
       [](Place& c) {
         c.mutate_price(100'000);
         c.mutate_gpus(12);
       }},
      {RejectReason::kInsufficientCredits, 0, [](Place& c) { SetAccount(c, kPoor); }},
      {RejectReason::kAmountOverflow, 0,
       [](Place& c) {
         c.mutate_instrument_id(5);
         c.mutate_price(1'000);
         c.mutate_gpus(100'000);
       }},
      {RejectReason::kEngineFull, 2, [](Place& c) { SetId(c, "fresh"); }},
  };
  return kFaults;
}

Place GoodOrder(int side) {
  Place c;
  SetAccount(c, kMember);
  c.mutate_instrument_id(1);
  c.mutate_side(static_cast<uint8_t>(side));
  c.mutate_gpus(1);
  c.mutate_price(22'000);
  c.mutate_tier(side == 0 ? 2 : 0);
  c.mutate_min_assurance(2);
  c.mutate_node_id(side == 0 ? 0 : 1);
  c.mutate_validate_only(1);  // what is not refused must not change the world
  return c;
}

using Amend = wire::AmendOrder;
const std::vector<Fault<Amend>>& AmendFaults() {
  static const std::vector<Fault<Amend>> kFaults = {
      {RejectReason::kDeadlinePassed, 2, [](Amend& c) { c.mutate_deadline_us(1); }},
      {RejectReason::kUnknownAccount, 2, [](Amend& c) { SetAccount(c, 9'999); }},
      {RejectReason::kNotPermitted, 2, [](Amend& c) { SetAccount(c, kOperator); }},
      {RejectReason::kUnknownOrder, 2, [](Amend& c) { c.mutate_order_id(999'999); }},
      {RejectReason::kInstrumentHalted, 2,
       [](Amend& c) {
         SetAccount(c, kMember);
         c.mutate_order_id(kHaltedBid);
       }},
      {RejectReason::kInvalidQuantity, 2, [](Amend& c) { c.mutate_gpus(100'001); }},
      {RejectReason::kInvalidMinFill, 2,
       [](Amend& c) {
         SetAccount(c, kMember);
         c.mutate_order_id(kPlainBid);
         c.mutate_gpus(1);
       }},
      {RejectReason::kPriceNotPositive, 2, [](Amend& c) { c.mutate_price(-1'000); }},
      {RejectReason::kPriceOffTick, 2, [](Amend& c) { c.mutate_price(101'001); }},
      {RejectReason::kPriceOutsideBand, 2, [](Amend& c) { c.mutate_price(101'000); }},
      {RejectReason::kPostOnlyWouldTrade, 2,
       [](Amend& c) {
         SetAccount(c, kMember);
         c.mutate_order_id(kPostOnlyBid);
         c.mutate_price(30'000);
       }},
      {RejectReason::kInsufficientLeaseGpus, 2,
       [](Amend& c) {
         SetAccount(c, kMember);
         c.mutate_order_id(kResaleAsk);
         c.mutate_gpus(17);
       }},
      {RejectReason::kInsufficientCapacity, 2,
       [](Amend& c) {
         SetAccount(c, kMember);
         c.mutate_order_id(kAsk);
         c.mutate_gpus(17);
       }},
      {RejectReason::kBondedLimitExceeded, 2,
       [](Amend& c) {
         SetAccount(c, kMember);
         c.mutate_order_id(kAsk);
         c.mutate_price(100'000);
         c.mutate_gpus(4);
       }},
      {RejectReason::kInsufficientCredits, 2,
       [](Amend& c) {
         SetAccount(c, kPoor);
         c.mutate_order_id(kPoorBid);
         c.mutate_price(2'000);
       }},
      {RejectReason::kAmountOverflow, 2,
       [](Amend& c) {
         SetAccount(c, kMember);
         c.mutate_order_id(kNearFullLevelBid);
         c.mutate_price(1'000);
         c.mutate_gpus(100'000);
       }},
      {RejectReason::kEngineFull, 2,
       [](Amend& c) {
         SetAccount(c, kOther);
         c.mutate_order_id(kOthersBid);
         c.mutate_price(25'000);
       }},
  };
  return kFaults;
}

// Every fault alone, and every pair of faults whose sides go together.
template <typename Command, typename Good>
void CheckPairs(World& world, const std::vector<Fault<Command>>& faults, int side, Good good) {
  for (size_t i = 0; i < faults.size(); ++i) {
    for (size_t j = i; j < faults.size(); ++j) {
      if (faults[i].side == 1 - side || faults[j].side == 1 - side) continue;
      Command command = good(side);
      faults[j].apply(command);
      faults[i].apply(command);
      const RejectReason given = world.Apply(wire::CommandRecord(command));
      CHECK_MESSAGE(given == faults[i].reason,
                    RejectReasonCode(faults[i].reason)
                        << " before " << RejectReasonCode(faults[j].reason) << ", side " << side
                        << ": " << RejectReasonCode(given));
    }
  }
}

// The faults follow the declaration and leave out none of it.
template <typename Command, typename Precedence>
void CheckComplete(const std::vector<Fault<Command>>& faults, const Precedence& precedence) {
  std::vector<RejectReason> reasons;
  for (const Fault<Command>& fault : faults) {
    if (reasons.empty() || reasons.back() != fault.reason) reasons.push_back(fault.reason);
  }
  CHECK(std::equal(reasons.begin(), reasons.end(), precedence.begin(), precedence.end()));
}

TEST_CASE("Of several reasons against an order the one declared first is given") {
  World world;
  CheckComplete(PlaceFaults(), kPlaceOrderPrecedence);
  for (const int side : {0, 1}) {
    CHECK(world.Apply(wire::CommandRecord(GoodOrder(side))) == RejectReason::kNone);
    CheckPairs(world, PlaceFaults(), side, GoodOrder);
  }
}

TEST_CASE("Of several reasons against an amend the one declared first is given") {
  World world;
  CheckComplete(AmendFaults(), kAmendOrderPrecedence);
  CheckPairs(world, AmendFaults(), 0, [](int) {
    Amend c;
    SetAccount(c, kMember);
    c.mutate_order_id(kPlainBid);
    return c;
  });
}

TEST_CASE("The declared order is that of the reasons' numbers, but for who may ask and the lease") {
  for (const auto& declared :
       {std::vector(kPlaceOrderPrecedence.begin(), kPlaceOrderPrecedence.end()),
        std::vector(kAmendOrderPrecedence.begin(), kAmendOrderPrecedence.end())}) {
    RejectReason last = RejectReason::kNone;
    for (const RejectReason reason : declared) {
      if (reason == RejectReason::kNotPermitted || reason == RejectReason::kOwnerNotVerified ||
          reason == RejectReason::kUnknownLease) {
        continue;
      }
      CHECK(reason > last);
      last = reason;
    }
  }
}

}  // namespace
}  // namespace warpbook::engine
