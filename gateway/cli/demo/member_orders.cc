#include "gateway/cli/demo/member_orders.h"

#include <algorithm>
#include <iterator>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "schema/types/decimal.h"

namespace warpbook::gateway {
namespace {

using std::chrono::microseconds;
using std::chrono::steady_clock;

// How long to wait where the exchange asks for it without saying how long.
constexpr microseconds kPauseMin{100'000};
// How far from the fair price an amended order goes at most.
constexpr double kQuoteSpread = 0.03;

bool IsLoad(const std::string& code) {
  return code == "rate_limited" || code == "engine_busy" || code == "too_many_in_flight" ||
         code == "shutting_down";
}

bool IsOverForGood(const std::string& code) {
  return code == "instrument_gate_closed" || code == "instrument_closed" ||
         code == "unknown_instrument" || code == "less_than_one_minute";
}

OpenOrder MakeOrder(const JsonValue& row) {
  return {.id = row["order_id"].id(),
          .symbol = row["symbol"].text(),
          .is_bid = row["side"].text() == "buy",
          .gpus = row["gpus"].integer(),
          .remaining = row["gpus"].integer(),
          .backing = {.node = row["node"].id(), .lease = row["lease"].id()}};
}

}  // namespace

MemberOrders::MemberOrders(DemoContext& context, ReconnectingClient& client,
                           const AccountId& account, std::string id_prefix,
                           std::function<void(const std::string& code)> on_refused)
    : context_(context),
      client_(client),
      account_(account),
      id_prefix_(std::move(id_prefix)),
      on_refused_(std::move(on_refused)) {}

// ---- Sending
// -------------------------------------------------------------------------------------

void MemberOrders::Place(JsonObject params, const std::string& symbol, int64_t gpus,
                         const Backing& backing) {
  const std::string client_id = absl::StrCat(id_prefix_, ++placed_);
  params.Text("symbol", symbol).Integer("gpus", gpus).Text("cl_ord_id", client_id);
  params.IdIfAny("node", backing.node).IdIfAny("lease", backing.lease);
  pending_[client_id] = {params.Build(), symbol, gpus, backing};
  ++context_.stats.counts.orders_sent;
  Send(client_id);
}

void MemberOrders::Send(const std::string& client_id) {
  client_.Call("order.place", pending_[client_id].params,
               [this, client_id](const Reply& reply) { OnReply(client_id, reply); });
}

void MemberOrders::OnReply(const std::string& client_id, const Reply& reply) {
  const auto pending = pending_.find(client_id);
  if (reply.success) {
    const bool is_known = pending != pending_.end() && pending->second.is_acknowledged;
    if (!is_known) {
      context_.stats.OrderAcknowledged(reply.result["order_id"].id(), account_, client_id);
    }
    if (pending != pending_.end()) pending->second.is_acknowledged = true;
    if (reply.result["duplicate"].flag()) {
      ++context_.stats.counts.orders_found_duplicate;
      // Its executions were told before; what is open of it is known.
      pending_.erase(client_id);
    }
    return;
  }
  std::string symbol;
  if (pending != pending_.end()) {
    symbol = pending->second.symbol;
    pending_.erase(pending);
  }
  OnRefused("order.place", reply, symbol);
}

void MemberOrders::OnRefused(std::string_view method, const Reply& reply,
                             const std::string& symbol) {
  context_.stats.Refused(method, reply.code);
  if (IsLoad(reply.code)) {
    const microseconds pause = std::max(kPauseMin, microseconds(reply.retry_after_us));
    paused_until_ = std::max(paused_until_, steady_clock::now() + pause);
  }
  if (IsOverForGood(reply.code)) context_.markets.Drop(symbol);
  on_refused_(reply.code);
}

const OpenOrder* MemberOrders::Random() {
  if (open_.empty()) return nullptr;
  auto order = open_.begin();
  std::advance(order, context_.Number(0, static_cast<int64_t>(open_.size()) - 1));
  return &order->second;
}

bool MemberOrders::AmendRandom() {
  const OpenOrder* order = Random();
  if (order == nullptr) return false;
  JsonObject params;
  params.Id("order_id", order->id);
  if (order->remaining > 1 && context_.Chance() < 0.3) {
    params.Integer("gpus", order->gpus - 1);
  } else {
    const double away = context_.Chance() * kQuoteSpread;
    const std::optional<Price> price =
        context_.markets.Quote(order->symbol, order->is_bid ? 1 - away : 1 + away);
    if (!price) return false;
    params.Text("price", FormatPrice(*price));
  }
  ++context_.stats.counts.amends;
  client_.Call("order.amend", params.Build(), [this, symbol = order->symbol](const Reply& reply) {
    if (!reply.success) OnRefused("order.amend", reply, symbol);
  });
  return true;
}

bool MemberOrders::CancelRandom() {
  const OpenOrder* order = Random();
  if (order == nullptr) return false;
  ++context_.stats.counts.cancels;
  client_.Call("order.cancel", JsonObject().Id("order_id", order->id).Build(),
               [this, symbol = order->symbol](const Reply& reply) {
                 if (!reply.success) OnRefused("order.cancel", reply, symbol);
               });
  return true;
}

void MemberOrders::CancelAll() {
  for (const auto& [id, order] : open_) {
    ++context_.stats.counts.cancels;
    client_.Call("order.cancel", JsonObject().Id("order_id", id).Build(),
                 [this](const Reply& reply) {
                   if (!reply.success) OnRefused("order.cancel", reply, "");
                 });
  }
}

// ---- Hearing
// -------------------------------------------------------------------------------------

void MemberOrders::OnExecutions(const JsonValue& data) {
  for (const JsonValue& execution : data.items()) OnExecution(execution);
}

void MemberOrders::OnExecution(const JsonValue& execution) {
  const std::string& event = execution["event"].text();
  const uint64_t id = execution["order_id"].id();
  if (event == "accepted") {
    pending_.erase(execution["cl_ord_id"].text());
    open_[id] = MakeOrder(execution);
    return;
  }
  const auto order = open_.find(id);
  if (order == open_.end()) return;
  if (event == "amended") order->second.gpus = execution["gpus"].integer();
  if (event == "amended" || event == "filled") {
    order->second.remaining = execution["remaining"].integer();
  }
  if (event == "cancelled" || order->second.remaining == 0) open_.erase(order);
}

void MemberOrders::Replace(const JsonValue& orders) {
  open_.clear();
  for (const JsonValue& row : orders.items()) {
    OpenOrder order = MakeOrder(row);
    order.remaining = row["remaining"].integer();
    open_[order.id] = order;
  }
}

void MemberOrders::AskAgain() {
  std::vector<std::string> ids;
  for (auto& [client_id, pending] : pending_) {
    // Marked once, so that counts are of orders, not of attempts.
    if (!std::exchange(pending.is_asked_again, true)) ++context_.stats.counts.orders_asked_again;
    ids.push_back(client_id);
  }
  for (const std::string& client_id : ids) Send(client_id);
}

int64_t MemberOrders::GpusAsked(const Backing& backing, std::string_view symbol) const {
  int64_t gpus = 0;
  for (const auto& [id, order] : open_) {
    if (order.backing == backing && order.symbol == symbol) gpus += order.remaining;
  }
  for (const auto& [id, order] : pending_) {
    if (order.backing == backing && order.symbol == symbol) gpus += order.gpus;
  }
  return gpus;
}

}  // namespace warpbook::gateway
