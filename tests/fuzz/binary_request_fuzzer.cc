// Any bytes are a binary request or are refused with a reason of the message's own block, the same
// one each time, whatever was decoded before.
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <variant>

#include "gateway/protocol/binary_decoder.h"
#include "schema/base/check.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace warpbook;
  using namespace warpbook::gateway;
  constexpr size_t kMessageBytesMax = 64 * 1024;
  static BinaryDecoder kept(kMessageBytesMax);
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  BinaryDecoder fresh(kMessageBytesMax);
  const DecodedMessage first = fresh.Decode(bytes);
  const DecodedMessage second = kept.Decode(bytes);
  WARPBOOK_CHECK(first.method == second.method && first.req_id == second.req_id);
  WARPBOOK_CHECK(first.request.index() == second.request.index());
  // A name that is repeated to the client is one that its encoding has a word for.
  WARPBOOK_CHECK(first.method_name.empty() || first.method.has_value());
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
