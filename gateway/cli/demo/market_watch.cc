#include "gateway/cli/demo/market_watch.h"

#include <chrono>
#include <utility>

#include "absl/strings/str_cat.h"
#include "schema/base/json_object.h"
#include "schema/types/decimal.h"

namespace warpbook::gateway {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kTimePeriod{500};
// One market's windows at a time: all of them are known anew every two seconds or so.
constexpr milliseconds kWindowsPeriod{250};
constexpr milliseconds kWalkPeriod{250};
constexpr milliseconds kHeadlinePeriod{1'000};

}  // namespace

MarketWatch::MarketWatch(DemoContext& context, std::function<void()> on_ready)
    : context_(context),
      on_ready_(std::move(on_ready)),
      client_(context.loop, context.options.connect, context.random(),
              {.on_connected = [this](Client&) { OnConnected(); },
               .on_message = [this](const JsonValue& message) { OnMessage(message); },
               .on_lost =
                   [this](const absl::Status& status) {
                     lost_ = status;
                     followed_.clear();
                     context_.clock.Restart();
                   }}) {}

void MarketWatch::Start() {
  is_running_ = true;
  client_.Start();
  Repeat(kTimePeriod, [this] { AskTime(); });
  Repeat(kWindowsPeriod, [this] { AskWindows(); });
  Repeat(kWalkPeriod, [this] { context_.markets.Walk(context_.random); });
  Repeat(kHeadlinePeriod, [this] { FollowHeadline(); });
}

void MarketWatch::Stop() {
  is_running_ = false;
  client_.Stop();
}

void MarketWatch::Repeat(milliseconds period, const std::function<void()>& function) {
  context_.loop.PostAfter(period, [this, period, function] {
    if (!is_running_) return;
    function();
    Repeat(period, function);
  });
}

void MarketWatch::OnConnected() {
  lost_ = absl::OkStatus();
  AskTime();
  if (context_.markets.size() > 0) return;
  client_.Call("instruments", "{}", [this](const Reply& reply) {
    const absl::Status chosen =
        reply.success ? context_.markets.Choose(reply.result["instruments"]) : ReplyStatus(reply);
    // A new exchange opens its first windows a moment after it starts.
    if (!chosen.ok()) return client_.Reconnect(chosen);
    ReportReady();
  });
}

void MarketWatch::AskTime() {
  const auto asked = std::chrono::steady_clock::now();
  client_.Call("session.status", "{}", [this, asked](const Reply& reply) {
    if (!reply.success) return;
    // The gateway read its clock between question and answer: in the middle, as far as we know.
    const auto now = std::chrono::steady_clock::now();
    context_.clock.Sample(reply.result["market_time"].integer(), asked + (now - asked) / 2);
    ReportReady();
  });
}

void MarketWatch::ReportReady() {
  if (!on_ready_ || !context_.clock.is_ready() || context_.markets.size() == 0) return;
  std::exchange(on_ready_, nullptr)();
}

void MarketWatch::AskWindows() {
  if (context_.markets.size() == 0) return;
  const size_t index = next_market_++ % context_.markets.size();
  const DemoMarket& market = context_.markets.market(index);
  client_.Call("instruments",
               JsonObject()
                   .Text("hardware_class", market.hardware_class)
                   .Text("region", market.region)
                   .Build(),
               [this, index](const Reply& reply) {
                 if (reply.success) context_.markets.Update(index, reply.result["instruments"]);
               });
}

// Subscribes to the book of the headline market's next window, and leaves the one before.
void MarketWatch::FollowHeadline() {
  if (context_.markets.size() == 0 || !context_.clock.is_ready()) return;
  const size_t headline = context_.markets.headline();
  const auto windows = context_.markets.Tradable(headline, context_.clock.Now());
  if (windows.empty()) return;
  const std::string symbol = windows[windows.size() > 1 ? 1 : 0]->symbol;
  if (symbol == followed_) return;
  if (!followed_.empty()) {
    client_.Call("unsubscribe",
                 JsonObject().Text("channel", "book").Text("symbol", followed_).Build(),
                 [](const Reply&) {});
  }
  followed_ = symbol;
  book_.emplace(context_.markets.market(headline).tick);
  client_.Call("subscribe", JsonObject().Text("channel", "book").Text("symbol", symbol).Build(),
               [](const Reply&) {});
}

void MarketWatch::OnMessage(const JsonValue& message) {
  if (message["channel"].text() != "book" || message["symbol"].text() != followed_) return;
  if (message["type"].text() == "closed") {
    book_.reset();
    followed_.clear();
    return;
  }
  // A book that is not the gateway's would be a fault of the exchange, and is counted as one.
  if (!book_->Apply(message).ok()) {
    context_.stats.Refused("book", "not as announced");
    client_.Call("unsubscribe",
                 JsonObject().Text("channel", "book").Text("symbol", followed_).Build(),
                 [](const Reply&) {});
    followed_.clear();
  }
}

std::string MarketWatch::HeadlinePrices() const {
  if (context_.markets.size() == 0) return "";
  const bool has_book = book_ && book_->has_snapshot();
  const std::string bid =
      has_book && !book_->bids().empty() ? FormatPrice(book_->bids().begin()->first) : "-";
  const std::string ask =
      has_book && !book_->asks().empty() ? FormatPrice(book_->asks().begin()->first) : "-";
  return absl::StrCat(context_.markets.market(context_.markets.headline()).hardware_class, " ", bid,
                      " / ", ask);
}

}  // namespace warpbook::gateway
