#include "tests/gateway/support/json_text.h"

#include <doctest/doctest.h>
#include <simdjson.h>

namespace warpbook::gateway {
namespace {

simdjson::dom::element Parse(simdjson::dom::parser& parser, std::string_view json) {
  simdjson::dom::element root;
  const auto error = parser.parse(json.data(), json.size()).get(root);
  REQUIRE_MESSAGE(error == simdjson::SUCCESS, "not JSON: ", std::string(json));
  return root;
}

}  // namespace

bool Has(std::string_view json, std::string_view pointer) {
  simdjson::dom::parser parser;
  return Parse(parser, json).at_pointer(pointer).error() == simdjson::SUCCESS;
}

std::string At(std::string_view json, std::string_view pointer) {
  simdjson::dom::parser parser;
  simdjson::dom::element value;
  if (Parse(parser, json).at_pointer(pointer).get(value) != simdjson::SUCCESS) return "";
  std::string_view text;
  if (value.get(text) == simdjson::SUCCESS) return std::string(text);
  return simdjson::minify(value);
}

int64_t IntegerAt(std::string_view json, std::string_view pointer) {
  simdjson::dom::parser parser;
  int64_t value = 0;
  const auto error = Parse(parser, json).at_pointer(pointer).get(value);
  REQUIRE_MESSAGE(error == simdjson::SUCCESS, "no integer at ", std::string(pointer), " of ",
                  std::string(json));
  return value;
}

}  // namespace warpbook::gateway
