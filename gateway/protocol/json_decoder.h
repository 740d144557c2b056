// JsonDecoder: bytes of one message -> a typed request, or why it is none. A pure function of the
// bytes; the object only keeps memory from message to message. One thread owns one.
//
// Strict: what is not exactly a request of the API is refused with the reason of its own and the
// field at fault. Precedence: schema/types/reject_reason.h.
#pragma once

#include <cstddef>
#include <string_view>

#include "gateway/protocol/field_tree.h"
#include "gateway/protocol/json_parser.h"
#include "gateway/protocol/request.h"

namespace warpbook::gateway {

class JsonDecoder {
 public:
  explicit JsonDecoder(size_t message_bytes_max) : parser_(message_bytes_max) {}

  // Every text has exactly one answer. Its texts are valid until the next Decode.
  DecodedMessage Decode(std::string_view text);

 private:
  JsonParser parser_;
  FieldTree tree_;
};

}  // namespace warpbook::gateway
