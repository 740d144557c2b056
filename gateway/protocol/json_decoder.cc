#include "gateway/protocol/json_decoder.h"

#include <string>

#include "gateway/protocol/message_reader.h"

namespace warpbook::gateway {

DecodedMessage JsonDecoder::Decode(std::string_view text) {
  const JsonParser::Outcome outcome = parser_.Parse(text, tree_);
  if (outcome.reason == RejectReason::kNone) return ReadMessage(tree_);
  Fault fault;
  fault.Add(outcome.reason, CutForEcho(outcome.key),
            outcome.reason == RejectReason::kNestingTooDeep ? "at most 8 levels" : "");
  DecodedMessage message;
  // A key that occurs twice is the only fault beside which there is a tree to read.
  if (outcome.reason == RejectReason::kDuplicateKey) ReadEnvelope(tree_, fault, message);
  message.request = fault.refusal();
  return message;
}

}  // namespace warpbook::gateway
