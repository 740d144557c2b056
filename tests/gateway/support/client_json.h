// The API's two encodings turned into each other, for tests: by the schema's names and the units
// that JSON has, without the gateway's own readers and writers.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace warpbook::gateway {

// A request in JSON as a ClientRequest. What FlatBuffers cannot say (a field of another type, a
// price with too many digits, a key twice, no JSON at all) is nullopt. An unknown method is "", an
// unknown word "?", an unknown field "field N", N its index.
std::optional<std::string> BinaryRequest(std::string_view json);

// A ServerMessage as the JSON message that it stands for; its fields are in the schema's order.
// Fails with
// "" where the bytes are none.
std::string JsonMessage(std::string_view binary);

}  // namespace warpbook::gateway
