// Everything that is known of one lease, with its transfers. Reads one moment of the database, also
// while a worker writes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "settlement/store/database.h"
#include "settlement/store/statement_query.h"

namespace warpbook::settlement {

// Transfers of one lease: a resale of some of its GPUs makes a few.
inline constexpr size_t kLeaseTransfersMax = 10'000;

struct LeaseParty {
  AccountId account;
  OwnerId owner;
};

struct LeaseFigures {
  Cursor cursor;
  LeaseId id;
  std::string symbol, state, tier, assurance;
  LeaseParty buyer, provider;
  NodeId node;
  Price price, provider_price;
  Quantity gpus, resold_gpus;
  Minutes minutes;
  Credits notional, surcharge, losses;  // that it holds, or held until it was settled
  EscrowUse resold;                     // what resales took out of its escrow
  Credits deposit;                      // of a dispute, beside the escrow
  std::string verdict;                  // on it: "founded", "unfounded", or "" without one
  Timestamp traded_at, delivery_start, delivery_end;
  std::optional<Timestamp> started_at, settled_at;
  bool completed = false;
  std::string delivered;  // one bit per minute
  // Once it is settled.
  struct Settled {
    Minutes minutes;
    Settlement figures;
    Credits gains;
    int64_t weight = 0;
    uint64_t decision = 0;
    EventSequence event;
  };
  std::optional<Settled> settled;
  std::vector<ResaleLeg> legs;
  std::vector<StatementTransfer> transfers;  // by event and leg
};

// NotFound: there is no such lease. ResourceExhausted: it has too many transfers to tell.
absl::StatusOr<LeaseFigures> ReadLease(Database& database, LeaseId id);

}  // namespace warpbook::settlement
