// Any message is a request or is refused with a reason of the message's own block, the same one
// each time, whatever was decoded before.
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <variant>

#include "gateway/protocol/json_decoder.h"
#include "schema/base/check.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace warpbook;
  using namespace warpbook::gateway;
  constexpr size_t kMessageBytesMax = 64 * 1024;
  static JsonDecoder kept(kMessageBytesMax);
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  JsonDecoder fresh(kMessageBytesMax);
  const DecodedMessage first = fresh.Decode(text);
  const DecodedMessage second = kept.Decode(text);
  WARPBOOK_CHECK(first.method == second.method && first.req_id == second.req_id);
  WARPBOOK_CHECK(first.request.index() == second.request.index());
  const auto* refusal = std::get_if<Refusal>(&first.request);
  if (refusal == nullptr) {
    WARPBOOK_CHECK(first.method.has_value());
    return 0;
  }
  const auto* again = std::get_if<Refusal>(&second.request);
  WARPBOOK_CHECK(refusal->reason == again->reason && refusal->param == again->param);
  WARPBOOK_CHECK(FindRejectReason(refusal->reason).has_value());
  return 0;
}
