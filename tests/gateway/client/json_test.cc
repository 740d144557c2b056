#include <doctest/doctest.h>

#include "gateway/client/json_value.h"
#include "schema/base/json_object.h"

namespace warpbook::gateway {
namespace {

TEST_CASE("An object is written in the order of the calls, with its texts escaped") {
  CHECK(JsonObject().Build() == "{}");
  CHECK(JsonObject()
            .Text("symbol", "a\"b\\c\n\x01")
            .Integer("gpus", -8)
            .Flag("post_only", true)
            .Flag("validate", false)
            .Id("order_id", 18446744073709551615u)
            .Raw("feeds", "[1]")
            .Build() ==
        R"({"symbol":"a\"b\\c\u000a\u0001","gpus":-8,"post_only":true,"validate":false,)"
        R"("order_id":"18446744073709551615","feeds":[1]})");
}

TEST_CASE("Fields that are not given are left out") {
  CHECK(
      JsonObject().TextIfAny("a", "").IdIfAny("b", 0).TextIfAny("c", "x").IdIfAny("d", 7).Build() ==
      R"({"c":"x","d":"7"})");
}

TEST_CASE("What was written is read back the same") {
  const std::string text = JsonObject().Text("t", "\"\\/\t\x7f \xc3\xa9").Integer("n", -5).Build();
  const absl::StatusOr<JsonValue> value = JsonValue::Parse(text);
  REQUIRE(value.ok());
  CHECK((*value)["t"].text() == "\"\\/\t\x7f \xc3\xa9");
  CHECK((*value)["n"].integer() == -5);
}

TEST_CASE("A parsed value gives its fields, elements and kinds") {
  const absl::StatusOr<JsonValue> value =
      JsonValue::Parse(R"({"a":{"b":[1,"two",true,null]},"id":"1881","big":9223372036854775807})");
  REQUIRE(value.ok());
  const JsonValue& list = (*value)["a"]["b"];
  REQUIRE(list.items().size() == 4);
  CHECK(list.items()[0].integer() == 1);
  CHECK(list.items()[1].text() == "two");
  CHECK(list.items()[2].flag());
  CHECK(list.items()[3].is_null());
  CHECK((*value)["id"].id() == 1881);
  CHECK((*value)["big"].integer() == 9223372036854775807);
  CHECK(value->fields().size() == 3);
  CHECK(value->Has("big"));
}

TEST_CASE("What is missing or of another kind is null, 0, empty or false, never a fault") {
  const absl::StatusOr<JsonValue> value = JsonValue::Parse(R"({"a":"text","n":"12x","neg":"-1"})");
  REQUIRE(value.ok());
  CHECK((*value)["x"]["y"]["z"].is_null());
  CHECK_FALSE(value->Has("x"));
  CHECK((*value)["a"].integer() == 0);
  CHECK_FALSE((*value)["a"].flag());
  CHECK((*value)["a"].items().empty());
  CHECK((*value)["a"].id() == 0);
  CHECK((*value)["n"].id() == 0);
  CHECK((*value)["neg"].id() == 0);
}

TEST_CASE("Text that is not JSON, or a number that is no 64-bit integer, is refused") {
  for (const char* text : {"", "{", "{\"a\":}", "nul", "{\"a\":1.5}", "{\"a\":1e3}",
                           "{\"a\":9223372036854775808}", "\"\xff\"", "[1,]", "1 2"}) {
    CAPTURE(text);
    CHECK(absl::IsInvalidArgument(JsonValue::Parse(text).status()));
  }
  CHECK_FALSE(JsonValue::Parse(std::string(5'000, '[')).ok());
}

}  // namespace
}  // namespace warpbook::gateway
