// The client, the commands and the demo against a real exchange in this process.

#include <doctest/doctest.h>

#include <chrono>
#include <fstream>
#include <set>
#include <thread>

#include "absl/strings/str_cat.h"
#include "gateway/cli/demo/demo.h"
#include "gateway/cli/key_files.h"
#include "gateway/cli/message_queue.h"
#include "gateway/client/book_view.h"
#include "schema/base/json_object.h"
#include "schema/journal/format.h"
#include "schema/journal/tail_reader.h"
#include "schema/types/client_order_id.h"
#include "schema/types/decimal.h"
#include "schema/wire/record.h"
#include "tests/gateway/cli/command_runner.h"
#include "tests/gateway/cli/local_exchange.h"

namespace warpbook::gateway {
namespace {

using std::chrono::seconds;
using std::chrono::steady_clock;

bool Contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

// A member or operator at a local exchange, by command.
class Person {
 public:
  Person(const LocalExchange& exchange, const std::string& name)
      : exchange_(exchange), key_(exchange.File(name + ".pem")) {}

  CommandResult Does(std::vector<std::string> words) const {
    words.insert(words.end(), {"--key", key_, "--connect", exchange_.address()});
    return RunCommand(words);
  }
  // As the operator does it.
  CommandResult Rules(std::vector<std::string> words) const {
    words.insert(words.end(), {"--key", key_, "--admin", exchange_.admin_address()});
    return RunCommand(words);
  }
  const std::string& key() const { return key_; }

 private:
  const LocalExchange& exchange_;
  const std::string key_;
};

CommandResult Public(const LocalExchange& exchange, std::vector<std::string> words) {
  words.insert(words.end(), {"--connect", exchange.address()});
  return RunCommand(words);
}

// A buyer with money, and a provider with an approved node.
struct Market {
  explicit Market(int64_t clock_factor = 1) : exchange(clock_factor) {
    REQUIRE(buyer.Does({"account", "open"}).exit_code == 0);
    REQUIRE(provider.Does({"account", "open"}).exit_code == 0);
    REQUIRE(operators.Rules({"token", "deposit", buyer.key(), "1000"}).exit_code == 0);
    REQUIRE(buyer.Does({"credits", "buy", "500"}).exit_code == 0);
    REQUIRE(provider.Does({"capacity", "register", "H100-SXM", "us-east", "8"}).exit_code == 0);
    const uint64_t node = *LoadIdBeside(provider.key() + ".device", "node");
    REQUIRE(operators.Rules({"capacity", "set", std::to_string(node), "8"}).exit_code == 0);
    REQUIRE(operators.Rules({"limit", "set", provider.key(), "1000"}).exit_code == 0);
  }

