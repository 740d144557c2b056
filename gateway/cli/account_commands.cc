#include <iostream>
#include <memory>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/strings/str_cat.h"
#include "gateway/cli/commands.h"
#include "gateway/cli/key_files.h"
#include "gateway/cli/print.h"
#include "gateway/cli/session.h"
#include "schema/base/json_object.h"

namespace warpbook::gateway {
namespace {

// Forgets the account that is remembered for the key where this exchange knows no such pair: it is
// of one that was begun anew since, and here the number may be somebody else's. AlreadyExists where
// the exchange knows them.
absl::Status ForgetStaleAccount(CliSession& session, const std::string& key_file, uint64_t account,
                                const Ed25519PrivateKey& key) {
  const absl::StatusOr<Reply> logon = session.client().Logon(AccountId(account), key);
  if (!logon.ok()) return logon.status();
  if (logon->success) {
    return absl::AlreadyExistsError(
        absl::StrCat(key_file, " has account ", account, " already (", key_file, ".account)"));
  }
  if (logon->code != "unknown_key") return ReplyStatus(*logon);
  std::cerr << "warpbook: account " << account << " is not this key's at this exchange; "
            << key_file << ".account is forgotten" << std::endl;
  return ForgetIdBeside(key_file, "account");
}

// Opens an account for the key and remembers its id beside it.
absl::Status OpenAccount(CliSession& session, const std::string& key_file) {
  const absl::StatusOr<Ed25519PrivateKey> key = LoadOrCreateKeyFile(key_file);
  if (!key.ok()) return key.status();
  const absl::StatusOr<uint64_t> known = LoadIdBeside(key_file, "account");
  if (known.ok()) {
    const absl::Status forgotten = ForgetStaleAccount(session, key_file, *known, *key);
    if (!forgotten.ok()) return forgotten;
  }
  const absl::StatusOr<Reply> reply = session.client().OpenAccount(*key);
  if (!reply.ok()) return reply.status();
  if (session.json()) std::cout << reply->text << std::endl;
  if (!reply->success) return ReplyStatus(*reply);
  const uint64_t account = reply->result["account"].id();
  const absl::Status saved = SaveIdBeside(key_file, "account", account);
  if (saved.ok() && !session.json()) {
    std::cout << "account " << account << " (owner " << Cell(reply->result["owner"]) << ")\n";
  }
  return saved;
}

absl::Status PrintBalances(CliSession& session) {
  const absl::StatusOr<JsonValue> balances = session.Call("account.balances");
  if (!balances.ok() || session.json()) return balances.status();
  Table table({"", ">USD", ">credits"});
  for (const std::string name : {"free", "locked", "escrow"}) {
    table.Add({name, GroupDigits(Cell((*balances)[name + "_usd"])),
               GroupDigits(Cell((*balances)[name]))});
  }
  table.Add({"bonded limit", GroupDigits(Cell((*balances)["bonded_limit_usd"])),
             GroupDigits(Cell((*balances)["bonded_limit"]))});
  std::cout << "account " << session.account().value() << ", "
            << GroupDigits(Cell((*balances)["tok"])) << " TOK\n";
  table.Print(std::cout);
  return absl::OkStatus();
}

// The node or the lease that an ask sells GPUs of.
std::string SellsOf(const JsonValue& order) {
  for (const std::string backing : {"node", "lease"}) {
    if (order.Has(backing)) return absl::StrCat(backing, " ", Cell(order[backing]));
  }
  return "-";
}

// All rows of a list, page by page. With --json the pages are printed as they come.
absl::Status ForEachRow(CliSession& session, const std::string& key,
                        absl::FunctionRef<void(const JsonValue&)> on_row) {
  std::string after;
  do {
    const absl::StatusOr<JsonValue> page =
        session.Call(absl::StrCat("account.", key), JsonObject().TextIfAny("after", after).Build());
    if (!page.ok()) return page.status();
    for (const JsonValue& row : (*page)[key].items()) on_row(row);
    after = page->Has("next_after") ? (*page)["next_after"].text() : "";
  } while (!after.empty());
  return absl::OkStatus();
}

absl::Status PrintOrders(CliSession& session) {
  Table table({">order", "symbol", "side", ">price", ">gpus", ">left", "priority", "in force",
               "sells of", "client id"});
  const absl::Status listed = ForEachRow(session, "orders", [&](const JsonValue& order) {
    const bool is_bid = order.Has("tier");
    table.Add({Cell(order["order_id"]), Cell(order["symbol"]), Cell(order["side"]),
               Cell(order["price"]), Cell(order["gpus"]), Cell(order["remaining"]),
               Cell(order[is_bid ? "tier" : "assurance"]), Cell(order["time_in_force"]),
               SellsOf(order), Cell(order["cl_ord_id"])});
  });
  if (!listed.ok() || session.json()) return listed;
  if (table.empty()) {
    std::cout << "no open orders\n";
  } else {
    table.Print(std::cout);
  }
  return absl::OkStatus();
}

absl::Status PrintLeases(CliSession& session) {
  Table table({">lease", "symbol", "role", "state", ">gpus", ">price", ">minutes", "delivery (UTC)",
               "completed"});
  const absl::Status listed = ForEachRow(session, "leases", [&](const JsonValue& lease) {
    table.Add({Cell(lease["lease_id"]), Cell(lease["symbol"]), Cell(lease["role"]),
               Cell(lease["state"]), Cell(lease["gpus"]), Cell(lease["price"]),
               Cell(lease["minutes"]), FormatTime(lease["delivery_start"].integer()),
               Cell(lease["completed"])});
  });
  if (!listed.ok() || session.json()) return listed;
  if (table.empty()) {
    std::cout << "no open leases\n";
  } else {
    table.Print(std::cout);
  }
  return absl::OkStatus();
}

absl::Status PrintPositions(CliSession& session) {
  const absl::StatusOr<JsonValue> answer = session.Call("account.positions");
  if (!answer.ok() || session.json()) return answer.status();
  Table table({"symbol", ">bought", ">for USD", ">provided", ">for USD", ">bid", ">offered",
               ">for resale"});
  for (const JsonValue& position : (*answer)["positions"].items()) {
    const JsonValue& bought = position["bought"];
    const JsonValue& provided = position["provided"];
    table.Add({Cell(position["symbol"]), Cell(bought["gpus"]),
               GroupDigits(Cell(bought["notional_usd"])), Cell(provided["gpus"]),
               GroupDigits(Cell(provided["notional_usd"])), Cell(position["bid_gpus"]),
               Cell(position["offered_gpus"]), Cell(position["resale_gpus"])});
  }
  if (table.empty()) {
    std::cout << "no positions\n";
  } else {
    table.Print(std::cout);
  }
  return absl::OkStatus();
}

// Where the change came from and went to, or why there is one.
std::string CauseOf(const JsonValue& entry) {
  if (entry.Has("cause")) return Cell(entry["cause"]);
  return absl::StrCat(Cell(entry["from"]), " to ", Cell(entry["to"]));
}

absl::Status PrintChanges(CliSession& session, int64_t after, int64_t limit) {
  const absl::StatusOr<JsonValue> answer =
      session.Call("account.statement",
                   JsonObject().Integer("after_seq", after).Integer("limit", limit).Build());
  if (!answer.ok() || session.json()) return answer.status();
  Table table({">seq", "time (UTC)", ">change", "", "what", ">free USD"});
  for (const JsonValue& entry : (*answer)["entries"].items()) {
    table.Add({Cell(entry["seq"]), FormatTime(entry["ts"].integer()),
               GroupDigits(Cell(entry["change"])), Cell(entry["asset"]), CauseOf(entry),
               entry.Has("free_usd") ? GroupDigits(Cell(entry["free_usd"])) : "-"});
  }
  if (table.empty()) {
    std::cout << "nothing has changed\n";
  } else {
    table.Print(std::cout);
  }
  if (Cell((*answer)["more"]) == "true") {
    std::cout << "more: --after " << Cell((*answer)["next_after_seq"]) << "\n";
  }
  return absl::OkStatus();
}

absl::Status BuyCredits(CliSession& session, const std::string& burn) {
  const absl::StatusOr<JsonValue> result =
      session.Call("credits.buy", JsonObject().Text("burn", burn).Build());
  if (result.ok() && !session.json()) {
    std::cout << "burned " << GroupDigits(Cell((*result)["burned"])) << " TOK for "
              << GroupDigits(Cell((*result)["credits_usd"])) << " USD of credits\n";
  }
  return result.status();
}

}  // namespace

void AddAccountCommands(Command& root) {
  Command account = root.Add("account", "Open an account, see what has changed it");
  Command open = account.Add("open", "Open an account for a key, which is made if it is not there");
  const auto options = std::make_shared<ClientOptions>();
  AddClientOptions(open, Speaker::kPublic, *options);
  open.Text("--key", options->key, "Your key (PEM)").Environment("WARPBOOK_KEY").Required();
  open.OnRun([options] {
    absl::StatusOr<CliSession> session = CliSession::Open(*options, Speaker::kPublic);
    return Finish(session.ok() ? OpenAccount(*session, options->key) : session.status());
  });

  Command balances = root.Add("balances", "What an account has");
  OnRunWithSession(balances, std::make_shared<ClientOptions>(), Speaker::kMember, PrintBalances);
  Command orders = root.Add("orders", "An account's open orders");
  OnRunWithSession(orders, std::make_shared<ClientOptions>(), Speaker::kMember, PrintOrders);
  Command leases = root.Add("leases", "An account's open leases");
  OnRunWithSession(leases, std::make_shared<ClientOptions>(), Speaker::kMember, PrintLeases);

  Command positions =
      root.Add("positions", "What an account has bought, provides and has on offer");
  OnRunWithSession(positions, std::make_shared<ClientOptions>(), Speaker::kMember, PrintPositions);

  Command changes = account.Add("changes", "What has changed your account's balances");
  const auto after = std::make_shared<int64_t>(0);
  const auto limit = std::make_shared<int64_t>(500);
  changes.Integer("--after", *after, "Begin behind this sequence");
  changes.Integer("--limit", *limit, "So many entries at most");
  OnRunWithSession(
      changes, std::make_shared<ClientOptions>(), Speaker::kMember,
      [after, limit](CliSession& session) { return PrintChanges(session, *after, *limit); });

  Command credits = root.Add("credits", "The money inside the exchange");
  Command buy = credits.Add("buy", "Burn tokens for credits");
  const auto burn = std::make_shared<std::string>();
  buy.Text("tok,--burn", *burn, "How many TOK to burn, as 12.5").Required();
  OnRunWithSession(buy, std::make_shared<ClientOptions>(), Speaker::kMember,
                   [burn](CliSession& session) { return BuyCredits(session, *burn); });
}

}  // namespace warpbook::gateway
