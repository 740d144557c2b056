#include <iostream>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "gateway/cli/commands.h"
#include "gateway/cli/key_files.h"
#include "gateway/cli/print.h"
#include "gateway/cli/session.h"
#include "gateway/cli/symbols.h"
#include "gateway/client/json_object.h"
#include "schema/base/clock.h"

namespace warpbook::gateway {
namespace {

// How many feeds one price.set carries (2-tokens of the design, Prices).
constexpr int kPriceFeeds = 5;

absl::Status Deposit(CliSession& session, const std::string& to, const std::string& amount,
                     std::string reference) {
  const absl::StatusOr<AccountId> account = ResolveAccount(to);
  if (!account.ok()) return account.status();
  // A reference is used once: by default one that the time makes unlike any other.
  if (reference.empty()) reference = absl::StrCat("manual-", SystemClock().NowMicros());
  const absl::StatusOr<JsonValue> result =
      session.Call("token.deposit", JsonObject()
                                        .Id("account", account->value())
                                        .Text("amount", amount)
                                        .Text("reference", reference)
                                        .Build());
  if (result.ok() && !session.json()) {
    std::cout << "deposited " << GroupDigits(Cell((*result)["amount"])) << " TOK to account "
              << account->value() << " (reference " << reference << ")\n";
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
  Command token = root.Add("token", "Tokens that come in from outside (operator)");
  Command deposit = token.Add("deposit", "Credit an account with TOK");
  const auto deposited = std::make_shared<Arguments>();
  deposit.Text("to,--to", deposited->account, "Account id, or the key file of one").Required();
  deposit.Text("amount,--amount", deposited->amount, "TOK, as 12.5").Required();
  deposit.Text("--reference", deposited->reference,
               "1 to 32 characters, used once; default: one of the time");
  OnRunWithSession(deposit, std::make_shared<ClientOptions>(), Speaker::kOperator,
                   [deposited](CliSession& session) {
                     return Deposit(session, deposited->account, deposited->amount,
                                    deposited->reference);
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
