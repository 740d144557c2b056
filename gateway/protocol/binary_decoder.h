// BinaryDecoder: bytes of one binary message (a ClientRequest of schema/wire/client_requests.fbs)
// -> a typed request, or why it is none: what JsonDecoder makes of the same request in JSON. A pure
// function of the bytes; the object only keeps memory from message to message. One thread owns one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "gateway/protocol/binary_parser.h"
#include "gateway/protocol/field_tree.h"
#include "gateway/protocol/request.h"

namespace warpbook::gateway {

class BinaryDecoder {
 public:
  explicit BinaryDecoder(size_t message_bytes_max) : parser_(message_bytes_max) {}

  // All bytes have exactly one answer. Its texts are valid until the next Decode.
  DecodedMessage Decode(std::string_view bytes);

 private:
  BinaryParser parser_;
  FieldTree tree_;
};

}  // namespace warpbook::gateway
