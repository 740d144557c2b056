// The opening handshake of a WebSocket (RFC 6455, 4.2), with what is agreed on in it: subprotocol
// and compression. Beast checks the request and makes the response; no I/O.
#pragma once

#include <string>
#include <string_view>

#include "gateway/protocol/encoding.h"

namespace warpbook::gateway {

inline constexpr std::string_view kJsonSubprotocol = "warpbook.v1.json";
inline constexpr std::string_view kFlatBuffersSubprotocol = "warpbook.v1.flatbuffers";

struct HandshakeOptions {
  bool allow_deflate = false;
};

struct Handshake {
  bool accepted = false;
  std::string response;  // 101, or a reason in JSON with 400 or 426
  Encoding encoding = Encoding::kJson;
  // permessage-deflate was agreed on: without context takeover on either side, always.
  bool deflate = false;
  // The client can inflate only with a smaller window than ours: it compresses, we do not.
  bool deflates_to_client = false;
};

Handshake AcceptHandshake(std::string_view request_head, const HandshakeOptions& options);

}  // namespace warpbook::gateway
