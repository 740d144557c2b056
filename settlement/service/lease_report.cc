// Everything of one lease: what its transfers prove, and the whole as JSON (statement.h).
#include <algorithm>

#include "schema/types/decimal.h"
#include "settlement/service/amounts_json.h"
#include "settlement/service/statement.h"

namespace warpbook::settlement {
namespace {

// Adds the transfer to the part of the proof that it is.
void Count(const Transfer& transfer, LeaseProof& proof, Credits& cleared) {
  const Holding from = transfer.debit.holding(), to = transfer.credit.holding();
  const Credits credits(transfer.amount);
  const Tokens tokens(transfer.amount);
  if (transfer.debit.asset() == Asset::kTok) {
    if (to == Holding::kTokens) proof.to_provider += tokens;
    if (to == Holding::kFee) proof.fee += tokens;
    if (to == Holding::kIssuance) proof.retired += tokens;
    return;
  }
  if (to == Holding::kEscrow) proof.paid_in += credits;
  if (from == Holding::kClearing && to == Holding::kFree) proof.gains += credits;
  if (from != Holding::kEscrow) return;
  if (to == Holding::kConsumed) proof.consumed += credits;
  if (to == Holding::kBurned) proof.burned += credits;
  if (to == Holding::kFree) proof.refunded += credits;
  if (to == Holding::kOwed) proof.owed += credits;
  if (to == Holding::kClearing) cleared += credits;
}

bool AgreesWithRecord(const LeaseProof& proof, const LeaseFigures& lease) {
  const EscrowUse& resold = lease.resold;
  const Settlement settled = lease.settled ? lease.settled->figures : Settlement();
  // The deposit of a dispute goes back, or to the other side.
  const auto deposit_if = [&lease](std::string_view verdict) {
    return lease.settled && lease.verdict == verdict ? lease.deposit : Credits(0);
  };
  const Credits held = lease.notional + lease.surcharge + lease.losses + lease.deposit;
  return proof.paid_in == held + resold.total() &&
         proof.left == (lease.settled ? Credits(0) : held) && proof.consumed == settled.consumed &&
         proof.burned == settled.burned + resold.burned &&
         proof.refunded == settled.refunded + resold.refunded + deposit_if("founded") &&
         proof.owed == settled.owed &&
         proof.gains ==
             (lease.settled ? lease.settled->gains : Credits(0)) + deposit_if("unfounded") &&
         proof.to_resales == resold.cleared;
}

std::string PartyJson(const LeaseParty& party) {
  return JsonObject().Id("account", party.account.value()).Id("owner", party.owner.value()).Build();
}

std::string TermsJson(const LeaseFigures& lease) {
  JsonObject terms;
  terms.Text("price", FormatPrice(lease.price));
  terms.Text("provider_price", FormatPrice(lease.provider_price));
  terms.Integer("gpus", lease.gpus.value()).Integer("resold_gpus", lease.resold_gpus.value());
  terms.Integer("minutes", lease.minutes.value());
  terms.Text("tier", lease.tier).Text("assurance", lease.assurance);
  AddCredits(terms, "notional", lease.notional);
  AddCredits(terms, "surcharge", lease.surcharge);
  AddCredits(terms, "losses", lease.losses);
  AddCredits(terms, "deposit", lease.deposit);
  return terms.Build();
}

std::string LifeJson(const LeaseFigures& lease) {
  JsonObject life;
  life.Text("state", lease.state).Text("traded_at", UtcText(lease.traded_at));
  life.Text("delivery_start", UtcText(lease.delivery_start));
  life.Text("delivery_end", UtcText(lease.delivery_end));
  if (lease.started_at) life.Text("started_at", UtcText(*lease.started_at));
  life.Flag("completed", lease.completed).TextIfAny("verdict", lease.verdict);
  if (lease.settled_at) life.Text("settled_at", UtcText(*lease.settled_at));
  return life.Build();
}

std::string SettlementJson(const LeaseFigures::Settled& settled, const LeaseProof& proof) {
  JsonObject object;
  object.Id("decision", settled.decision).Id("event", settled.event.value());
  object.Integer("minutes", settled.minutes.value());
  object.Integer("verified_weight", settled.weight);  // GPU-minutes x 10,000
  AddCredits(object, "verified", settled.figures.verified);
  AddTokens(object, "gross", settled.figures.gross);
  AddTokens(object, "provider", settled.figures.provider);
  AddTokens(object, "fee", settled.figures.fee);
  AddTokens(object, "retired", settled.figures.retire);
  AddTokens(object, "emitted", settled.figures.emitted);  // of what provider and fee got
  // With what was owed and paid later.
  AddTokens(object, "provider_paid", proof.to_provider);
  AddTokens(object, "fee_paid", proof.fee);
  AddTokens(object, "retired_in_all", proof.retired);
  return object.Build();
}

std::string LegsArray(const std::vector<ResaleLeg>& legs) {
  std::vector<std::string> written;
  for (const ResaleLeg& leg : legs) {
    written.push_back(JsonObject()
                          .Id("trader", leg.trader.value())
                          .Text("difference", FormatDecimal(leg.difference.value(), 6, 2))
                          .Build());
  }
  return JsonArray(written);
}

std::string ProofJson(const LeaseProof& proof) {
  JsonObject object;
  AddCredits(object, "paid_in", proof.paid_in);
  AddCredits(object, "consumed", proof.consumed);
  AddCredits(object, "burned", proof.burned);
  AddCredits(object, "gains", proof.gains);
  AddCredits(object, "refunded", proof.refunded);
  AddCredits(object, "owed", proof.owed);
  AddCredits(object, "to_resales", proof.to_resales);
  AddCredits(object, "left", proof.left);
  return object.Flag("adds_up", proof.adds_up).Build();
}

std::string TransfersArray(const std::vector<StatementTransfer>& transfers) {
  std::vector<std::string> written;
  for (const StatementTransfer& each : transfers) {
    const Transfer& transfer = each.transfer;
    JsonObject object;
    object.Text("time", UtcText(Timestamp(each.second * kMicrosPerSecond)));
    object.Id("event", transfer.event.value()).Integer("leg", transfer.leg);
    object.IdIfAny("from_account", transfer.debit.member().value());
    object.Text("from", InfoOf(transfer.debit.holding()).name);
    object.IdIfAny("to_account", transfer.credit.member().value());
    object.Text("to", InfoOf(transfer.credit.holding()).name);
    AddHolding(object, "amount", transfer.debit.holding(), transfer.amount);
    written.push_back(object.Build());
  }
  return JsonArray(written);
}

}  // namespace

LeaseProof ProveLease(const LeaseFigures& lease) {
  LeaseProof proof;
  Credits cleared;
  for (const StatementTransfer& each : lease.transfers) Count(each.transfer, proof, cleared);
  // What left its escrow for the exchange's clearing and is no gain went to other leases' escrow.
  proof.to_resales = cleared - proof.gains;
  proof.left = proof.paid_in - proof.consumed - proof.burned - proof.gains - proof.refunded -
               proof.owed - proof.to_resales;
  proof.adds_up = AgreesWithRecord(proof, lease);
  return proof;
}

std::string LeaseJson(const LeaseFigures& lease) {
  const LeaseProof proof = ProveLease(lease);
  JsonObject object;
  object.Text("market_time", UtcText(lease.cursor.market_time));
  object.Id("lease", lease.id.value()).Text("symbol", lease.symbol);
  object.Raw("buyer", PartyJson(lease.buyer)).Raw("provider", PartyJson(lease.provider));
  object.Id("node", lease.node.value());
  object.Raw("terms", TermsJson(lease)).Raw("life", LifeJson(lease));
  object.Text("delivered", lease.delivered);
  object.Integer("delivered_minutes", std::ranges::count(lease.delivered, '1'));
  if (lease.settled) object.Raw("settlement", SettlementJson(*lease.settled, proof));
  object.Raw("legs", LegsArray(lease.legs));
  object.Raw("escrow", ProofJson(proof));
  object.Raw("transfers", TransfersArray(lease.transfers));
  return object.Build();
}

}  // namespace warpbook::settlement
