#include <iostream>
#include <memory>
#include <string>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "gateway/cli/commands.h"
#include "gateway/cli/key_files.h"
#include "gateway/cli/print.h"
#include "gateway/cli/session.h"
#include "gateway/cli/symbols.h"
#include "schema/base/clock.h"
#include "schema/base/json_object.h"

namespace warpbook::gateway {
namespace {

// How many feeds one price.set carries (2-tokens of the design, Prices).
constexpr int kPriceFeeds = 5;

// Tokens that come in or go out.
struct TokenMovement {
  const char* method;
  const char* done;  // "deposited"
  const char* toward;
};
constexpr TokenMovement kDeposit = {"token.deposit", "deposited", "to"};
constexpr TokenMovement kWithdrawal = {"token.withdraw", "withdrew", "from"};

absl::Status MoveTokens(CliSession& session, const TokenMovement& movement, const std::string& of,
                        const std::string& amount, std::string reference) {
  const absl::StatusOr<AccountId> account = ResolveAccount(of);
  if (!account.ok()) return account.status();
  // A reference is used once: by default one that the time makes unlike any other.
  if (reference.empty()) reference = absl::StrCat("manual-", SystemClock().NowMicros());
  const absl::StatusOr<JsonValue> result =
      session.Call(movement.method, JsonObject()
                                        .Id("account", account->value())
                                        .Text("amount", amount)
                                        .Text("reference", reference)
                                        .Build());
  if (result.ok() && !session.json()) {
    std::cout << movement.done << " " << GroupDigits(Cell((*result)["amount"])) << " TOK "
              << movement.toward << " account " << account->value() << " (reference " << reference
              << ")\n";
  }
  return result.status();
}

absl::Status VerifyOwner(CliSession& session, const std::string& owner, bool revoke) {
  uint64_t id = 0;
  if (!absl::SimpleAtoi(owner, &id) || id == 0) {
    return absl::InvalidArgumentError(absl::StrCat("no owner id: ", owner));
  }
  const absl::StatusOr<JsonValue> result =
      session.Call("owner.verify", JsonObject().Id("owner", id).Flag("verified", !revoke).Build());
  if (result.ok() && !session.json()) {
    std::cout << "owner " << id << (revoke ? " is no longer verified\n" : " is verified\n");
  }
  return result.status();
}

absl::Status SetLimit(CliSession& session, const std::string& of, const std::string& usd) {
  const absl::StatusOr<AccountId> account = ResolveAccount(of);
  if (!account.ok()) return account.status();
  const absl::StatusOr<JsonValue> result = session.Call(
      "limit.set", JsonObject().Id("account", account->value()).Text("limit_usd", usd).Build());
  if (result.ok() && !session.json()) {
    std::cout << "account " << account->value() << " may owe " << GroupDigits(usd)
              << " USD of open and undelivered asks\n";
  }
  return result.status();
}

absl::Status SetPrice(CliSession& session, const std::string& price) {
  const absl::StatusOr<int64_t> now = MarketTime(session);
  if (!now.ok()) return now.status();
  std::string feeds;
  for (int feed = 0; feed < kPriceFeeds; ++feed) {
    absl::StrAppend(&feeds, feed == 0 ? "[" : ",",
                    JsonObject().Text("price", price).Integer("time", *now).Build());
  }
  const absl::StatusOr<JsonValue> result =
      session.Call("price.set", JsonObject().Raw("feeds", feeds + "]").Build());
  if (result.ok() && !session.json()) {
    std::cout << "1 TOK = " << price << " USD at " << FormatTime(*now) << " of the market\n";
  }
  return result.status();
}

absl::Status Drain(CliSession& session, int64_t seconds) {
  const absl::StatusOr<JsonValue> result =
      session.Call("drain", JsonObject().Integer("timeout_ms", seconds * 1'000).Build());
  if (result.ok() && !session.json()) std::cout << "the exchange drains, and ends\n";
  return result.status();
}

}  // namespace

void AddOperatorCommands(Command& root) {
  struct Arguments {
    std::string account, amount, reference;
  };
  Command token = root.Add("token", "Tokens that come in from outside or go out (operator)");
  const auto add_movement = [&token](const char* name, const char* help, const char* option,
                                     const TokenMovement& movement) {
    Command command = token.Add(name, help);
    const auto moved = std::make_shared<Arguments>();
    command.Text(option, moved->account, "Account id, or the key file of one").Required();
    command.Text("amount,--amount", moved->amount, "TOK, as 12.5").Required();
    command.Text("--reference", moved->reference,
                 "1 to 32 characters, used once; default: one of the time");
    OnRunWithSession(command, std::make_shared<ClientOptions>(), Speaker::kOperator,
                     [moved, movement](CliSession& session) {
                       return MoveTokens(session, movement, moved->account, moved->amount,
                                         moved->reference);
                     });
  };
  add_movement("deposit", "Credit an account with TOK", "to,--to", kDeposit);
  add_movement("withdraw", "Take TOK out of an account", "from,--from", kWithdrawal);

  Command owners = root.Add("owner", "Who stands behind the accounts (operator)");
  Command verify = owners.Add("verify", "Mark an owner as verified");
  const auto verified = std::make_shared<std::pair<std::string, bool>>();
  verify.Text("owner,--owner", verified->first, "Owner id").Required();
  verify.Flag("--revoke", verified->second, "Take the mark back");
  OnRunWithSession(verify, std::make_shared<ClientOptions>(), Speaker::kOperator,
                   [verified](CliSession& session) {
                     return VerifyOwner(session, verified->first, verified->second);
                   });

  Command limit = root.Add("limit", "What a provider may owe (operator)");
  Command set_limit = limit.Add("set", "Set an account's bonded limit");
  const auto limited = std::make_shared<Arguments>();
  set_limit.Text("of,--of", limited->account, "Account id, or the key file of one").Required();
  set_limit.Text("usd,--usd", limited->amount, "USD, as 1000.00").Required();
  OnRunWithSession(set_limit, std::make_shared<ClientOptions>(), Speaker::kOperator,
                   [limited](CliSession& session) {
                     return SetLimit(session, limited->account, limited->amount);
                   });

  Command price = root.Add("price", "The token's price (operator)");
  Command set_price = price.Add("set", "Set all five feeds to one price, at the market's time now");
  const auto priced = std::make_shared<Arguments>();
  set_price.Text("usd,--usd", priced->amount, "USD per TOK, as 2.00").Required();
  OnRunWithSession(set_price, std::make_shared<ClientOptions>(), Speaker::kOperator,
                   [priced](CliSession& session) { return SetPrice(session, priced->amount); });

  Command drain = root.Add("drain",
                           "End the exchange as SIGTERM does: clients are told first "
                           "(operator)");
  const auto seconds = std::make_shared<int64_t>(10);
  drain.Integer("--seconds", *seconds, "How long clients have to go").Range(0, 600);
  OnRunWithSession(drain, std::make_shared<ClientOptions>(), Speaker::kOperator,
                   [seconds](CliSession& session) { return Drain(session, *seconds); });
}

}  // namespace warpbook::gateway
