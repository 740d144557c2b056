#include "gateway/protocol/json_decoder.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "gateway/protocol/field_reader.h"
#include "gateway/protocol/request_fields.h"

namespace warpbook::gateway {
namespace {

// 2^53 - 1: the largest integer that every client's JSON library keeps.
constexpr int64_t kReqIdMax = 9'007'199'254'740'991;
constexpr size_t kMethodBytesMax = 64;

std::string_view DetailOf(RejectReason reason) {
  return reason == RejectReason::kNestingTooDeep ? "at most 8 levels" : "";
}

// Method and req_id, to be repeated in the answer even where the rest is at fault.
void ReadEnvelope(JsonTree& tree, Fault& fault, DecodedMessage& message) {
  FieldReader envelope(tree, JsonTree::kRoot, fault);
  message.req_id = envelope.Integer("req_id", 0, kReqIdMax, Need::kOptional);
  if (!envelope.Has("method")) {
    fault.Add(RejectReason::kMethodMissing, "method", "");
    return;
  }
  const auto name = envelope.Node("method", JsonNode::Kind::kString, Need::kRequired);
  if (!name) return;
  const std::string_view text = tree.node(*name).text;
  if (const MethodInfo* info = FindMethod(text)) {
    message.method = info->method;
    message.method_name = info->name;
    return;
  }
  if (text.size() <= kMethodBytesMax) message.method_name = text;
  fault.Add(RejectReason::kUnknownMethod, "method", "");
}

}  // namespace

DecodedMessage JsonDecoder::Decode(std::string_view text) {
  DecodedMessage message;
  Fault fault;
  const JsonTree::Outcome outcome = tree_.Parse(text);
  if (outcome.reason != RejectReason::kNone) {
    fault.Add(outcome.reason, CutForEcho(outcome.key), std::string(DetailOf(outcome.reason)));
    // A key that occurs twice is the only fault beside which there is a tree to read.
    if (outcome.reason == RejectReason::kDuplicateKey) ReadEnvelope(tree_, fault, message);
    message.request = fault.refusal();
    return message;
  }
  ReadEnvelope(tree_, fault, message);
  FieldReader envelope(tree_, JsonTree::kRoot, fault);
  const auto params = envelope.Node("params", JsonNode::Kind::kObject, Need::kOptional);
  if (message.method) {
    FieldReader fields(tree_, params.value_or(FieldReader::kEmptyObject), fault);
    message.request = ReadRequest(*message.method, fields, tree_, fault);
    message.validate = ReadValidate(*message.method, fields);
    fields.RefuseUnknownFields();
  }
  envelope.RefuseUnknownFields();
  if (fault.found()) message.request = fault.refusal();
  return message;
}

}  // namespace warpbook::gateway
