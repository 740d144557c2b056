#include "gateway/protocol/json_writer.h"

#include <doctest/doctest.h>

#include <cstdint>
#include <limits>
#include <string>

#include "tests/gateway/support/json_text.h"

namespace warpbook::gateway {

TEST_CASE("What is written is read back by another library") {
  std::string text;
  JsonWriter json(text);
  std::string every_byte;
  for (char c = 1; c < 127; ++c) every_byte += c;
  every_byte += "ü€😀";
  json.BeginObject().Field("text", every_byte).Field("empty", "");
  json.Field("most", std::numeric_limits<int64_t>::max());
  json.Field("least", std::numeric_limits<int64_t>::min());
  json.FieldText("id", std::numeric_limits<uint64_t>::max());
  json.Field("yes", true).Field("no", false);
  json.Key("list").BeginArray().Number(1).String("two").BeginArray().EndArray();
  json.BeginObject().EndObject().Bool(true).Raw("[3]").EndArray();
  json.Key("object").BeginObject().Field("a", 1).Field("b", 2).EndObject().EndObject();

  CHECK(At(text, "/text") == every_byte);
  CHECK(At(text, "/empty").empty());
  CHECK(IntegerAt(text, "/most") == std::numeric_limits<int64_t>::max());
  CHECK(IntegerAt(text, "/least") == std::numeric_limits<int64_t>::min());
  CHECK(At(text, "/id") == "18446744073709551615");
  CHECK(At(text, "/yes") == "true");
  CHECK(At(text, "/no") == "false");
  CHECK(At(text, "/list") == R"([1,"two",[],{},true,[3]])");
  CHECK(At(text, "/object") == R"({"a":1,"b":2})");
}

TEST_CASE("JSON is compact") {
  std::string text;
  JsonWriter(text).BeginObject().Field("a", 1).Field("b", "\"\\\n").EndObject();
  CHECK(text == R"({"a":1,"b":"\"\\\u000a"})");
}

}  // namespace warpbook::gateway
