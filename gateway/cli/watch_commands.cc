#include <algorithm>
#include <chrono>
#include <functional>
#include <iostream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gateway/cli/commands.h"
#include "gateway/cli/message_queue.h"
#include "gateway/cli/print.h"
#include "gateway/cli/session.h"
#include "gateway/cli/symbols.h"
#include "gateway/client/book_view.h"
#include "gateway/client/orders_view.h"
#include "schema/base/json_object.h"
#include "schema/types/decimal.h"

namespace warpbook::gateway {
namespace {

using SteadyClock = std::chrono::steady_clock;

// Levels shown of each side.
constexpr size_t kLevelsShown = 10;

struct WatchArguments {
  std::string symbol;
  std::string interval = "1m";
  int64_t seconds = 0;
  ClientOptions options;
};

// Connects, lets `subscribe` subscribe, and hands every channel message to `show` until the time
// is over, the channel closed or the connection lost.
absl::Status Watch(const WatchArguments& arguments, Speaker speaker,
                   const std::function<absl::Status(CliSession&)>& subscribe,
                   const std::function<absl::Status(CliSession&, const Message&)>& show) {
  MessageQueue messages;
  absl::StatusOr<CliSession> session =
      CliSession::Open(arguments.options, speaker, messages.Callback(),
                       [&messages](const absl::Status& status) { messages.Close(status); });
  if (!session.ok()) return session.status();
  const absl::Status subscribed = subscribe(*session);
  if (!subscribed.ok()) return subscribed;
  const SteadyClock::time_point end =
      arguments.seconds > 0 ? SteadyClock::now() + std::chrono::seconds(arguments.seconds)
                            : SteadyClock::time_point::max();
  while (SteadyClock::now() < end) {
    // Not waited for without an end: some C libraries cannot.
    const std::optional<Message> message =
        messages.Pop(std::min(end, SteadyClock::now() + std::chrono::hours(1)));
    if (!message && !messages.status().ok()) return messages.status();
    if (!message) continue;
    const bool is_closed = message->value["type"].text() == "closed";
    if (arguments.options.json) {
      std::cout << message->text << std::endl;
    } else if (is_closed) {
      const std::string& reason = message->value["reason"].text();
      std::cout << message->value["symbol"].text()
                << " is closed: " << (reason.empty() ? "its window is over" : reason) << std::endl;
    } else {
      const absl::Status shown = show(*session, *message);
      if (!shown.ok()) return shown;
    }
    if (is_closed) return absl::OkStatus();
  }
  return absl::OkStatus();
}

// One line: the item's fields in the order of the message.
void ShowItem(const std::string& time, const std::string& word, const JsonValue& item) {
  std::string line = absl::StrCat(time, "  ", word);
  for (const auto& [name, field] : item.fields()) {
    absl::StrAppend(&line, "  ", name, "=", Cell(field));
  }
  std::cout << line << std::endl;
}

// ---- The book ----

std::string BookLine(Price price, Quantity gpus, std::string_view word) {
  std::string text = FormatPrice(price);
  std::string count = GroupDigits(gpus.value());
  text.insert(0, 12 - std::min<size_t>(12, text.size()), ' ');
  count.insert(0, 9 - std::min<size_t>(9, count.size()), ' ');
  return absl::StrCat(text, count, "  ", std::string(word), "\n");
}

std::string FormatBook(const std::string& symbol, const BookView& book) {
  std::string text =
      absl::StrCat(symbol, "  #", book.sequence(), ", checksum right\n", "       price     GPUs\n");
  std::vector<std::string> asks;
  for (const auto& [price, gpus] : book.asks()) {
    if (asks.size() == kLevelsShown) break;
    asks.push_back(BookLine(price, gpus, "ask"));
  }
  for (auto line = asks.rbegin(); line != asks.rend(); ++line) text += *line;
  if (!book.asks().empty() && !book.bids().empty()) {
    absl::StrAppend(&text, "    -------- spread ",
                    FormatPrice(book.asks().begin()->first - book.bids().begin()->first), "\n");
  } else {
    text += "    --------\n";
  }
  size_t count = 0;
  for (const auto& [price, gpus] : book.bids()) {
    if (count++ == kLevelsShown) break;
    text += BookLine(price, gpus, "bid");
  }
  return text;
}

// One line for what changed: "bid 2.50 = 16, ask 2.54 gone", then the top of the book.
std::string FormatChange(const JsonValue& message, const BookView& book) {
  std::string text = FormatTime(message["ts"].integer());
  for (const auto& [side, word] : {std::pair("bids", "bid"), std::pair("asks", "ask")}) {
    for (const JsonValue& level : message["data"][side].items()) {
      if (level.items().size() != 2) continue;
      const int64_t gpus = level.items()[1].integer();
      absl::StrAppend(&text, "  ", word, " ", level.items()[0].text(),
                      gpus == 0 ? " gone" : absl::StrCat(" = ", gpus));
    }
  }
  text += "   |  ";
  if (!book.bids().empty()) {
    absl::StrAppend(&text, book.bids().begin()->second.value(), " at ",
                    FormatPrice(book.bids().begin()->first));
  }
  text += " / ";
  if (!book.asks().empty()) {
    absl::StrAppend(&text, book.asks().begin()->second.value(), " at ",
                    FormatPrice(book.asks().begin()->first));
  }
  return text + "\n";
}

// Finds the instrument that is named, says what is watched, and subscribes. The instrument's row.
absl::StatusOr<JsonValue> Subscribe(CliSession& session, const WatchArguments& arguments,
                                    const std::string& channel) {
  absl::StatusOr<JsonValue> instrument = FindInstrument(session, arguments.symbol);
  if (!instrument.ok()) return instrument;
  const std::string& symbol = (*instrument)["symbol"].text();
  JsonObject params;
  params.Text("channel", channel).Text("symbol", symbol);
  if (channel == "candles") params.Text("interval", arguments.interval);
  if (channel != "book" && !arguments.options.json) {
    std::cout << channel << " of " << symbol << std::endl;
  }
  const absl::Status subscribed = session.Ask("subscribe", params.Build()).status();
  if (!subscribed.ok()) return subscribed;
  return instrument;
}

absl::Status WatchBook(const WatchArguments& arguments) {
  std::string symbol;
  std::unique_ptr<BookView> book;
  const bool redraw = IsTerminal();
  return Watch(
      arguments, Speaker::kPublic,
      [&](CliSession& session) {
        const absl::StatusOr<JsonValue> instrument = Subscribe(session, arguments, "book");
        if (!instrument.ok()) return instrument.status();
        symbol = (*instrument)["symbol"].text();
        const std::optional<Price> tick = ParsePrice((*instrument)["tick"].text());
        if (!tick) return absl::UnavailableError("the gateway gives no tick");
        book = std::make_unique<BookView>(*tick);
        return absl::OkStatus();
      },
      [&](CliSession& session, const Message& message) {
        if (message.value["channel"].text() != "book") return absl::OkStatus();
        const absl::Status applied = book->Apply(message.value);
        if (absl::IsDataLoss(applied)) {
          std::cerr << "warpbook: " << applied.message() << "; asking for it anew\n";
          return session.Ask("book.resync", JsonObject().Text("symbol", symbol).Build()).status();
        }
        if (!applied.ok()) return applied;
        if (redraw) {
          std::cout << "\x1b[H\x1b[2J" << FormatBook(symbol, *book) << std::flush;
        } else if (message.value["type"].text() == "snapshot") {
          std::cout << FormatBook(symbol, *book) << std::flush;
        } else {
          std::cout << FormatChange(message.value, *book) << std::flush;
        }
        return absl::OkStatus();
      });
}

// ---- Orders ----

absl::Status WatchOrders(const WatchArguments& arguments) {
  std::unique_ptr<OrdersView> orders;
  return Watch(
      arguments, Speaker::kPublic,
      [&](CliSession& session) {
        const absl::StatusOr<JsonValue> instrument = Subscribe(session, arguments, "orders");
        if (!instrument.ok()) return instrument.status();
        const std::optional<Price> tick = ParsePrice((*instrument)["tick"].text());
        if (!tick) return absl::UnavailableError("the gateway gives no tick");
        orders = std::make_unique<OrdersView>(*tick);
        return absl::OkStatus();
      },
      [&](CliSession&, const Message& message) {
        if (message.value["channel"].text() != "orders") return absl::OkStatus();
        const absl::Status applied = orders->Apply(message.value);
        if (!applied.ok()) return applied;
        for (const auto& [side, word] : {std::pair("bids", "bid"), std::pair("asks", "ask")}) {
          for (const JsonValue& item : message.value["data"][side].items()) {
            ShowItem(FormatTime(message.value["ts"].integer()), word, item);
          }
        }
        return absl::OkStatus();
      });
}

// ---- Trades, ticker and candles ----

absl::Status WatchTrades(const WatchArguments& arguments) {
  return Watch(
      arguments, Speaker::kPublic,
      [&](CliSession& session) { return Subscribe(session, arguments, "trades").status(); },
      [](CliSession&, const Message& message) {
        for (const JsonValue& trade : message.value["data"].items()) {
          std::cout << FormatTime(trade["ts"].integer()) << "  " << Cell(trade["taker_side"]) << " "
                    << Cell(trade["gpus"]) << " at " << Cell(trade["price"]) << " for "
                    << Cell(trade["minutes"]) << " minutes, lease " << Cell(trade["trade_id"])
                    << std::endl;
        }
        return absl::OkStatus();
      });
}

absl::Status WatchTicker(const WatchArguments& arguments) {
  return Watch(
      arguments, Speaker::kPublic,
      [&](CliSession& session) { return Subscribe(session, arguments, "ticker").status(); },
      [](CliSession&, const Message& message) {
        const JsonValue& data = message.value["data"];
        std::cout << FormatTime(message.value["ts"].integer()) << "  " << Cell(data["bid_gpus"])
                  << " at " << Cell(data["bid"]) << " / " << Cell(data["ask_gpus"]) << " at "
                  << Cell(data["ask"]) << ", last " << Cell(data["last"]) << ", "
                  << GroupDigits(data["volume_gpus"].integer()) << " GPUs in "
                  << GroupDigits(data["trades"].integer()) << " trades" << std::endl;
        return absl::OkStatus();
      });
}

absl::Status WatchCandles(const WatchArguments& arguments) {
  return Watch(
      arguments, Speaker::kPublic,
      [&](CliSession& session) { return Subscribe(session, arguments, "candles").status(); },
      [](CliSession&, const Message& message) {
        for (const JsonValue& candle : message.value["data"].items()) {
          std::cout << FormatTime(candle["start"].integer()) << "  " << Cell(candle["open"])
                    << " high " << Cell(candle["high"]) << " low " << Cell(candle["low"])
                    << " close " << Cell(candle["close"]) << ", "
                    << GroupDigits(candle["volume_gpus"].integer()) << " GPUs"
                    << (candle["closed"].flag() ? "" : ", running") << std::endl;
        }
        return absl::OkStatus();
      });
}

// ---- What concerns everybody, and the account's own channels ----

// One line for each item: its fields in the order of the message.
absl::Status ShowItems(const Message& message) {
  const JsonValue& value = message.value;
  for (const JsonValue& item : value["data"].items()) {
    ShowItem(FormatTime(value["ts"].integer()), absl::StrCat("#", value["seq"].integer()), item);
  }
  return absl::OkStatus();
}

absl::Status WatchItems(const WatchArguments& arguments, const std::string& channel,
                        Speaker speaker) {
  return Watch(
      arguments, speaker,
      [&](CliSession& session) {
        return session.Ask("subscribe", JsonObject().Text("channel", channel).Build()).status();
      },
      [](CliSession&, const Message& message) { return ShowItems(message); });
}

}  // namespace

void AddWatchCommands(Command& root) {
  Command watch = root.Add("watch", "Follow a channel until Ctrl-C or, of an instrument, its end");
  using Run = std::function<absl::Status(const WatchArguments&)>;
  const auto add = [&watch](const std::string& channel, const std::string& description,
                            Speaker speaker, bool has_symbol, const Run& run) {
    Command command = watch.Add(channel, description);
    const auto arguments = std::make_shared<WatchArguments>();
    if (has_symbol) {
      command
          .Text("symbol,--symbol", arguments->symbol,
                "An instrument; \"H100-SXM\" or \"H100-SXM.us-east\" mean the first open window, "
                "with "
                "\"+2\" two windows later")
          .Required();
    }
    if (channel == "candles") {
      command.Text("--interval", arguments->interval, "How long a candle is")
          .OneOf({"1m", "5m", "15m", "1h"});
    }
    command.Integer("--seconds", arguments->seconds, "End after so long; 0: never");
    AddClientOptions(command, speaker, arguments->options);
    command.OnRun([arguments, run] { return Finish(run(*arguments)); });
  };
  const auto add_public = [&add](const std::string& channel, const std::string& description,
                                 const Run& run) {
    add(channel, description, Speaker::kPublic, /*has_symbol=*/true, run);
  };
  add_public("book", "An instrument's book", WatchBook);
  add_public("orders", "An instrument's resting orders, without names", WatchOrders);
  add_public("trades", "An instrument's trades", WatchTrades);
  add_public("ticker", "An instrument's best prices and what was traded", WatchTicker);
  add_public("candles", "What was traded of an instrument, by time", WatchCandles);
  const auto add_items = [&add](const std::string& channel, const std::string& description,
                                Speaker speaker) {
    add(channel, description, speaker, /*has_symbol=*/false,
        [channel, speaker](const WatchArguments& arguments) {
          return WatchItems(arguments, channel, speaker);
        });
  };
  add_items("instruments", "All instruments: which there are and what becomes of them",
            Speaker::kPublic);
  for (const std::string channel : {"executions", "balances", "leases"}) {
    add_items(channel, absl::StrCat("An account's own ", channel), Speaker::kMember);
  }
}

}  // namespace warpbook::gateway
