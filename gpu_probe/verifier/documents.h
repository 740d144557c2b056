// Between the probe's documents and ours: what challenge.cc and transcript.cc share.
#pragma once

#include <array>
#include <cstring>
#include <string>
#include <string_view>

#include "schema/base/crypto.h"
#include "schema/wire/probe_generated.h"

namespace warpbook::probe {

inline constexpr uint32_t kDocumentVersion = 1;
// A stranger's document can name one of its parts many times over: what it unfolds to is bounded by
// how many tables it has and how long each vector is.
inline constexpr size_t kDocumentTablesMax = 16'384;

inline wire::probe::Digest ToWire(const Sha256Digest& digest) {
  return wire::probe::Digest(flatbuffers::span<const uint8_t, 32>(digest.data(), digest.size()));
}
inline Sha256Digest FromWire(const wire::probe::Digest& digest) {
  Sha256Digest bytes;
  std::memcpy(bytes.data(), digest.bytes()->Data(), bytes.size());
  return bytes;
}

inline std::string Finished(const flatbuffers::FlatBufferBuilder& builder) {
  return {reinterpret_cast<const char*>(builder.GetBufferPointer()), builder.GetSize()};
}

// The document's root, or nothing where the bytes are none.
template <typename Table>
const Table* RootOf(std::string_view bytes) {
  flatbuffers::Verifier verifier(reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size(), 16,
                                 kDocumentTablesMax);
  return verifier.VerifyBuffer<Table>(nullptr) ? flatbuffers::GetRoot<Table>(bytes.data())
                                               : nullptr;
}

}  // namespace warpbook::probe
