// The two encodings of the API: JSON text, and the same messages as FlatBuffers in the WebSocket
// subprotocol warpbook.v1.flatbuffers (4-gateway-api of the design).
#pragma once

#include <cstdint>

namespace warpbook::gateway {

enum class Encoding : uint8_t { kJson, kFlatBuffers };
inline constexpr int kEncodingCount = 2;

}  // namespace warpbook::gateway
