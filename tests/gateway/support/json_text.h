// JSON for tests: parsed by simdjson's DOM, which the gateway's own code does not use.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace warpbook::gateway {

// The value at a JSON pointer ("/result/order_id"): a string's content, any other value's JSON, ""
// where there is none. Fails the test where the text is not JSON.
std::string At(std::string_view json, std::string_view pointer);
bool Has(std::string_view json, std::string_view pointer);
int64_t IntegerAt(std::string_view json, std::string_view pointer);

}  // namespace warpbook::gateway
