#include "gateway/cli/demo/buyer.h"

#include <iterator>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "schema/base/json_object.h"
#include "schema/types/decimal.h"
#include "schema/types/timestamp.h"

namespace warpbook::gateway {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;

constexpr size_t kOpenOrdersMax = 20;
// Of all actions: how many resell a lease; of the others, how many take what is offered, change an
// order, end one.
constexpr double kResellShare = 0.06;
constexpr double kTakeShare = 0.14;
constexpr double kAmendShare = 0.15;
constexpr double kCancelShare = 0.15;
// How far bids rest below the fair price, and how far above it a buyer pays.
constexpr double kRestNear = 0.004, kRestFar = 0.04;
constexpr double kTakeOver = 0.03;
// How far from the fair price GPUs are offered again, under it or over it.
constexpr double kResellSpread = 0.02;
// A lease is not offered again when its delivery is nearer than this: the exchange takes no resale
// in the last minutes before it (the catalogue's notice).
constexpr int64_t kResaleTimeMin = 5 * kMicrosPerMinute;

constexpr int64_t kTokensLow = 500;
constexpr int64_t kDeposit = 5'000;
constexpr int64_t kBurn = 250;                          // TOK for credits at a time
constexpr int64_t kFreeLow = 150 * int64_t{1'000'000};  // micro-USD
constexpr seconds kPurchasePatience{15};
constexpr milliseconds kCompletePatience{1'000};

std::string_view PickTier(double chance) {
  return chance < 0.15 ? "premium" : chance < 0.85 ? "standard" : "economy";
}

std::string_view PickAssurance(double chance) {
  return chance < 0.75 ? "listed" : chance < 0.95 ? "verified" : "attested";
}

}  // namespace

void Buyer::Trade() {
  if (context_.Chance() < kResellShare && Resell()) return;
  const double chance = context_.Chance();
  if (chance < kCancelShare && orders_.CancelRandom()) return;
  if (chance < kCancelShare + kAmendShare && orders_.AmendRandom()) return;
  const size_t market = context_.Chance() < 0.2
                            ? context_.markets.headline()
                            : static_cast<size_t>(context_.Number(
                                  0, static_cast<int64_t>(context_.markets.size()) - 1));
  const DemoWindow* window = PickWindow(market);
  if (window == nullptr || needs_credits_) return;
  if (chance > 1 - kTakeShare) {
    Take(window->symbol, market, *window);
  } else if (orders_.open() + orders_.pending() < kOpenOrdersMax) {
    Rest(window->symbol, market, *window);
  } else {
    orders_.CancelRandom();
  }
}

void Buyer::Rest(const std::string& symbol, size_t market, const DemoWindow& window) {
  const double away = kRestNear + (kRestFar - kRestNear) * context_.Chance() * context_.Chance();
  JsonObject params;
  params.Text("side", "buy")
      .Text("order_type", "limit")
      .Text("price", FormatPrice(context_.markets.Quote(market, window, 1 - away)))
      .Text("tier", PickTier(context_.Chance()))
      .Text("min_assurance", PickAssurance(context_.Chance()));
  if (context_.Chance() < 0.1) params.Flag("post_only", true);
  if (context_.Chance() < 0.1) {
    params.Text("time_in_force", "gtd")
        .Integer("expires", context_.clock.Now() + context_.Number(5, 30) * kMicrosPerMinute);
  }
  orders_.Place(std::move(params), symbol, context_.Number(1, 8), {});
}

void Buyer::Take(const std::string& symbol, size_t market, const DemoWindow& window) {
  const int64_t gpus = context_.Number(1, 4);
  JsonObject params;
  params.Text("side", "buy")
      .Text("price", FormatPrice(context_.markets.Quote(market, window, 1 + kTakeOver)))
      .Text("tier", PickTier(context_.Chance()));
  const double chance = context_.Chance();
  if (chance < 0.1) {
    params.Text("order_type", "market");
  } else {
    params.Text("order_type", "limit");
    params.Text("time_in_force", chance < 0.7 ? "ioc" : chance < 0.8 ? "fok" : "gtc");
  }
  if (context_.Chance() < 0.1) params.Integer("min_fill", gpus);
  orders_.Place(std::move(params), symbol, gpus, {});
}

// Some GPUs of a random lease that can be resold; false where there is none.
bool Buyer::Resell() {
  std::vector<const OwnLease*> resalable;
  for (const auto& [id, lease] : leases_.all()) {
    if (lease.state == LeaseState::kReserved &&
        lease.delivery_start_us > context_.clock.Now() + kResaleTimeMin && GpusLeft(lease) > 0) {
      resalable.push_back(&lease);
    }
  }
  if (resalable.empty()) return false;
  const OwnLease& lease =
      *resalable[static_cast<size_t>(context_.Number(0, std::ssize(resalable) - 1))];
  const double factor = 1 + kResellSpread * (2 * context_.Chance() - 1);
  const std::optional<Price> price = context_.markets.Quote(lease.symbol, factor);
  if (!price) return false;
  JsonObject params;
  params.Text("side", "sell").Text("order_type", "limit").Text("price", FormatPrice(*price));
  orders_.Place(std::move(params), lease.symbol, context_.Number(1, GpusLeft(lease)),
                {.lease = lease.id});
  return true;
}

int64_t Buyer::GpusLeft(const OwnLease& lease) const {
  return lease.gpus - orders_.GpusAsked({.lease = lease.id}, lease.symbol);
}

void Buyer::OnOrderRefused(const std::string& code) {
  if (code == "insufficient_credits") needs_credits_ = true;
}

// Tokens from the operator, credits from tokens; one purchase at a time.
void Buyer::Maintain() {
  MaintainTokens(kTokensLow, kDeposit);
  if (credits_bought_ != credits_bought_before_) {
    credits_bought_before_ = credits_bought_;
    needs_credits_ = false;
    purchase_due_ = {};
  }
  if (free_micro_usd_ >= kFreeLow && !needs_credits_) return;
  if (tokens_ < kBurn || steady_clock::now() < purchase_due_) return;
  purchase_due_ = steady_clock::now() + kPurchasePatience;
  Call("credits.buy", JsonObject().Text("burn", absl::StrCat(kBurn)).Build(),
       [this](const Reply& reply) {
         // Refused for now (no prices yet): in a moment again. Taken and not decided yet: wait.
         if (!reply.success && reply.outcome == "rejected") {
           purchase_due_ = steady_clock::now() + seconds(2);
         }
       });
}

void Buyer::Deliver() {
  const auto now = steady_clock::now();
  for (auto& [id, lease] : leases_.all()) {
    if (lease.state == LeaseState::kDelivered && !lease.is_completed && !lease.is_waiting &&
        now >= lease.not_before) {
      Complete(lease);
    }
  }
}

void Buyer::Complete(OwnLease& lease) {
  lease.is_waiting = true;
  Call("lease.complete", JsonObject().Id("lease", lease.id).Build(),
       [this, id = lease.id](const Reply& reply) {
         OwnLease* const answered = leases_.Find(id);
         if (answered == nullptr) return;
         answered->is_waiting = false;
         // The lease's own message says that it is complete; until then it is not asked again.
         answered->not_before = steady_clock::now() + kCompletePatience;
         if (reply.success) answered->is_completed = true;
       });
}

}  // namespace warpbook::gateway
