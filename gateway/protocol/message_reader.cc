#include "gateway/protocol/message_reader.h"

#include "gateway/protocol/request_fields.h"

namespace warpbook::gateway {
namespace {

// 2^53 - 1: the largest integer that every client's JSON library keeps.
constexpr int64_t kReqIdMax = 9'007'199'254'740'991;
constexpr size_t kMethodBytesMax = 64;

}  // namespace

void ReadEnvelope(FieldTree& tree, Fault& fault, DecodedMessage& message) {
  FieldReader envelope(tree, FieldTree::kRoot, fault);
  message.req_id = envelope.Integer("req_id", 0, kReqIdMax, Need::kOptional);
  if (!envelope.Has("method")) {
    fault.Add(RejectReason::kMethodMissing, "method", "");
    return;
  }
  const auto name = envelope.Node("method", FieldNode::Kind::kString, Need::kRequired);
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

DecodedMessage ReadMessage(FieldTree& tree) {
  DecodedMessage message;
  Fault fault;
  ReadEnvelope(tree, fault, message);
  FieldReader envelope(tree, FieldTree::kRoot, fault);
  const auto params = envelope.Node("params", FieldNode::Kind::kObject, Need::kOptional);
  if (message.method) {
    FieldReader fields(tree, params.value_or(FieldReader::kEmptyObject), fault);
    message.request = ReadRequest(*message.method, fields, tree, fault);
    message.validate = ReadValidate(*message.method, fields);
    fields.RefuseUnknownFields();
  }
  envelope.RefuseUnknownFields();
  if (fault.found()) message.request = fault.refusal();
  return message;
}

}  // namespace warpbook::gateway
