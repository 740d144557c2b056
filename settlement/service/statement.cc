#include "settlement/service/statement.h"

#include <algorithm>
#include <array>
#include <utility>

#include "absl/strings/str_cat.h"
#include "schema/base/check.h"
#include "schema/types/arithmetic.h"
#include "settlement/service/amounts_json.h"

namespace warpbook::settlement {
namespace {

struct KindName {
  MovementKind kind;
  std::string_view name;
};
constexpr std::array<KindName, 13> kKindNames = {{{MovementKind::kDeposit, "deposit"},
                                                  {MovementKind::kWithdrawal, "withdrawal"},
                                                  {MovementKind::kTopUp, "top_up"},
                                                  {MovementKind::kOrders, "orders"},
                                                  {MovementKind::kTrade, "trade"},
                                                  {MovementKind::kResale, "resale"},
                                                  {MovementKind::kSettlement, "settlement"},
                                                  {MovementKind::kGain, "gain"},
                                                  {MovementKind::kDispute, "dispute"},
                                                  {MovementKind::kDeferred, "deferred"},
                                                  {MovementKind::kPayment, "payment"},
                                                  {MovementKind::kBonus, "bonus"},
                                                  {MovementKind::kOther, "other"}}};

MovementKind KindOf(const StatementFigures& figures, const StatementTransfer& posted) {
  const Transfer& transfer = posted.transfer;
  const Holding from = transfer.debit.holding(), to = transfer.credit.holding();
  const auto moves = [from, to](Holding a, Holding b) { return from == a && to == b; };
  if (moves(Holding::kOutside, Holding::kTokens)) return MovementKind::kDeposit;
  if (moves(Holding::kTokens, Holding::kOutside)) return MovementKind::kWithdrawal;
  if (moves(Holding::kTokens, Holding::kVault)) return MovementKind::kTopUp;
  if (moves(Holding::kIssued, Holding::kFree)) return MovementKind::kTopUp;
  if (moves(Holding::kFree, Holding::kLocked)) return MovementKind::kOrders;
  if (moves(Holding::kLocked, Holding::kFree)) return MovementKind::kOrders;
  if (moves(Holding::kLocked, Holding::kEscrow)) return MovementKind::kTrade;
  if (moves(Holding::kFree, Holding::kEscrow)) return MovementKind::kDispute;
  if (moves(Holding::kClearing, Holding::kFree)) return MovementKind::kGain;
  if (to == Holding::kTokens) return transfer.lease ? MovementKind::kPayment : MovementKind::kBonus;
  if (from == Holding::kOwed) return MovementKind::kDeferred;
  if (from != Holding::kEscrow && to != Holding::kEscrow) return MovementKind::kOther;
  // A lease's escrow is used when it is settled; before that, only its resale takes from it.
  const auto lease = figures.leases.find(transfer.lease);
  const bool settled = lease != figures.leases.end() && from == Holding::kEscrow &&
                       lease->second.settled_second == posted.second;
  return settled ? MovementKind::kSettlement : MovementKind::kResale;
}

// Whether the transfer belongs to the line that is under way.
bool Joins(const Movement& line, MovementKind kind, const StatementTransfer& posted) {
  const Transfer& transfer = posted.transfer;
  const Holding from = transfer.debit.holding(), to = transfer.credit.holding();
  if (line.kind == MovementKind::kOrders && kind == line.kind) return true;
  if (posted.second != line.second) return false;
  switch (line.kind) {
    case MovementKind::kDeposit:
    case MovementKind::kWithdrawal:
      return false;
    case MovementKind::kTopUp:  // first the tokens, then the credits
      return kind == line.kind && from == Holding::kIssued;
    case MovementKind::kTrade:
      if (from == Holding::kLocked && to == Holding::kFree) return true;
      break;
    default:
      break;
  }
  return kind == line.kind && transfer.lease == line.lease;
}

// What of the account changes.
void Apply(const Transfer& transfer, AccountId account, HoldingTotals& balances) {
  if (transfer.debit.member() == account) {
    balances[static_cast<size_t>(transfer.debit.holding())] -= transfer.amount;
  }
  if (transfer.credit.member() == account) {
    balances[static_cast<size_t>(transfer.credit.holding())] += transfer.amount;
  }
}

void AddTo(Movement& line, const StatementTransfer& posted, AccountId account) {
  const Transfer& transfer = posted.transfer;
  ++line.transfers;
  line.last_event = transfer.event;
  if (line.reference.empty()) line.reference = posted.reference;
  Apply(transfer, account, line.change);
  const auto part = std::ranges::find_if(line.parts, [&transfer](const MovementPart& each) {
    return each.from == transfer.debit.holding() && each.to == transfer.credit.holding();
  });
  if (part != line.parts.end()) {
    part->amount += transfer.amount;
  } else {
    line.parts.push_back({transfer.debit.holding(), transfer.credit.holding(), transfer.amount});
  }
}

JsonObject HoldingsObject(const HoldingTotals& amounts) {
  JsonObject object;
  for (const HoldingInfo& info : kHoldings) {
    if (!info.of_member) continue;
    AddHolding(object, std::string(info.name), info.holding,
               amounts[static_cast<size_t>(info.holding)]);
  }
  return object;
}

std::string PartsArray(const std::vector<MovementPart>& parts) {
  std::vector<std::string> written;
  for (const MovementPart& part : parts) {
    JsonObject object;
    object.Text("from", InfoOf(part.from).name).Text("to", InfoOf(part.to).name);
    AddHolding(object, "amount", part.from, part.amount);
    written.push_back(object.Build());
  }
  return JsonArray(written);
}

std::string MovementJson(const StatementFigures& figures, AccountId account,
                         const Movement& movement, const HoldingTotals& balances) {
  JsonObject object;
  object.Text("time", UtcText(Timestamp(movement.second * kMicrosPerSecond)));
  object.Text("kind", Name(movement.kind));
  object.Id("first_event", movement.first_event.value());
  object.Id("last_event", movement.last_event.value());
  object.Integer("transfers", movement.transfers).TextIfAny("reference", movement.reference);
  const auto lease = figures.leases.find(movement.lease);
  if (lease != figures.leases.end()) {
    const bool provides = lease->second.provider == account;
    object.Id("lease", movement.lease.value()).Text("symbol", lease->second.symbol);
    // Of one who resold it: the buyer pays.
    const bool buys = lease->second.buyer == account && !provides;
    object.Id("counterparty", (buys ? lease->second.provider : lease->second.buyer).value());
  }
  object.Raw("parts", PartsArray(movement.parts));
  object.Raw("change", HoldingsObject(movement.change).Build());
  object.Raw("balances", HoldingsObject(balances).Build());
  return object.Build();
}

}  // namespace

std::string_view Name(MovementKind kind) {
  const auto found = std::ranges::find(kKindNames, kind, &KindName::kind);
  WARPBOOK_CHECK(found != kKindNames.end());
  return found->name;
}

absl::StatusOr<std::vector<Movement>> MovementsOf(const StatementFigures& figures,
                                                  AccountId account) {
  std::vector<Movement> movements;
  HoldingTotals balances = figures.opening;
  for (const StatementTransfer& posted : figures.transfers) {
    Apply(posted.transfer, account, balances);
    const MovementKind kind = KindOf(figures, posted);
    if (movements.empty() || !Joins(movements.back(), kind, posted)) {
      if (movements.size() == kStatementLinesMax) {
        return absl::ResourceExhaustedError(
            absl::StrCat("the statement would have more than ", kStatementLinesMax, " lines"));
      }
      Movement line;
      line.kind = kind;
      line.second = posted.second;
      line.first_event = posted.transfer.event;
      line.lease = posted.transfer.lease;
      movements.push_back(std::move(line));
    }
    AddTo(movements.back(), posted, account);
  }
  if (balances != figures.closing) {
    return absl::DataLossError(
        absl::StrCat("the transfers of account ", account.value(),
                     " do not make its balance: run `warpbook-settlement audit`"));
  }
  return movements;
}

std::string StatementJson(const StatementFigures& figures, AccountId account,
                          const std::vector<Movement>& movements) {
  HoldingTotals balances = figures.opening, in{}, out{};
  std::vector<std::string> lines;
  for (const Movement& movement : movements) {
    for (size_t slot = 0; slot < balances.size(); ++slot) {
      const int64_t change = movement.change[slot];
      balances[slot] += change;
      (change > 0 ? in : out)[slot] += change;
    }
    lines.push_back(MovementJson(figures, account, movement, balances));
  }
  JsonObject object;
  object.Text("market_time", UtcText(figures.cursor.market_time));
  object.Id("account", account.value()).Id("owner", figures.owner.value());
  object.Text("from", UtcText(Timestamp(figures.from_second * kMicrosPerSecond)));
  object.Text("to", UtcText(Timestamp(figures.to_second * kMicrosPerSecond)));
  object.Raw("opening", HoldingsObject(figures.opening).Build());
  object.Raw("movements", JsonArray(lines));
  object.Raw("in", HoldingsObject(in).Build()).Raw("out", HoldingsObject(out).Build());
  object.Raw("closing", HoldingsObject(figures.closing).Build());
  return object.Build();
}

}  // namespace warpbook::settlement
