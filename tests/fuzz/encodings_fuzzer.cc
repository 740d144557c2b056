// A request in JSON and the same in FlatBuffers are decoded to the same request or the same
// refusal. An input that begins with '{' is the JSON itself (where FlatBuffers cannot say it,
// nothing is compared); of any other the bytes choose the fields of one.
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>

#include "gateway/protocol/binary_decoder.h"
#include "gateway/protocol/json_decoder.h"
#include "schema/base/check.h"
#include "tests/gateway/support/client_json.h"
#include "tests/gateway/support/random_request.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace warpbook::gateway;
  constexpr size_t kMessageBytesMax = 64 * 1024;
  static JsonDecoder json_decoder(kMessageBytesMax);
  static BinaryDecoder binary_decoder(kMessageBytesMax);
  size_t used = 0;
  const Choose below = [&](uint64_t n) -> uint64_t {
    uint64_t value = 0;
    for (uint64_t reach = 1; reach < n && used < size; reach *= 256) {
      value = value << 8 | data[used++];
    }
    return value % n;
  };
  const bool is_json = size > 0 && data[0] == '{';
  const std::string json =
      is_json ? std::string(reinterpret_cast<const char*>(data), size) : RandomRequest(below);
  const auto binary = BinaryRequest(json);
  WARPBOOK_CHECK(binary.has_value() || is_json);
  // What is longer in one encoding may be too long in that one alone.
  if (!binary || json.size() > kMessageBytesMax || binary->size() > kMessageBytesMax) return 0;
  const DecodedMessage one = json_decoder.Decode(json);
  const std::string difference = DifferenceOf(one, binary_decoder.Decode(*binary));
  if (!difference.empty()) std::fprintf(stderr, "%s\n%s\n", difference.c_str(), json.c_str());
  WARPBOOK_CHECK(difference.empty());
  return 0;
}
