// Any target has an answer with a status that says what it is, in JSON that can be read, the same
// one each time.
#include <simdjson.h>

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "gateway/publish/http_api.h"
#include "schema/base/check.h"
#include "schema/base/clock.h"
#include "tests/gateway/support/test_catalogue.h"

namespace {

using namespace warpbook;
using namespace warpbook::gateway;

// One instrument, with a trade and a book.
Publisher& FuzzMarket() {
  static const ManualClock clock(1);
  static const Catalogue catalogue = *ParseCatalogue(kTestCatalogueText, "fuzz");
  static Publisher publisher(catalogue, clock);
  if (publisher.last_sequence() != 0) return publisher;
  InstrumentTerms terms;
  terms.id = InstrumentId(1);
  terms.class_id = ClassId(1);
  terms.region_id = RegionId(1);
  terms.symbol = "H100-SXM.us-east.2026-12-01T14:00";
  terms.tick = Price(20'000);
  InstrumentRow row;
  row.terms = std::make_shared<const InstrumentTerms>(terms);
  row.book.Set(Side::kBuy, Price(20'000), Quantity(1));
  TradeRow trade;
  trade.id = LeaseId(1);
  trade.price = Price(20'000);
  trade.gpus = Quantity(1);
  trade.minutes = Minutes(1);
  row.last_trades.push_back(trade);
  row.traded.Add(Price(20'000), Quantity(1), Minutes(1));
  row.candles.Add(Timestamp(0), Price(20'000), Quantity(1), Minutes(1));
  PublishedMarket market{.state = MarketState(catalogue)};
  market.state.Add(std::move(row));
  market.feeds = {{InstrumentId(1), {}}};
  market.last_sequence = 1;
  publisher.Restore(std::move(market));
  return publisher;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view target(reinterpret_cast<const char*>(data), size);
  const ApiAnswer answer = AnswerApi(target, FuzzMarket());
  WARPBOOK_CHECK(answer.status == 200 || answer.status == 400 || answer.status == 404 ||
                 answer.status == 410 || answer.status == 503);
  static simdjson::dom::parser parser;
  bool success = false;
  WARPBOOK_CHECK(parser.parse(answer.body)["success"].get(success) == simdjson::SUCCESS);
  WARPBOOK_CHECK(success == (answer.status == 200));
  WARPBOOK_CHECK(AnswerApi(target, FuzzMarket()).body == answer.body);
  return 0;
}