  LocalExchange exchange;
  Person operators{exchange, "operator"}, buyer{exchange, "buyer"}, provider{exchange, "provider"};
};

TEST_CASE("A second key acts for the account as far as it may, until it is revoked") {
  const Market market;
  const std::string second = market.exchange.File("second.pem");
  REQUIRE(RunCommand({"keys", "new", second}).exit_code == 0);
  const CommandResult added = market.buyer.Does({"keys", "add", second, "--scope", "read"});
  REQUIRE(added.exit_code == 0);
  CHECK(Contains(added.out, " may read for account "));
  // Its file is enough.
  const auto with_second = [&](std::vector<std::string> words) {
    words.insert(words.end(), {"--key", second, "--connect", market.exchange.address()});
    return RunCommand(words);
  };
  CHECK(with_second({"balances"}).exit_code == 0);
  const CommandResult buys = with_second({"credits", "buy", "1"});
  CHECK(buys.exit_code == 1);
  CHECK(Contains(buys.error, "scope_missing"));
  CHECK(market.buyer.Does({"keys", "revoke", second}).exit_code == 0);
  CHECK(Contains(with_second({"balances"}).error, "open one with `warpbook account open"));
  // By its public half nothing is noted, and a file that is none is said to be none.
  const std::string hex(64, 'a');
  CHECK(market.buyer.Does({"keys", "add", hex, "--scope", "read", "--scope", "trade"}).exit_code ==
        0);
  CHECK(Contains(market.buyer.Does({"keys", "add", hex, "--scope", "rule"}).error,
                 "each one of read trade provide"));
  CHECK(
      Contains(market.buyer.Does({"keys", "add", hex, "--scope", "a\",\"b"}).error, "is no scope"));
  CHECK(Contains(market.buyer.Does({"keys", "revoke", "nowhere.pem"}).error, "nowhere.pem"));
}

TEST_CASE("A first order by hand: asked, bid, filled, amended, cancelled") {
  const Market market;
  const CommandResult asked =
      market.provider.Does({"order", "place", "sell", "4", "H100-SXM", "2.50"});
  CHECK(asked.exit_code == 0);
  CHECK(Contains(asked.out, "sell 4 x H100-SXM.us-east."));
  CHECK(Contains(asked.out, "rests in the book"));

  const CommandResult bought =
      market.buyer.Does({"order", "place", "buy", "1", "H100-SXM.us-east", "3.00"});
  CHECK(bought.exit_code == 0);
  CHECK(Contains(bought.out, "filled 1 at 2.50 for "));
  CHECK(Contains(bought.out, "lease 1"));
  CHECK(Contains(market.buyer.Does({"order", "place", "buy", "1", "H100-SXM.us-east"}).out,
                 "filled 1 at 2.50 for "));

  const CommandResult resting = market.buyer.Does(
      {"order", "place", "buy", "2", "H100-SXM.us-east", "2.00", "--cl-ord-id", "a"});
  CHECK(Contains(resting.out, "rests in the book"));
  CHECK(Contains(market.buyer.Does({"orders"}).out, "2.00"));
  CHECK(Contains(market.buyer.Does({"order", "amend", "--cl-ord-id", "a", "--gpus", "1"}).out,
                 "1 of 1 left at 2.00; priority kept"));
  CHECK(
      Contains(market.buyer.Does({"order", "cancel", "--cl-ord-id", "a"}).out, "cancelled 1 GPUs"));
  CHECK(market.buyer.Does({"orders"}).out == "no open orders\n");
  CHECK(Contains(market.buyer.Does({"leases"}).out, "reserved"));
  CHECK(Contains(market.buyer.Does({"balances"}).out, "500 TOK"));
  CHECK(Contains(market.provider.Does({"capacity", "list"}).out, "verified"));

  const CommandResult book =
      Public(market.exchange, {"watch", "book", "H100-SXM", "--seconds", "1"});
  CHECK(book.exit_code == 0);
  CHECK(Contains(book.out, "2.50        2  ask"));
  const CommandResult trades =
      Public(market.exchange, {"watch", "trades", "H100-SXM", "--seconds", "1"});
  CHECK(Contains(trades.out, "buy 1 at 2.50"));
  const auto watched = [&](const std::vector<std::string>& arguments) {
    std::vector<std::string> all = {"watch"};
    all.insert(all.end(), arguments.begin(), arguments.end());
    all.insert(all.end(), {"--seconds", "1"});
    const CommandResult result = Public(market.exchange, all);
    CHECK(result.exit_code == 0);
    return result.out;
  };
  CHECK(Contains(watched({"orders", "H100-SXM"}), "ask  order_id="));
  CHECK(Contains(watched({"ticker", "H100-SXM"}), " / 2 at 2.50, last 2.50, 2 GPUs in 2 trades"));
  CHECK(Contains(watched({"candles", "H100-SXM", "--interval", "1h"}),
                 "2.50 high 2.50 low 2.50 close 2.50, 2 GPUs"));
  CHECK(Contains(watched({"instruments"}), "symbol=H100-SXM.us-east."));
}

TEST_CASE("Tokens go out and an owner is verified, by hand") {
  const LocalExchange exchange;
  const Person operators(exchange, "operator"), member(exchange, "member");
  REQUIRE(member.Does({"account", "open"}).exit_code == 0);
  REQUIRE(operators.Rules({"token", "deposit", member.key(), "10"}).exit_code == 0);
  const CommandResult withdrawn =
      operators.Rules({"token", "withdraw", member.key(), "2.5", "--reference", "wire-9"});
  CHECK(withdrawn.exit_code == 0);
  CHECK(Contains(withdrawn.out, "withdrew 2.5 TOK from account 3 (reference wire-9)"));
  CHECK(Contains(member.Does({"balances"}).out, "7.5 TOK"));

  CHECK(operators.Rules({"owner", "verify", "1"}).out == "owner 1 is verified\n");
  CHECK(operators.Rules({"owner", "verify", "1", "--revoke"}).out ==
        "owner 1 is no longer verified\n");
  CHECK(operators.Rules({"owner", "verify", "7"}).exit_code == 1);
  CHECK(operators.Rules({"owner", "verify", "me"}).exit_code == 1);
}

TEST_CASE("A resale by hand: bought in a later window, offered again by the lease's number") {
  const Market market;
  const Person other(market.exchange, "other");
  REQUIRE(other.Does({"account", "open"}).exit_code == 0);
  REQUIRE(market.operators.Rules({"token", "deposit", other.key(), "500"}).exit_code == 0);
  REQUIRE(other.Does({"credits", "buy", "500"}).exit_code == 0);
  const std::string later = "H100-SXM.us-east+1";
  REQUIRE(market.provider.Does({"order", "place", "sell", "4", later, "2.50"}).exit_code == 0);
  REQUIRE(Contains(market.buyer.Does({"order", "place", "buy", "4", later, "2.50"}).out,
                   "for 60 minutes"));

  // The window is the lease's, whatever the first open one is.
  const auto resells = [&](const char* gpus, const char* lease) {
    return market.buyer.Does(
        {"order", "place", "sell", gpus, "H100-SXM.us-east", "2.60", "--lease", lease});
  };
  const CommandResult offered = resells("3", "1");
  CHECK(offered.exit_code == 0);
  CHECK(Contains(offered.out, "rests in the book"));
  CHECK(Contains(market.buyer.Does({"orders"}).out, "lease 1"));
  CHECK(Contains(other.Does({"order", "place", "buy", "3", later, "2.60"}).out, "lease 2"));
  CHECK(Contains(market.buyer.Does({"leases"}).out, "buyer  reserved     1   2.50"));
  CHECK(Contains(other.Does({"leases"}).out, "buyer  reserved     3   2.60"));
  CHECK(Contains(resells("2", "1").error, "(insufficient_lease_gpus, 2028)"));
  CHECK(Contains(resells("1", "2").error, "(unknown_lease, 2201)"));

  CHECK(Contains(other.Does({"order", "place", "buy", "1", "H100-SXM.us-east+x", "2.60"}).error,
                 "\"H100-SXM.us-east+x\": no number behind the +"));
  CHECK(Contains(other.Does({"order", "place", "buy", "1", "H100-SXM.us-east+999", "2.60"}).error,
                 "no open instrument"));
}

TEST_CASE("All orders are cancelled at once, or those of an instrument, a class or a side") {
  const Market market;
  const auto bids = [&](int count) {
    for (int i = 0; i < count; ++i) {
      CHECK(
          market.buyer.Does({"order", "place", "buy", "1", "H100-SXM.us-east", "2.00"}).exit_code ==
          0);
    }
  };
  const auto cancels = [&](std::vector<std::string> words) {
    words.insert(words.begin(), {"order", "cancel-all"});
    return market.buyer.Does(words).out;
  };
  bids(2);
  CHECK(cancels({"--side", "sell"}) == "cancelled 0 orders\n");
  CHECK(cancels({"--symbol", "H100-SXM.us-east", "--side", "buy"}) == "cancelled 2 orders\n");
  bids(1);
  CHECK(cancels({"--class", "H100-SXM"}) == "cancelled 1 order\n");
  bids(3);
  CHECK(cancels({}) == "cancelled 3 orders\n");
  CHECK(market.buyer.Does({"orders"}).out == "no open orders\n");
  CHECK(
      Contains(market.buyer.Does({"order", "cancel-all", "--json"}).out, "\"cancelled_orders\":0"));
  CHECK(Contains(market.buyer.Does({"order", "cancel-all", "--class", "X"}).error,
                 "(unknown_value, 1017)"));
  CHECK(market.buyer.Does({"order", "cancel-all", "--side", "both"}).exit_code != 0);
}

TEST_CASE("What became of an order is told, also after its end") {
  const Market market;
  REQUIRE(market.buyer
              .Does({"order", "place", "buy", "2", "H100-SXM.us-east", "2.00", "--cl-ord-id", "x"})
              .exit_code == 0);
  const std::string open = market.buyer.Does({"order", "status", "--cl-ord-id", "x"}).out;
  CHECK(Contains(open, "is open: 0 of 2 filled, buy at 2.00, H100-SXM.us-east."));
  CHECK(market.buyer.Does({"order", "status", "1"}).out == open);
  REQUIRE(market.buyer.Does({"order", "cancel", "1"}).exit_code == 0);
  CHECK(Contains(market.buyer.Does({"order", "status", "1"}).out,
                 "order 1 is cancelled (requested): 0 of 2 filled"));
  CHECK(Contains(market.buyer.Does({"order", "status", "99"}).error, "(unknown_order, 2005)"));
}

TEST_CASE("A refusal is told with reason, code and number, and ends with 1") {
  const Market market;
  struct Row {
    std::vector<std::string> words;
    const char* named;
  };
  for (const Row& row :
       {Row{{"order", "place", "buy", "1", "H100-SXM", "2.501"}, "(price_off_tick, 2013)"},
        Row{{"order", "place", "buy", "0", "H100-SXM", "2.50"}, "2010"},
        Row{{"order", "place", "buy", "100000", "H100-SXM", "2.50"},
            "(insufficient_credits, 2106)"},
        Row{{"order", "place", "sell", "1", "H100-SXM", "2.50"}, "capacity register"},
        Row{{"order", "place", "buy", "1", "H100-SXM.us-east.2000-01-01T00:00", "2.50"},
            "no open instrument"},
        Row{{"order", "cancel", "12345"}, "(unknown_order, 2005)"},
        Row{{"lease", "complete", "7"}, "(unknown_lease, 2201)"},
        Row{{"credits", "buy", "x"}, "(malformed_decimal, 1014)"},
        Row{{"account", "open"}, "has account"}}) {
    CAPTURE(row.named);
    const CommandResult result = market.buyer.Does(row.words);
    CHECK(result.exit_code == 1);
    CHECK(Contains(result.error, row.named));
    CHECK(result.error.starts_with("warpbook: "));
  }
  // A member's key is no operator's.
  CHECK(Contains(market.buyer.Rules({"price", "set", "2.00"}).error, "(scope_missing, 1108)"));
}

TEST_CASE("An account of an exchange that was begun anew is forgotten, and another one opened") {
  const Market market;
  const uint64_t buyers = *LoadIdBeside(market.buyer.key(), "account");
  // Its number is nobody's here, or somebody else's.
  for (const uint64_t stale : {uint64_t{1'000'000}, buyers}) {
    CAPTURE(stale);
    const Person comer(market.exchange, absl::StrCat("comer-", stale));
    REQUIRE(RunCommand({"keys", "new", comer.key()}).exit_code == 0);
    const std::string public_key = RunCommand({"keys", "show", comer.key()}).out;
    REQUIRE(SaveIdBeside(comer.key(), "account", stale).ok());
    const CommandResult opened = comer.Does({"account", "open"});
    CHECK(opened.exit_code == 0);
    CHECK(opened.error == absl::StrCat("warpbook: account ", stale,
                                       " is not this key's at this exchange; ", comer.key(),
                                       ".account is forgotten\n"));
    const uint64_t account = *LoadIdBeside(comer.key(), "account");
    CHECK(account > buyers);
    CHECK(account != stale);
    CHECK(Contains(opened.out, absl::StrCat("account ", account)));
    CHECK(RunCommand({"keys", "show", comer.key()}).out == public_key);
    REQUIRE(market.operators.Rules({"token", "deposit", comer.key(), "7"}).exit_code == 0);
    CHECK(Contains(comer.Does({"balances"}).out, " 7 TOK"));
    CHECK(Contains(comer.Does({"account", "open"}).error, "has account"));
    CHECK(*LoadIdBeside(comer.key(), "account") == account);
  }
}

TEST_CASE("An account is forgotten only where the exchange says that it does not know it") {
  const Market market;
  // The key has another account here, so none can be opened for it; the number is wrong all the
  // same.
  REQUIRE(SaveIdBeside(market.buyer.key(), "account", 1'000'000).ok());
  const CommandResult in_use = market.buyer.Does({"account", "open"});
  CHECK(in_use.exit_code == 1);
  CHECK(Contains(in_use.error, "key_in_use"));
  CHECK(absl::IsNotFound(LoadIdBeside(market.buyer.key(), "account").status()));
  // Where nobody answers, nothing is known.
  const CommandResult nobody =
      RunCommand({"account", "open", "--key", market.provider.key(), "--connect", "127.0.0.1:1"});
  CHECK(nobody.exit_code == 1);
  CHECK(LoadIdBeside(market.provider.key(), "account").ok());
}

TEST_CASE("With --json the gateway's answer is printed as it came, a refusal too") {
  const Market market;
  const CommandResult balances = market.buyer.Does({"balances", "--json"});
  const absl::StatusOr<JsonValue> reply = JsonValue::Parse(balances.out);
  REQUIRE(reply.ok());
  CHECK((*reply)["result"]["tok"].text() == "500");
  const CommandResult refused = market.buyer.Does({"order", "cancel", "9", "--json"});
  CHECK(refused.exit_code == 1);
  CHECK(Contains(refused.out, "\"number\":2005"));
}

TEST_CASE("Operators set prices and halt and resume an instrument") {
  const Market market;
  CHECK(market.operators.Rules({"price", "set", "2.00"}).exit_code == 0);
  const CommandResult listed =
      Public(market.exchange, {"instruments", "H100-SXM", "us-east", "--json"});
  const absl::StatusOr<JsonValue> rows = JsonValue::Parse(listed.out);
  REQUIRE(rows.ok());
  const std::string symbol = (*rows)["result"]["instruments"].items().back()["symbol"].text();
  CHECK(Contains(market.operators.Rules({"instrument", "halt", symbol}).out, "is halted"));
  CHECK(Contains(market.buyer.Does({"order", "place", "buy", "1", symbol, "2.00"}).error,
                 "(instrument_halted, 2006)"));
  CHECK(Contains(market.operators.Rules({"instrument", "resume", symbol}).out, "is open"));
  CHECK(market.buyer.Does({"order", "place", "buy", "1", symbol, "2.00"}).exit_code == 0);
}

TEST_CASE("A book that is followed through many orders is right after every update") {
  const Market market;
  MessageQueue messages;
  ConnectOptions options;
  options.address = market.exchange.address();
  options.on_message = messages.Callback();
  const auto client = Client::Connect(options);
  REQUIRE(client.ok());
  const auto key = Ed25519PrivateKey::LoadPem(market.buyer.key());
  REQUIRE((*client)->Logon(*ResolveAccount(market.buyer.key()), *key)->success);
  const auto instruments = (*client)->Call(
      "instruments",
      JsonObject().Text("hardware_class", "H100-SXM").Text("region", "us-east").Build());
  const JsonValue& last = instruments->result["instruments"].items().back();
  const std::string symbol = last["symbol"].text();
  REQUIRE(
      (*client)
          ->Call("subscribe", JsonObject().Text("channel", "book").Text("symbol", symbol).Build())
          ->success);
  int64_t placed = 0;
  for (int i = 0; i < 90; ++i) {
    const Price price(2'000'000 + (i * 7 % 13) * 50'000);
    const auto reply = (*client)->Call("order.place", JsonObject()
                                                          .Text("symbol", symbol)
                                                          .Text("side", "buy")
                                                          .Text("order_type", "limit")
                                                          .Text("price", FormatPrice(price))
                                                          .Integer("gpus", 1 + i % 3)
                                                          .Build());
    REQUIRE(reply.ok());
    REQUIRE_MESSAGE(reply->success, reply->code);
    placed += 1 + i % 3;
  }
  BookView book(*ParsePrice(last["tick"].text()));
  const auto deadline = steady_clock::now() + seconds(10);
  int64_t resting = 0;
  while (resting < placed) {
    const auto message = messages.Pop(deadline);
    REQUIRE(message.has_value());
    const absl::Status applied = book.Apply(message->value);
    REQUIRE_MESSAGE(applied.ok(), applied.message());
    resting = 0;
    for (const auto& [price, gpus] : book.bids()) resting += gpus.value();
  }
  CHECK(resting == placed);
  CHECK(book.bids().size() == 13);
}

TEST_CASE("What was acknowledged is there after a restart, and clients are told before") {
  Market market;
  REQUIRE(market.buyer.Does({"order", "place", "buy", "2", "H100-SXM", "2.00"}).exit_code == 0);
  const std::string balances = market.buyer.Does({"balances"}).out;
  const std::string orders = market.buyer.Does({"orders"}).out;
  MessageQueue messages;
  ConnectOptions options;
  options.address = market.exchange.address();
  options.on_message = messages.Callback();
  options.on_closed = [&messages](const absl::Status& status) { messages.Close(status); };
  const auto client = Client::Connect(options);
  REQUIRE(client.ok());
  market.exchange.Restart();
  const auto told = messages.Pop(steady_clock::now() + seconds(5));
  REQUIRE(told.has_value());
  CHECK(told->value["data"]["event"].text() == "server_shutdown");
  CHECK_FALSE(messages.Pop(steady_clock::now() + seconds(5)).has_value());
  CHECK(Contains(std::string(messages.status().message()), "1001"));
  CHECK(market.buyer.Does({"balances"}).out == balances);
  CHECK(market.buyer.Does({"orders"}).out == orders);
  REQUIRE(market.exchange.Stop().ok());
  const CommandResult verify = RunCommand({"journal", "verify", market.exchange.journal()});
  CHECK(Contains(verify.out, "the journal is right"));
  CHECK(Contains(verify.out, "2 snapshots hold what it makes"));
  const CommandResult stat = RunCommand({"journal", "stat", market.exchange.journal()});
  CHECK(Contains(stat.out, "durable up to sequence "));
  CHECK(Contains(stat.out, "snapshot of sequence "));
  const CommandResult dump = RunCommand({"journal", "dump", market.exchange.journal()});
  CHECK(Contains(dump.out, " OrderAccepted "));
  CHECK(Contains(dump.out, " RegisterSystemKey "));
}

// The number behind some words of a text.
uint64_t NumberBehind(const std::string& text, const std::string& words) {
  const size_t at = text.find(words);
  REQUIRE_MESSAGE(at != std::string::npos, text);
  return std::stoull(text.substr(at + words.size()));
}

TEST_CASE("A journal's repair is told, then done, and neither while the exchange runs") {
  LocalExchange exchange;
  const std::vector<std::string> repair = {"journal", "repair", exchange.journal()};
  const std::vector<std::string> dry_run = {"journal", "repair", exchange.journal(), "--dry-run"};
  for (const std::vector<std::string>& command : {repair, dry_run}) {
    const CommandResult refused = RunCommand(command);
    CHECK(refused.exit_code != 0);
    CHECK(Contains(refused.error, "is in use by another process"));
  }
  REQUIRE(exchange.Stop().ok());
  const CommandResult clean = RunCommand(dry_run);
  CHECK(Contains(clean.out, "a start would begin behind the snapshot of sequence "));
  CHECK(Contains(clean.out, "there is nothing to repair"));

  const std::string segment =
      journal::SegmentPath(exchange.journal(), NumberBehind(clean.out, ", segment "));
  const uint64_t end = NumberBehind(clean.out, ", offset ");
  std::fstream(segment, std::ios::in | std::ios::out | std::ios::binary)
      .seekp(static_cast<std::streamoff>(end))
      .write("torn", 4);
  CHECK(Contains(RunCommand(dry_run).out, "a torn write of 4 bytes"));
  CHECK(Contains(RunCommand(dry_run).out, "a torn write of 4 bytes"));  // nothing was changed
  CHECK(Contains(RunCommand(repair).out, "cut a torn write of 4 bytes from " + segment));
  CHECK(Contains(RunCommand(dry_run).out, "there is nothing to repair"));
  CHECK(RunCommand({"journal", "verify", exchange.journal()}).exit_code == 0);
  CHECK(RunCommand({"journal", "repair", exchange.File("nowhere")}).exit_code != 0);
}

TEST_CASE("A second exchange on the same ports or the same journal is refused in one sentence") {
  LocalExchange exchange;
  ServeOptions options;
  options.journal = exchange.File("other");
  options.catalogue = WARPBOOK_CATALOGUE;
  options.listen = exchange.address();
  options.admin_listen = "127.0.0.1:0";
  absl::Status status = Exchange::Start(*LoadServeConfiguration(options)).status();
  CHECK_FALSE(status.ok());
  CHECK(Contains(std::string(status.message()), exchange.address()));
  options.journal = exchange.journal();
  options.listen = "127.0.0.1:0";
  status = Exchange::Start(*LoadServeConfiguration(options)).status();
  CHECK_FALSE(status.ok());
  CHECK(Contains(std::string(status.message()), exchange.journal()));
}

// The orders of a journal, as the demo writes those that were acknowledged.
std::set<std::string> AcceptedOrders(const std::string& journal) {
  const auto reader = journal::TailReader::Open(journal, 1);
  REQUIRE(reader.ok());
  std::set<std::string> orders;
  while (true) {
    const auto batch = (*reader)->Next();
    REQUIRE(batch.ok());
    if (!batch->has_value()) return orders;
    for (const wire::RecordView record : wire::Records((*batch)->records)) {
      if (record.type() != wire::RecordType::kOrderAccepted) continue;
      const auto& order = record.as<wire::OrderAccepted>();
      const auto client_id = ClientOrderId::FromBytes(order.client_order_id()->Data());
      REQUIRE(client_id.has_value());
      orders.insert(absl::StrCat(order.order_id(), " ", order.header().account_id(), " ",
                                 std::string(client_id->view())));
    }
  }
}

TEST_CASE("The demo trades, survives a restart, delivers, cancels its orders and counts") {
  LocalExchange exchange(60);
  DemoOptions options;
  options.connect = exchange.address();
  options.admin = exchange.admin_address();
  options.operator_key = exchange.operator_key_file();
  options.keys_directory = exchange.File("demo");
  // Machines prove themselves, all of an owner's together, before anything is sold: also again
  // after the restart, if it comes in between.
  options.seconds = 24;
  options.providers = 3;
  options.buyers = 3;
  options.actions_per_second = 60;
  options.summary_file = exchange.File("summary.json");
  options.acknowledged_file = exchange.File("acknowledged");
  std::thread restart([&] {
    std::this_thread::sleep_for(seconds(12));
    exchange.Restart();
  });
  const absl::Status status = RunDemo(options);
  restart.join();
  REQUIRE_MESSAGE(status.ok(), status.message());
  std::ifstream file(options.summary_file);
  const std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  CAPTURE(text);
  const absl::StatusOr<JsonValue> summary = JsonValue::Parse(text);
  REQUIRE(summary.ok());
  CHECK((*summary)["orders_acknowledged"].integer() > 50);
  CHECK((*summary)["fills"].integer() > 5);
  CHECK((*summary)["reconnects"].integer() >= 6);
  REQUIRE(exchange.Stop().ok());
  // Every order that was acknowledged is in the journal, as the one that it is.
  const std::set<std::string> accepted = AcceptedOrders(exchange.journal());
  std::ifstream acknowledged(options.acknowledged_file);
  std::set<std::string> ids;
  for (std::string line; std::getline(acknowledged, line);) {
    CHECK_MESSAGE(accepted.contains(line), line);
    CHECK_MESSAGE(ids.insert(line.substr(0, line.find(' '))).second, line);
  }
  CHECK(std::ssize(ids) == (*summary)["orders_acknowledged"].integer());
}

TEST_CASE("The demo says where nothing answers, and whose key is wrong") {
  LocalExchange exchange;
  DemoOptions options;
  options.connect = exchange.address();
  options.admin = exchange.admin_address();
  options.keys_directory = exchange.File("demo");
  options.operator_key = exchange.File("nobody.pem");
  CHECK(Contains(std::string(RunDemo(options).message()), "nobody.pem"));
  options.operator_key = exchange.File("settlement.pem");
  CHECK(Contains(std::string(RunDemo(options).message()), "the operator cannot log on"));
}

TEST_CASE("Where nothing listens, a command says where and why, and ends with 1") {
  std::string address;
  {
    LocalExchange exchange;
    address = exchange.address();
  }
  const CommandResult result = RunCommand({"instruments", "--connect", address});
  CHECK(result.exit_code == 1);
  CHECK(result.error == "warpbook: " + address + ": cannot connect: Connection refused\n");
  const CommandResult no_key =
      RunCommand({"balances", "--connect", address, "--key", "/nowhere.pem"});
  CHECK(no_key.exit_code == 1);
  CHECK(Contains(no_key.error, "/nowhere.pem"));
}

}  // namespace
}  // namespace warpbook::gateway
