#include "gateway/cli/demo/member.h"

#include <cstdio>
#include <optional>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "gateway/cli/demo/operator_desk.h"
#include "gateway/cli/key_files.h"
#include "schema/base/json_object.h"
#include "schema/types/decimal.h"

namespace warpbook::gateway {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;

constexpr milliseconds kMaintainPeriod{1'000};
constexpr milliseconds kDeliverPeriod{100};
// A deposit that was taken but not decided (settlement is away) is not repeated for so long.
constexpr seconds kDepositPatience{30};
// How much rarer each later window is picked.
constexpr double kWindowDecay = 0.65;

// An amount, or a change of one.
int64_t MicroTokens(std::string_view text) {
  const bool is_negative = text.starts_with('-');
  if (is_negative) text.remove_prefix(1);
  const int64_t amount = ParseTokens(text).value_or(Tokens(0)).value();
  return is_negative ? -amount : amount;
}

}  // namespace

Member::Member(DemoContext& context, const std::string& name, const std::string& key_file,
               milliseconds action_period)
    : context_(context),
      name_(name),
      key_file_(key_file),
      client_(context.loop, context.options.connect, context.random(),
              {.on_connected = [this](Client&) { OnConnected(); },
               .on_message = [this](const JsonValue& message) { OnMessage(message); },
               .on_lost = [this](const absl::Status&) { is_ready_ = false; }}),
      orders_(context, client_, account_, absl::StrCat(context.run, "-", name, "-"),
              [this](const std::string& code) { OnOrderRefused(code); }),
      leases_(context),
      action_period_(action_period) {}

absl::Status Member::LoadFiles() {
  absl::StatusOr<Ed25519PrivateKey> key = LoadOrCreateKeyFile(key_file_);
  if (!key.ok()) return key.status();
  key_ = std::make_shared<const Ed25519PrivateKey>(*std::move(key));
  const absl::StatusOr<uint64_t> account = LoadIdBeside(key_file_, "account");
  if (account.ok()) {
    account_ = AccountId(*account);
  } else if (!absl::IsNotFound(account.status())) {
    return account.status();
  }
  return absl::OkStatus();
}

void Member::Start() {
  is_running_ = true;
  client_.Start();
  Repeat(kMaintainPeriod, [this] {
    if (is_ready_) Maintain();
  });
  Repeat(kDeliverPeriod, [this] {
    if (is_ready_ && context_.clock.is_ready()) Deliver();
  });
  Repeat(action_period_, [this] {
    if (is_ready_ && context_.is_placing && context_.clock.is_ready() && !orders_.is_paused()) {
      Trade();
    }
  });
}

void Member::Stop() {
  is_running_ = false;
  is_ready_ = false;
  client_.Stop();
}

void Member::Repeat(milliseconds period, const std::function<void()>& function) {
  // Jittered by a half, so that members do not act in step.
  const milliseconds pause(context_.Number(period.count() / 2, period.count() * 3 / 2));
  context_.loop.PostAfter(pause, [this, period, function] {
    if (!is_running_) return;
    function();
    Repeat(period, function);
  });
}

// ---- Logging on
// ----------------------------------------------------------------------------------

void Member::OnConnected() {
  if (std::exchange(was_connected_, true)) ++context_.stats.counts.reconnects;
  if (account_) {
    LogOn();
  } else {
    OpenAccount();
  }
}

void Member::OpenAccount() {
  client_.OpenAccount(key_, [this](const Reply& reply) {
    if (!reply.success) return OnAccountRefused(reply);
    account_ = AccountId(reply.result["account"].id());
    const absl::Status saved = SaveIdBeside(key_file_, "account", account_.value());
    if (!saved.ok()) return context_.Fail(saved);
    OnNewAccount();
    LogOn();
  });
}

void Member::OnAccountRefused(const Reply& reply) {
  context_.stats.Refused("account.open", reply.code);
  // The answer that named the account was lost with its connection: the key is spent. It is kept
  // under another name, and another one takes its place.
  if (reply.code == "key_in_use") {
    const std::string spent = absl::StrCat(key_file_, ".spent-", context_.run);
    if (std::rename(key_file_.c_str(), spent.c_str()) != 0) {
      return context_.Fail(absl::UnavailableError(absl::StrCat(key_file_, ": cannot rename")));
    }
    const absl::Status loaded = LoadFiles();
    if (!loaded.ok()) return context_.Fail(loaded);
  }
  client_.Reconnect(ReplyStatus(reply));
}

void Member::LogOn() {
  client_.Logon(account_, key_, [this](const Reply& reply) {
    if (reply.success) {
      owner_ = OwnerId(reply.result["owner"].id());
      return OnLoggedOn();
    }
    context_.stats.Refused("session.logon", reply.code);
    // The exchange has forgotten us (its journal is another one): we are new to it.
    if (reply.code == "unknown_key") return OpenAccount();
    client_.Reconnect(ReplyStatus(reply));
  });
}

void Member::OnLoggedOn() {
  for (const char* channel : {"balances", "executions", "leases"}) {
    Call("subscribe", JsonObject().Text("channel", channel).Build(), [](const Reply&) {});
  }
  // The answers come after the channels' first messages and in this order.
  Call("account.leases", "{}", [this](const Reply& reply) {
    if (reply.success) leases_.Replace(reply.result["leases"]);
  });
  Call("account.orders", "{}", [this](const Reply& reply) {
    if (!reply.success) return client_.Reconnect(ReplyStatus(reply));
    orders_.Replace(reply.result["orders"]);
    is_ready_ = true;
    orders_.AskAgain();
    OnReady();
  });
}

// ---- Hearing
// -------------------------------------------------------------------------------------

void Member::OnMessage(const JsonValue& message) {
  const std::string& channel = message["channel"].text();
  const JsonValue& data = message["data"];
  if (channel == "balances") {
    for (const JsonValue& item : data.items()) OnBalance(item);
  } else if (message["type"].text() == "update") {
    // The snapshots of these say what account.orders and account.leases say too.
    if (channel == "executions") orders_.OnExecutions(data);
    if (channel == "leases") leases_.OnLeases(data);
  }
}

void Member::OnBalance(const JsonValue& item) {
  if (item["asset"].text() == "TOK") {
    // The snapshot says what there is, what follows how it changes.
    if (item.Has("balance")) micro_tokens_ = MicroTokens(item["balance"].text());
    if (item.Has("change")) micro_tokens_ += MicroTokens(item["change"].text());
    tokens_ = micro_tokens_ / kMicroTokPerTok;
    if (item["cause"].text() == "deposit") deposit_due_ = {};
    return;
  }
  const int64_t free = static_cast<int64_t>(item["free"].id());
  free_micro_usd_ = free / (kCreditsPerUsd / kMicroUsdPerUsd);
  if (item["from"].text() == "issued") ++credits_bought_;
}

// ---- What the kinds of members share
// -------------------------------------------------------------

void Member::Call(std::string_view method, const std::string& params,
                  const std::function<void(const Reply&)>& on_reply) {
  client_.Call(method, params, [this, method = std::string(method), on_reply](const Reply& reply) {
    if (!reply.success) context_.stats.Refused(method, reply.code);
    on_reply(reply);
  });
}

// A run of some days makes its members so large that they have to be.
void Member::BeVerified() {
  if (is_verified_ || !owner_ || !context_.desk->is_open()) return;
  is_verified_ = true;
  context_.desk->Verify(owner_, [this](const Reply& reply) { is_verified_ = reply.success; });
}

void Member::MaintainTokens(int64_t low, int64_t amount) {
  BeVerified();
  if (tokens_ >= low || steady_clock::now() < deposit_due_ || !context_.desk->is_open()) return;
  deposit_due_ = steady_clock::now() + kDepositPatience;
  context_.desk->Deposit(account_, amount, [this](const Reply& reply) {
    // Taken and not decided yet is no reason to ask again.
    if (!reply.success && reply.outcome == "rejected") deposit_due_ = {};
  });
}

const DemoWindow* Member::PickWindow(size_t market) {
  const auto windows = context_.markets.Tradable(market, context_.clock.Now());
  for (const DemoWindow* window : windows) {
    if (window == windows.back() || context_.Chance() > kWindowDecay) return window;
  }
  return nullptr;
}

}  // namespace warpbook::gateway
