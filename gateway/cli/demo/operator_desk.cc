#include "gateway/cli/demo/operator_desk.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "absl/strings/str_cat.h"
#include "schema/base/json_object.h"
#include "schema/types/decimal.h"
#include "schema/types/timestamp.h"

namespace warpbook::gateway {
namespace {

// Feeds over 10 market minutes old are dropped (2-tokens of the design, Prices): at 60 times the
// clock's speed that is ten seconds.
constexpr std::chrono::milliseconds kPricePeriod{1'500};
constexpr int kPriceFeeds = 5;
constexpr double kTokenPrice = 2.0;
// A step of the token's price, how it is drawn back, and how far the feeds lie apart.
constexpr double kStep = 0.002;
constexpr double kReversion = 0.05;
constexpr double kFeedSpread = 0.001;
// How old a feed is when it is sent, in market time: never from the future.
constexpr int64_t kFeedAgeMin = 2 * kMicrosPerSecond;
constexpr int64_t kFeedAgeMax = 20 * kMicrosPerSecond;

}  // namespace

OperatorDesk::OperatorDesk(DemoContext& context, AccountId account, Ed25519PrivateKey key)
    : context_(context),
      account_(account),
      key_(std::make_shared<const Ed25519PrivateKey>(std::move(key))),
      client_(context.loop, context.options.admin, context.random(),
              {.on_connected = [this](Client&) { LogOn(); },
               .on_message = [](const JsonValue&) {},
               .on_lost = [this](const absl::Status&) { is_open_ = false; }}) {}

void OperatorDesk::Start() {
  is_running_ = true;
  client_.Start();
  SetPricesLater();
}

void OperatorDesk::Stop() {
  is_running_ = false;
  is_open_ = false;
  client_.Stop();
}

void OperatorDesk::LogOn() {
  client_.Logon(account_, key_, [this](const Reply& reply) {
    if (reply.success) {
      is_open_ = true;
      return SetPrices();
    }
    if (reply.code == "rate_limited" || reply.code == "shutting_down") {
      return client_.Reconnect(ReplyStatus(reply));
    }
    context_.Fail(absl::PermissionDeniedError(
        absl::StrCat("the operator cannot log on: ", std::string(ReplyStatus(reply).message()))));
  });
}

void OperatorDesk::SetPricesLater() {
  context_.loop.PostAfter(kPricePeriod, [this] {
    if (!is_running_) return;
    SetPrices();
    SetPricesLater();
  });
}

void OperatorDesk::SetPrices() {
  if (!is_open_ || !context_.clock.is_ready()) return;
  std::normal_distribution<double> noise(0, 1);
  token_price_ += token_price_ * kStep * noise(context_.random);
  token_price_ += (kTokenPrice - token_price_) * kReversion;
  std::string feeds;
  for (int feed = 0; feed < kPriceFeeds; ++feed) {
    const double usd = std::max(0.01, token_price_ * (1 + kFeedSpread * noise(context_.random)));
    const TokenPrice price(static_cast<int64_t>(usd * kMicroUsdPerUsd));
    absl::StrAppend(
        &feeds, feed == 0 ? "[" : ",",
        JsonObject()
            .Text("price", FormatTokenPrice(price))
            .Integer("time", context_.clock.Now() - context_.Number(kFeedAgeMin, kFeedAgeMax))
            .Build());
  }
  Call("price.set", JsonObject().Raw("feeds", feeds + "]").Build(), [](const Reply&) {});
}

void OperatorDesk::Call(std::string_view method, const std::string& params,
                        const ReplyHandler& done) {
  if (!is_open_) return;
  client_.Call(method, params, [this, method = std::string(method), done](const Reply& reply) {
    if (!reply.success) context_.stats.Refused(method, reply.code);
    done(reply);
  });
}

void OperatorDesk::Deposit(AccountId account, int64_t tok, const ReplyHandler& done) {
  Call("token.deposit",
       JsonObject()
           .Id("account", account.value())
           .Text("amount", absl::StrCat(tok))
           .Text("reference", absl::StrCat(context_.run, "-", ++deposits_))
           .Build(),
       done);
}

void OperatorDesk::Verify(OwnerId owner, const ReplyHandler& done) {
  Call("owner.verify", JsonObject().Id("owner", owner.value()).Build(), done);
}

void OperatorDesk::SetLimit(AccountId account, int64_t usd, const ReplyHandler& done) {
  Call("limit.set",
       JsonObject().Id("account", account.value()).Text("limit_usd", absl::StrCat(usd)).Build(),
       done);
}

void OperatorDesk::SetCapacity(NodeId node, int64_t gpus, std::string_view assurance,
                               const ReplyHandler& done) {
  Call("capacity.set",
       JsonObject()
           .Id("node", node.value())
           .Integer("gpus", gpus)
           .Text("assurance", assurance)
           .Build(),
       done);
}

}  // namespace warpbook::gateway
