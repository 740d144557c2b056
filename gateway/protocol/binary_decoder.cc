#include "gateway/protocol/binary_decoder.h"

#include "gateway/protocol/message_reader.h"

namespace warpbook::gateway {

DecodedMessage BinaryDecoder::Decode(std::string_view bytes) {
  const RejectReason reason = parser_.Parse(bytes, tree_);
  if (reason == RejectReason::kNone) return ReadMessage(tree_);
  DecodedMessage message;
  message.request = Refusal{.reason = reason};
  return message;
}

}  // namespace warpbook::gateway
