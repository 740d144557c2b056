#include "gateway/cli/report_print.h"

#include <doctest/doctest.h>

#include <sstream>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "gateway/cli/report_client.h"

namespace warpbook::gateway {
namespace {

JsonValue Parsed(const std::string& text) {
  auto parsed = JsonValue::Parse(text);
  REQUIRE(parsed.ok());
  return *std::move(parsed);
}

std::string Holdings(int64_t utok, int64_t free, int64_t locked, int64_t escrow) {
  return absl::StrCat(R"({"tokens_utok":")", utok, R"(","free":")", free, R"(","locked":")", locked,
                      R"(","escrow":")", escrow, R"(","owed":"0"})");
}

// A deposit, a top-up of 2 TOK for 2,000,050 credits (0.03333416... USD), an order, a trade.
std::string StatementText() {
  return absl::StrCat(
      R"({"account":"17","owner":"3","from":"2026-12-01T00:00:00Z","to":"2026-12-02T00:00:00Z",)",
      R"("opening":)", Holdings(0, 59, 0, 0), R"(,"movements":[)",
      R"({"time":"2026-12-01T10:00:00Z","kind":"deposit","first_event":"5","last_event":"5",)",
      R"("transfers":1,"reference":"a,\"b\"","change":)", Holdings(1'234'500'000, 0, 0, 0),
      R"(,"balances":)", Holdings(1'234'500'000, 59, 0, 0),
      R"(},{"time":"2026-12-01T10:00:01Z","kind":"top_up","first_event":"6","last_event":"7",)",
      R"("transfers":2,"change":)", Holdings(-2'000'000, 2'000'050, 0, 0), R"(,"balances":)",
      Holdings(1'232'500'000, 2'000'109, 0, 0),
      R"(},{"time":"2026-12-01T10:00:02Z","kind":"orders","first_event":"8","last_event":"12",)",
      R"("transfers":3,"change":)", Holdings(0, -61, 61, 0), R"(,"balances":)",
      Holdings(1'232'500'000, 2'000'048, 61, 0),
      R"(},{"time":"2026-12-01T10:00:03Z","kind":"trade","first_event":"13","last_event":"13",)",
      R"("transfers":1,"lease":"5","symbol":"X.y.2026-12-01T14:00","counterparty":"18","change":)",
      Holdings(0, 0, -60, 60), R"(,"balances":)", Holdings(1'232'500'000, 2'000'048, 1, 60),
      R"(}],"closing":)", Holdings(1'232'500'000, 2'000'048, 1, 60), "}");
}

}  // namespace

TEST_CASE("A statement's columns add up as they stand") {
  std::ostringstream out;
  CHECK(PrintStatement(Parsed(StatementText()), out).ok());
  CHECK(out.str() == R"(account 17 (owner 3), 2026-12-01 00:00:00 to 2026-12-02 00:00:00 UTC
time (UTC)           what                                                  TOK   free USD  locked USD  escrow USD  owed USD
                     opening balance                                         0   0.000000    0.000000    0.000000  0.000000
2026-12-01 10:00:00  deposit (a,"b")                                  +1,234.5
2026-12-01 10:00:01  top-up                                                 -2  +0.033335
2026-12-01 10:00:02  orders (3 moves)                                           -0.000001   +0.000001
2026-12-01 10:00:03  trade of lease 5, X.y.2026-12-01T14:00, with 18                        -0.000001   +0.000001
                     sum of 4 movements                               +1,232.5  +0.033334               +0.000001
                     closing balance                                   1,232.5   0.033334    0.000000    0.000001  0.000000
)");
}

TEST_CASE("A statement as CSV has the same amounts, the exact credits, and quotes what it must") {
  std::ostringstream out;
  CHECK(PrintStatementCsv(Parsed(StatementText()), out).ok());
  CHECK(out.str() ==
        "time,event,what,lease,symbol,counterparty,reference,tok,free_usd,locked_usd,escrow_usd,"
        "owed_usd,free_credits,locked_credits,escrow_credits,owed_credits\r\n"
        "2026-12-01T00:00:00Z,,opening,,,,,0,0.000000,0.000000,0.000000,0.000000,59,0,0,0\r\n"
        "2026-12-01T10:00:00Z,5,deposit,,,,\"a,\"\"b\"\"\",1234.5,0.000000,0.000000,0.000000,"
        "0.000000,0,0,0,0\r\n"
        "2026-12-01T10:00:01Z,6,top_up,,,,,-2,0.033335,0.000000,0.000000,0.000000,2000050,0,0,0\r\n"
        "2026-12-01T10:00:02Z,8,orders,,,,,0,-0.000001,0.000001,0.000000,0.000000,-61,61,0,0\r\n"
        "2026-12-01T10:00:03Z,13,trade,5,X.y.2026-12-01T14:00,18,,0,0.000000,-0.000001,0.000001,"
        "0.000000,0,-60,60,0\r\n"
        "2026-12-02T00:00:00Z,,closing,,,,,1232.5,0.033334,0.000000,0.000001,0.000000,2000048,1,60,"
        "0\r\n");
}

TEST_CASE("A statement that does not add up is said to") {
  const std::string wrong =
      absl::StrReplaceAll(StatementText(), {{R"("locked":"-60")", R"("locked":"-59")"}});
  std::ostringstream out;
  CHECK(absl::IsDataLoss(PrintStatement(Parsed(wrong), out)));
  CHECK(absl::IsDataLoss(PrintStatementCsv(Parsed(wrong), out)));
}

TEST_CASE("A lease ends with its escrow and what became of it") {
  const std::string text =
      R"({"lease":"5","symbol":"X.y.2026-12-01T14:00","buyer":{"account":"17","owner":"3"},)"
      R"("provider":{"account":"18","owner":"4"},"node":"2","terms":{"price":"2.50",)"
      R"("provider_price":"2.40","gpus":8,"resold_gpus":0,"minutes":60,"tier":"premium",)"
      R"("assurance":"verified"},"life":{"state":"settled","traded_at":"2026-12-01T10:00:00Z",)"
      R"("delivery_start":"2026-12-01T14:00:00Z","delivery_end":"2026-12-01T15:00:00Z",)"
      R"("completed":true,"settled_at":"2026-12-01T15:01:00Z"},"delivered_minutes":60,)"
      R"("settlement":{"gross_utok":"10000000","provider_paid_utok":"9300000",)"
      R"("fee_paid_utok":"200000","retired_in_all_utok":"500000"},)"
      R"("legs":[{"trader":"19","difference":"0.10"}],)"
      R"("escrow":{"paid_in":"1206000000","paid_in_usd":"20.100000","consumed":"1152000000",)"
      R"("burned":"6000000","gains":"48000000","refunded":"0","owed":"0","to_resales":"0",)"
      R"("left":"0","adds_up":true},)"
      R"("transfers":[{"time":"2026-12-01T10:00:00Z","event":"9","leg":0,"from_account":"17",)"
      R"("from":"locked","to_account":"17","to":"escrow","amount":"1206000000"},)"
      R"({"time":"2026-12-01T15:01:00Z","event":"20","leg":0,"from":"vault","to_account":"18",)"
      R"("to":"tokens","amount_utok":"9300000","amount":"9.3"}]})";
  std::ostringstream out;
  CHECK(PrintLease(Parsed(text), out).ok());
  const std::string printed = out.str();
  CAPTURE(printed);
  for (const std::string line :
       {"lease 5, X.y.2026-12-01T14:00, settled\n",
        "\nterms             8 GPUs for 60 minutes at 2.50 USD per GPU-hour, premium, verified\n",
        "\nprovider's price  2.40 USD\n",
        "\nresold by         account 19 at 0.10 USD per GPU-hour more\n", "\nstarted           -\n",
        "\ndelivered         60 of 60 minutes\n", "\nprovider    9.3\n",
        "\n2026-12-01 10:00:00      9  locked of 17  escrow of 17  1,206,000,000  credits\n",
        "\n2026-12-01 15:01:00     20  vault         tokens of 18            9.3  TOK\n",
        "\nescrow 1,206,000,000 credits (20.100000 USD) = consumed 1,152,000,000 + burned 6,000,000"
        " + gains 48,000,000 + refunded 0 + owed 0: adds up\n"}) {
    CAPTURE(line);
    CHECK(printed.find(line) != std::string::npos);
  }
  const auto fails = [&](const std::string& from, const std::string& to) {
    std::ostringstream ignored;
    const std::string changed = absl::StrReplaceAll(text, {{from, to}});
    CHECK(changed != text);
    return absl::IsDataLoss(PrintLease(Parsed(changed), ignored)) &&
           ignored.str().ends_with(": DOES NOT ADD UP\n");
  };
  CHECK(fails(R"("adds_up":true)", R"("adds_up":false)"));
  CHECK(fails(R"("burned":"6000000")", R"("burned":"6000001")"));
}

TEST_CASE("The supply is shown as a sum, and checked as one") {
  const std::string text =
      R"({"market_time":"2026-12-01T10:00:00Z","tokens":{"supply_utok":"399999000000000",)"
      R"("vault_utok":"900000000","outside_utok":"399998000000000","members_utok":"999000000",)"
      R"("fee_utok":"1000000","genesis_utok":"400000000000000","emitted_utok":"7000000",)"
      R"("deposited_utok":"2000000000","withdrawn_utok":"0","burned_utok":"1100000000",)"
      R"("reminted_provider_utok":"93000000","reminted_fee_utok":"1000000",)"
      R"("retired_utok":"107000000","cap_utok":"1000000000000000","pool_left_utok":)"
      R"("599999993000000","daily_emission_at_most_utok":"92999998915"},)"
      R"("bound":{"until_end_of":"2027-12-01","supply_at_most_utok":"433000000000000"},)"
      R"("price":{"median":"2.00","low":"1.99","high":"2.01"},)"
      R"("coverage":{"bps":9400,"state":"warning","debt_usd":"1915.000000"}})";
  std::ostringstream out;
  CHECK(PrintSupply(Parsed(text), out).ok());
  const std::string printed = out.str();
  CAPTURE(printed);
  for (const std::string line :
       {"\n  genesis                  400,000,000\n",
        "\n- retired                          107  for ever\n",
        "\n= in existence             399,999,900\n", "\n= circulating supply       399,999,000\n",
        "\nsupply at most             433,000,000  until the end of 2027-12-01\n",
        "\n1 TOK = 2.00 USD (burned at 1.99, paid at 2.01); the vault covers 94.00% of 1,915.000000"
        " USD of credits: warning\n"}) {
    CAPTURE(line);
    CHECK(printed.find(line) != std::string::npos);
  }
  for (const auto& [from, to] : std::initializer_list<std::pair<std::string, std::string>>{
           {R"("emitted_utok":"7000000")", R"("emitted_utok":"7000001")"},
           {R"("fee_utok":"1000000")", R"("fee_utok":"1000001")"},
           {R"("cap_utok":"1000000000000000")", R"("cap_utok":"1")"}}) {
    std::ostringstream ignored;
    CHECK(absl::IsDataLoss(PrintSupply(Parsed(absl::StrReplaceAll(text, {{from, to}})), ignored)));
  }
  std::ostringstream without;
  const std::string no_price = absl::StrReplaceAll(
      text, {{R"({"median":"2.00","low":"1.99","high":"2.01"})", "null"},
             {R"({"bps":9400,"state":"warning","debt_usd":"1915.000000"})", "null"}});
  CHECK(PrintSupply(Parsed(no_price), without).ok());
  CHECK(without.str().ends_with("\nno price of TOK now\n"));
}

TEST_CASE("A parameter's text is coded so that it stays one parameter") {
  CHECK(EncodeParameter("2026-12-01") == "2026-12-01");
  CHECK(EncodeParameter("2026-12-01T14:00&to=x y%") == "2026-12-01T14%3a00%26to%3dx%20y%25");
}

}  // namespace warpbook::gateway
