// Random requests in JSON, made from the schema's tables, so that a new method or field is among
// them: some good, most with something that is wrong in a way that both encodings can say. And
// whether two decoders said the same of one.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "gateway/protocol/request.h"

namespace warpbook::gateway {

// `below(n)` gives a number below n: by a seed, or by a fuzzer's bytes.
using Choose = std::function<uint64_t(uint64_t n)>;
std::string RandomRequest(const Choose& below);

// What is different between the answers to the same request in JSON and in FlatBuffers; "" where
// nothing is. The name of an unknown field is not compared, as which of several comes first is the
// encoding's.
std::string DifferenceOf(const DecodedMessage& json, const DecodedMessage& binary);

}  // namespace warpbook::gateway
