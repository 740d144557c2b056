#include "gateway/client/book_view.h"

#include <doctest/doctest.h>

#include <string>

#include "schema/types/decimal.h"

namespace warpbook::gateway {
namespace {

// Checksums are those of Python's zlib.crc32; here of "1274" + "12516" + "1248": 2.54 is 127 ticks
// of 0.02.
constexpr const char* kSnapshot =
    R"({"channel":"book","type":"snapshot","symbol":"S","seq":10,"ts":1,)"
    R"("data":{"bids":[["2.50",16],["2.48",8]],"asks":[["2.54",4]]},"checksum":1412354167})";

JsonValue Parse(const std::string& text) {
  const absl::StatusOr<JsonValue> value = JsonValue::Parse(text);
  REQUIRE(value.ok());
  return *value;
}

BookView View() { return BookView(*ParsePrice("0.02")); }

TEST_CASE("A snapshot and its updates make the book, best price first") {
  BookView book = View();
  REQUIRE(book.Apply(Parse(kSnapshot)).ok());
  CHECK(book.bids().begin()->first == *ParsePrice("2.50"));
  CHECK(book.asks().begin()->second == Quantity(4));
  // "1274" + "1263" + "1248".
  REQUIRE(book.Apply(Parse(R"({"type":"update","seq":11,"prev_seq":10,"data":)"
                           R"({"bids":[["2.50",0],["2.52",3]],"asks":[]},"checksum":3284427371})"))
              .ok());
  CHECK(book.bids().size() == 2);
  CHECK(book.bids().begin()->first == *ParsePrice("2.52"));
  CHECK(book.bids().begin()->second == Quantity(3));
  CHECK(book.sequence() == 11);
}

TEST_CASE("A missed update is DataLoss, and so is every update until the next snapshot") {
  BookView book = View();
  REQUIRE(book.Apply(Parse(kSnapshot)).ok());
  const std::string update =
      R"({"type":"update","seq":13,"prev_seq":12,"data":{"bids":[],"asks":[]},"checksum":1412354167})";
  CHECK(absl::IsDataLoss(book.Apply(Parse(update))));
  CHECK_FALSE(book.has_snapshot());
  CHECK(absl::IsDataLoss(book.Apply(Parse(
      R"({"type":"update","seq":11,"prev_seq":10,"data":{"bids":[],"asks":[]},"checksum":1412354167})"))));
  CHECK(book.Apply(Parse(kSnapshot)).ok());
}

TEST_CASE("A book that differs from the gateway's is DataLoss") {
  BookView book = View();
  std::string wrong = kSnapshot;
  wrong.replace(wrong.find("[\"2.48\",8]"), 10, "[\"2.48\",9]");
  CHECK(absl::IsDataLoss(book.Apply(Parse(wrong))));
}

TEST_CASE("The checksum covers ten levels of each side and no more") {
  BookView book = View();
  std::string levels;
  for (int i = 0; i < 12; ++i) {
    levels += (i == 0 ? "[\"" : ",[\"") + FormatPrice(Price(1'000'000 + i * 20'000)) + "\",1]";
  }
  // zlib.crc32("".join(str(50 + i) + "1" for i in range(10))), asks; no bids.
  CHECK(book.Apply(Parse(R"({"type":"snapshot","seq":1,"data":{"bids":[],"asks":[)" + levels +
                         R"(]},"checksum":1137423034})"))
            .ok());
}

TEST_CASE("What is no message of a book is refused") {
  BookView book = View();
  CHECK(absl::IsInvalidArgument(book.Apply(Parse(R"({"type":"other"})"))));
  CHECK(absl::IsInvalidArgument(
      book.Apply(Parse(R"({"type":"snapshot","seq":1,"data":{"bids":[["x",1]],"asks":[]}})"))));
  CHECK(absl::IsInvalidArgument(
      book.Apply(Parse(R"({"type":"snapshot","seq":1,"data":{"bids":[["2.50"]],"asks":[]}})"))));
  CHECK(absl::IsInvalidArgument(
      book.Apply(Parse(R"({"type":"snapshot","seq":1,"data":{"bids":[["2.50",-1]],"asks":[]}})"))));
}

}  // namespace
}  // namespace warpbook::gateway
