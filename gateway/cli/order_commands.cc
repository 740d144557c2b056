#include <chrono>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gateway/cli/commands.h"
#include "gateway/cli/message_queue.h"
#include "gateway/cli/print.h"
#include "gateway/cli/session.h"
#include "gateway/cli/symbols.h"
#include "schema/base/json_object.h"
#include "schema/types/timestamp.h"

namespace warpbook::gateway {
namespace {

// How long to wait for what happens to an order at once.
constexpr std::chrono::milliseconds kExecutionsWait{250};

struct PlaceArguments {
  std::string side, symbol, price, type, tier, min_assurance, time_in_force, client_id, stp;
  int64_t gpus = 0, min_fill = 0, node = 0, lease = 0, expires_minutes = 0;
  bool post_only = false, validate = false;
};

// The only node of the account that can serve the instrument.
absl::StatusOr<uint64_t> OnlyNode(CliSession& session, const JsonValue& instrument) {
  const absl::StatusOr<JsonValue> answer = session.Ask("account.nodes");
  if (!answer.ok()) return answer.status();
  std::vector<uint64_t> found;
  for (const JsonValue& node : (*answer)["nodes"].items()) {
    if (node["hardware_class"].text() == instrument["hardware_class"].text() &&
        node["region"].text() == instrument["region"].text()) {
      found.push_back(node["node"].id());
    }
  }
  if (found.size() == 1) return found.front();
  return absl::FailedPreconditionError(
      absl::StrCat(found.empty() ? "no node" : "more than one node", " of this account is ",
                   instrument["hardware_class"].text(), " in ", instrument["region"].text(),
                   found.empty() ? ": register one with `warpbook capacity register`"
                                 : ": name one with --node"));
}

// The symbol to look for: of a resale that names no window, the lease's own.
absl::StatusOr<std::string> SymbolOf(CliSession& session, const PlaceArguments& arguments) {
  if (arguments.lease == 0) return arguments.symbol;
  const absl::StatusOr<JsonValue> answer = session.Ask("account.leases");
  if (!answer.ok()) return answer.status();
  for (const JsonValue& lease : (*answer)["leases"].items()) {
    if (lease["lease_id"].id() == static_cast<uint64_t>(arguments.lease) &&
        lease["symbol"].text().starts_with(arguments.symbol + ".")) {
      return lease["symbol"].text();
    }
  }
  return arguments.symbol;
}

absl::StatusOr<std::string> PlaceParams(CliSession& session, const PlaceArguments& arguments) {
  const absl::StatusOr<std::string> symbol = SymbolOf(session, arguments);
  if (!symbol.ok()) return symbol.status();
  const absl::StatusOr<JsonValue> instrument = FindInstrument(session, *symbol);
  if (!instrument.ok()) return instrument.status();
  const bool is_market =
      arguments.type == "market" || (arguments.type.empty() && arguments.price.empty());
  JsonObject params;
  params.Text("symbol", (*instrument)["symbol"].text())
      .Text("side", arguments.side)
      .Text("order_type", is_market ? "market" : "limit")
      .TextIfAny("price", arguments.price)
      .Integer("gpus", arguments.gpus)
      .TextIfAny("tier", arguments.tier)
      .TextIfAny("min_assurance", arguments.min_assurance)
      .TextIfAny("time_in_force", arguments.time_in_force)
      .TextIfAny("cl_ord_id", arguments.client_id)
      .TextIfAny("stp", arguments.stp)
      .IdIfAny("lease", static_cast<uint64_t>(arguments.lease));
  if (arguments.min_fill > 0) params.Integer("min_fill", arguments.min_fill);
  if (arguments.post_only) params.Flag("post_only", true);
  if (arguments.validate) params.Flag("validate", true);
  if (arguments.expires_minutes > 0) {
    const absl::StatusOr<int64_t> now = MarketTime(session);
    if (!now.ok()) return now.status();
    params.Integer("expires", *now + arguments.expires_minutes * kMicrosPerMinute);
  }
  uint64_t node = static_cast<uint64_t>(arguments.node);
  if (arguments.side == "sell" && node == 0 && arguments.lease == 0) {
    const absl::StatusOr<uint64_t> only = OnlyNode(session, *instrument);
    if (!only.ok()) return only.status();
    node = *only;
  }
  return params.IdIfAny("node", node).Build();
}

// Prints one execution of the order; true where it was its last.
bool PrintExecution(const JsonValue& execution) {
  const std::string& event = execution["event"].text();
  if (event == "accepted") {
    std::cout << "order " << Cell(execution["order_id"]) << ": " << Cell(execution["side"]) << " "
              << Cell(execution["gpus"]) << " x " << Cell(execution["symbol"]) << " at "
              << Cell(execution["price"]) << "\n";
    return false;
  }
  if (event == "filled") {
    std::cout << "  filled " << Cell(execution["gpus"]) << " at " << Cell(execution["price"])
              << " for " << Cell(execution["minutes"]) << " minutes from "
              << FormatTime(execution["delivery_start"].integer())
              << " UTC: " << GroupDigits(Cell(execution["notional_usd"])) << " USD, lease "
              << Cell(execution["lease_id"]) << "\n";
    return execution["remaining"].integer() == 0;
  }
  if (event == "cancelled") {
    std::cout << "  cancelled " << Cell(execution["remaining"]) << " (" << Cell(execution["reason"])
              << ")\n";
    return true;
  }
  return false;
}

// What happens to the order at once; what rests is said at the end.
void PrintOutcome(MessageQueue& messages, const std::string& order_id) {
  const auto deadline = std::chrono::steady_clock::now() + kExecutionsWait;
  bool finished = false;
  while (!finished) {
    const std::optional<Message> message = messages.Pop(deadline);
    if (!message) break;
    if (message->value["type"].text() != "update") continue;
    for (const JsonValue& execution : message->value["data"].items()) {
      if (execution["order_id"].text() == order_id) finished = PrintExecution(execution);
    }
  }
  if (!finished) std::cout << "  rests in the book\n";
}

absl::Status Place(const ClientOptions& options, const PlaceArguments& arguments) {
  MessageQueue messages;
  absl::StatusOr<CliSession> session =
      CliSession::Open(options, Speaker::kMember, messages.Callback());
  if (!session.ok()) return session.status();
  const absl::StatusOr<std::string> params = PlaceParams(*session, arguments);
  if (!params.ok()) return params.status();
  if (!options.json) {
    const absl::Status subscribed =
        session->Ask("subscribe", JsonObject().Text("channel", "executions").Build()).status();
    if (!subscribed.ok()) return subscribed;
  }
  const absl::StatusOr<JsonValue> result = session->Call("order.place", *params);
  if (!result.ok() || options.json) return result.status();
  if ((*result)["validated"].flag()) {
    std::cout << "the order would be accepted\n";
  } else if ((*result)["duplicate"].flag()) {
    std::cout << "order " << Cell((*result)["order_id"]) << " was placed before\n";
  } else {
    PrintOutcome(messages, (*result)["order_id"].text());
  }
  return absl::OkStatus();
}

// order_id, or cl_ord_id where only that is given.
JsonObject OrderName(int64_t order_id, const std::string& client_id) {
  JsonObject params;
  params.IdIfAny("order_id", static_cast<uint64_t>(order_id)).TextIfAny("cl_ord_id", client_id);
  return params;
}

void AddPlace(Command& order) {
  const auto arguments = std::make_shared<PlaceArguments>();
  const auto options = std::make_shared<ClientOptions>();
  Command place = order.Add("place", "Place an order and show what happens to it");
  place.Text("side,--side", arguments->side, "buy or sell").Required().OneOf({"buy", "sell"});
  place.Integer("gpus,--gpus", arguments->gpus, "Whole GPUs").Required();
  place
      .Text("symbol,--symbol", arguments->symbol,
            "An instrument; \"H100-SXM\" or \"H100-SXM.us-east\" mean the first open window, with "
            "\"+2\" two windows later; with --lease, the lease's own")
      .Required();
  place.Text("price,--price", arguments->price,
             "USD per GPU-hour, as 2.50; without it a market order (a price protects one too)");
  place.Text("--type", arguments->type, "Default: limit with a price, market without")
      .OneOf({"limit", "market"});
  place.Text("--tier", arguments->tier, "A bid's priority; default standard")
      .OneOf({"premium", "standard", "economy"});
  place.Text("--min-assurance", arguments->min_assurance, "A bid's least assurance; default listed")
      .OneOf({"attested", "verified", "listed"});
  place.Integer("--min-fill", arguments->min_fill, "No single fill smaller than this");
  place
      .Text("--time-in-force,--tif", arguments->time_in_force, "Default gtc; of a market order ioc")
      .OneOf({"gtc", "gtd", "ioc", "fok"});
  place.Integer("--expires", arguments->expires_minutes, "gtd: after so many market minutes");
  place.Text("--cl-ord-id", arguments->client_id, "Your own name for it, 1 to 32 characters");
  place.Flag("--post-only", arguments->post_only, "Refuse it if any of it could trade now");
  place.Text("--stp", arguments->stp, "Self-trade prevention; default cancel_newest")
      .OneOf({"cancel_newest", "cancel_oldest", "cancel_both", "decrement"});
  place.Integer("--node", arguments->node, "An ask's node; default: the only one that fits");
  place.Integer("--lease", arguments->lease,
                "The lease that an ask resells, until its window begins");
  place.Flag("--validate", arguments->validate, "Check everything, place nothing");
  AddClientOptions(place, Speaker::kMember, *options);
  place.Footer(
      "Example: warpbook order place buy 8 H100-SXM.us-east 2.50 --key alice.pem\n"
      "Resale:  warpbook order place sell 4 H100-SXM.us-east 2.60 --lease 17 --key alice.pem");
  place.OnRun([options, arguments] { return Finish(Place(*options, *arguments)); });
}

void AddCancelAndAmend(Command& order) {
  struct Arguments {
    int64_t order_id = 0, gpus = 0;
    std::string client_id, price;
  };
  Command cancel = order.Add("cancel", "Cancel an order");
  const auto cancelled = std::make_shared<Arguments>();
  cancel.Integer("order,--order", cancelled->order_id, "The order's id");
  cancel.Text("--cl-ord-id", cancelled->client_id, "Your own name for it");
  OnRunWithSession(cancel, std::make_shared<ClientOptions>(), Speaker::kMember,
                   [cancelled](CliSession& session) {
                     const absl::StatusOr<JsonValue> result =
                         session.Call("order.cancel",
                                      OrderName(cancelled->order_id, cancelled->client_id).Build());
                     if (result.ok() && !session.json()) {
                       std::cout << "cancelled " << Cell((*result)["cancelled_gpus"])
                                 << " GPUs of order " << Cell((*result)["order_id"]) << "\n";
                     }
                     return result.status();
                   });

  Command amend = order.Add("amend", "Change an order's price or GPUs");
  const auto amended = std::make_shared<Arguments>();
  amend.Integer("order,--order", amended->order_id, "The order's id");
  amend.Text("--cl-ord-id", amended->client_id, "Your own name for it");
  amend.Text("--price", amended->price, "The new price");
  amend.Integer("--gpus", amended->gpus, "The new total, what is filled included");
  OnRunWithSession(
      amend, std::make_shared<ClientOptions>(), Speaker::kMember, [amended](CliSession& session) {
        JsonObject params = OrderName(amended->order_id, amended->client_id);
        params.TextIfAny("price", amended->price);
        if (amended->gpus != 0) params.Integer("gpus", amended->gpus);
        const absl::StatusOr<JsonValue> result = session.Call("order.amend", params.Build());
        if (!result.ok() || session.json()) return result.status();
        if ((*result)["cancelled"].flag()) {
          std::cout << "order " << Cell((*result)["order_id"]) << " is cancelled\n";
        } else {
          std::cout << "order " << Cell((*result)["order_id"]) << ": "
                    << Cell((*result)["remaining"]) << " of " << Cell((*result)["gpus"])
                    << " left at " << Cell((*result)["price"]) << "; priority "
                    << ((*result)["kept_priority"].flag() ? "kept" : "lost") << "\n";
        }
        return absl::OkStatus();
      });
}

void AddStatus(Command& order) {
  struct Arguments {
    int64_t order_id = 0;
    std::string client_id;
  };
  Command command = order.Add("status", "What became of an order: open, filled or cancelled");
  const auto asked = std::make_shared<Arguments>();
  command.Integer("order,--order", asked->order_id, "The order's id");
  command.Text("--cl-ord-id", asked->client_id, "Your own name for it");
  OnRunWithSession(
      command, std::make_shared<ClientOptions>(), Speaker::kMember, [asked](CliSession& session) {
        const absl::StatusOr<JsonValue> result =
            session.Call("order.status", OrderName(asked->order_id, asked->client_id).Build());
        if (!result.ok() || session.json()) return result.status();
        const std::string reason = (*result)["reason"].text();
        std::cout << "order " << Cell((*result)["order_id"]) << " is " << Cell((*result)["status"])
                  << (reason.empty() ? "" : " (" + reason + ")") << ": "
                  << Cell((*result)["filled"]) << " of " << Cell((*result)["gpus"]) << " filled, "
                  << Cell((*result)["side"]) << " at " << Cell((*result)["price"]) << ", "
                  << Cell((*result)["symbol"]) << "\n";
        return absl::OkStatus();
      });
}

absl::Status CancelAll(CliSession& session, const std::string& symbol,
                       const std::string& hardware_class, const std::string& side) {
  JsonObject params;
  if (!symbol.empty()) {
    const absl::StatusOr<JsonValue> instrument = FindInstrument(session, symbol);
    if (!instrument.ok()) return instrument.status();
    params.Text("symbol", (*instrument)["symbol"].text());
  }
  params.TextIfAny("hardware_class", hardware_class).TextIfAny("side", side);
  const absl::StatusOr<JsonValue> result = session.Call("order.cancel_all", params.Build());
  if (result.ok() && !session.json()) {
    const int64_t count = (*result)["cancelled_orders"].integer();
    std::cout << "cancelled " << count << (count == 1 ? " order\n" : " orders\n");
  }
  return result.status();
}

void AddCancelAll(Command& order) {
  struct Arguments {
    std::string symbol, hardware_class, side;
  };
  Command command = order.Add("cancel-all", "Cancel all your orders, or those that are named");
  const auto filter = std::make_shared<Arguments>();
  command.Text("--symbol", filter->symbol,
               "Of this instrument; \"H100-SXM.us-east\" means the first open window");
  command.Text("--class", filter->hardware_class, "Of this hardware class");
  command.Text("--side", filter->side, "Of this side").OneOf({"buy", "sell"});
  OnRunWithSession(
      command, std::make_shared<ClientOptions>(), Speaker::kMember, [filter](CliSession& session) {
        return CancelAll(session, filter->symbol, filter->hardware_class, filter->side);
      });
}

}  // namespace

void AddOrderCommands(Command& root) {
  Command order = root.Add("order", "Place, amend and cancel orders");
  AddPlace(order);
  AddCancelAndAmend(order);
  AddCancelAll(order);
  AddStatus(order);
}

}  // namespace warpbook::gateway
