#include "gpu_probe/verifier/transcript.h"

#include <algorithm>
#include <span>
#include <utility>

#include "absl/status/status.h"
#include "gpu_probe/verifier/documents.h"

namespace warpbook::probe {
namespace {

using flatbuffers::FlatBufferBuilder;
using flatbuffers::Offset;
using flatbuffers::Vector;

constexpr std::string_view kSigned = "warpbook-probe-v1";

std::vector<std::byte> SignedMessage(std::string_view transcript) {
  std::vector<std::byte> message;
  const auto purpose = std::as_bytes(std::span(kSigned));
  message.assign(purpose.begin(), purpose.end());
  const Sha256Digest digest = Sha256(std::as_bytes(std::span(transcript)));
  const auto bytes = std::as_bytes(std::span(digest));
  message.insert(message.end(), bytes.begin(), bytes.end());
  return message;
}

// ---- To the document

auto ToWire(FlatBufferBuilder& builder, const std::vector<Sha256Digest>& digests) {
  std::vector<wire::probe::Digest> written;
  for (const Sha256Digest& digest : digests) written.push_back(probe::ToWire(digest));
  return builder.CreateVectorOfStructs(written);
}

auto ToWire(FlatBufferBuilder& builder, const Opening& opening) {
  const auto entries = builder.CreateVector(opening.entries.data(), opening.entries.size());
  const auto path = ToWire(builder, opening.path);
  return wire::probe::CreateTileOpening(builder, opening.tile.round, opening.tile.place.row,
                                        opening.tile.place.column, entries, path);
}

auto ToWire(FlatBufferBuilder& builder, const StatesOpening& opening) {
  const auto states = builder.CreateVector(opening.states.data(), opening.states.size());
  return wire::probe::CreateStatesOpening(builder, states, ToWire(builder, opening.path));
}

auto ToWire(FlatBufferBuilder& builder, const LegOpening& opening) {
  Offset<wire::probe::StatesOpening> before;
  if (opening.before) before = ToWire(builder, *opening.before);
  const auto after = ToWire(builder, opening.after);
  return wire::probe::CreateLegOpening(builder, opening.leg.walk, opening.leg.leg, before, after);
}

Offset<wire::probe::GpuAnswer> ToWire(FlatBufferBuilder& builder, const GpuAnswer& answer);
Offset<wire::probe::GpuClaim> ToWire(FlatBufferBuilder& builder, const GpuClaim& claim);

template <typename Written, typename Ours>
Offset<Vector<Offset<Written>>> ToWireAll(FlatBufferBuilder& builder, const Ours& ours) {
  std::vector<Offset<Written>> written;
  for (const auto& one : ours) written.push_back(ToWire(builder, one));
  return builder.CreateVector(written);
}

Offset<wire::probe::GpuAnswer> ToWire(FlatBufferBuilder& builder, const GpuAnswer& answer) {
  const auto roots = ToWire(builder, answer.roots);
  const auto gather_root = probe::ToWire(answer.gather_root);
  const auto tiles = ToWireAll<wire::probe::TileOpening>(builder, answer.tiles);
  const auto legs = ToWireAll<wire::probe::LegOpening>(builder, answer.legs);
  return wire::probe::CreateGpuAnswer(builder, roots, &gather_root, tiles, legs);
}

Offset<wire::probe::GpuClaim> ToWire(FlatBufferBuilder& builder, const GpuClaim& claim) {
  const auto name = builder.CreateString(claim.name);
  const auto uuid = builder.CreateString(claim.uuid);
  return wire::probe::CreateGpuClaim(builder, name, uuid, claim.memory_bytes, claim.is_slice);
}

// ---- From the document: false where something is missing, too long or of another length

constexpr size_t kPathMax = 64;
constexpr size_t kTextMax = 256;

template <typename Item>
bool Read(const Vector<Item>* from, size_t max, auto&& each) {
  if (from == nullptr || from->size() > max) return false;
  for (const auto& item : *from) {
    if (!each(item)) return false;
  }
  return true;
}

bool Read(const Vector<const wire::probe::Digest*>* from, size_t max,
          std::vector<Sha256Digest>& digests) {
  return Read(from, max, [&](const wire::probe::Digest* digest) {
    digests.push_back(FromWire(*digest));
    return true;
  });
}

template <typename Number, size_t kCount>
bool Read(const Vector<Number>* from, std::array<Number, kCount>& numbers) {
  if (from == nullptr || from->size() != kCount) return false;
  std::ranges::copy(*from, numbers.begin());
  return true;
}

// Takes what is read off what a document of its length can have: parts may stand in it once and be
// named often.
bool Take(size_t& left, size_t bytes) {
  if (bytes > left) return false;
  left -= bytes;
  return true;
}

bool Read(const wire::probe::StatesOpening* from, size_t& left, StatesOpening& opening) {
  return from != nullptr && Take(left, sizeof opening.states) &&
         Read(from->states(), opening.states) && Read(from->path(), kPathMax, opening.path);
}

bool Read(const wire::probe::GpuAnswer& from, size_t& left, GpuAnswer& answer) {
  if (!Read(from.roots(), kRoundsMax, answer.roots) || from.gather_root() == nullptr) return false;
  answer.gather_root = FromWire(*from.gather_root());
  const bool tiles = Read(from.tiles(), kOpenedMax, [&](const wire::probe::TileOpening* tile) {
    Opening& opening = answer.tiles.emplace_back();
    opening.tile = {tile->round(), {tile->row(), tile->column()}};
    return Take(left, sizeof opening.entries) && Read(tile->entries(), opening.entries) &&
           Read(tile->path(), kPathMax, opening.path);
  });
  return tiles && Read(from.legs(), kOpenedLegsMax, [&](const wire::probe::LegOpening* leg) {
           LegOpening& opening = answer.legs.emplace_back();
           opening.leg = {leg->walk(), leg->leg()};
           if (leg->before() != nullptr && !Read(leg->before(), left, opening.before.emplace())) {
             return false;
           }
           return Read(leg->after(), left, opening.after);
         });
}

std::string Text(const flatbuffers::String* text) {
  return text == nullptr ? "" : std::string(text->string_view().substr(0, kTextMax));
}

bool Read(const wire::probe::Transcript& from, size_t left, Transcript& transcript) {
  if (from.challenge() == nullptr || from.gather_seed() == nullptr ||
      from.opening_seed() == nullptr) {
    return false;
  }
  transcript.challenge.assign(reinterpret_cast<const char*>(from.challenge()->data()),
                              from.challenge()->size());
  transcript.gather_seed = FromWire(*from.gather_seed());
  transcript.opening_seed = FromWire(*from.opening_seed());
  transcript.prover = Text(from.prover());
  return Read(from.gpus(), kGpusMax,
              [&](const wire::probe::GpuAnswer* answer) {
                return Read(*answer, left, transcript.gpus.emplace_back());
              }) &&
         Read(from.claims(), kGpusMax, [&](const wire::probe::GpuClaim* claim) {
           transcript.claims.push_back({Text(claim->name()), Text(claim->uuid()),
                                        claim->memory_bytes(), claim->is_slice()});
           return true;
         });
}

}  // namespace

std::string EncodeTranscript(const Transcript& transcript) {
  FlatBufferBuilder builder(size_t{1} << 16);
  const auto challenge = builder.CreateVector(
      reinterpret_cast<const uint8_t*>(transcript.challenge.data()), transcript.challenge.size());
  const auto gather_seed = probe::ToWire(transcript.gather_seed);
  const auto opening_seed = probe::ToWire(transcript.opening_seed);
  const auto gpus = ToWireAll<wire::probe::GpuAnswer>(builder, transcript.gpus);
  const auto claims = ToWireAll<wire::probe::GpuClaim>(builder, transcript.claims);
  const auto prover = builder.CreateString(transcript.prover);
  builder.Finish(wire::probe::CreateTranscript(builder, kDocumentVersion, challenge, &gather_seed,
                                               &opening_seed, gpus, claims, prover));
  return Finished(builder);
}

absl::StatusOr<Transcript> DecodeTranscript(std::string_view bytes) {
  const auto* const from = RootOf<wire::probe::Transcript>(bytes);
  Transcript transcript;
  if (from == nullptr || from->version() != kDocumentVersion ||
      !Read(*from, bytes.size(), transcript)) {
    return absl::InvalidArgumentError("the transcript is malformed");
  }
  return transcript;
}

bool SignedTranscript::IsSignedBy(const PublicKey& key) const {
  return key == device_key && VerifyEd25519(key, signature, SignedMessage(transcript));
}

std::string SignTranscript(std::string_view transcript, const Ed25519PrivateKey& device_key) {
  FlatBufferBuilder builder(transcript.size() + 256);
  const auto bytes =
      builder.CreateVector(reinterpret_cast<const uint8_t*>(transcript.data()), transcript.size());
  const auto key = probe::ToWire(device_key.public_key());
  const Ed25519Signature made = device_key.Sign(SignedMessage(transcript));
  const wire::probe::Signature signature(
      flatbuffers::span<const uint8_t, 64>(made.data(), made.size()));
  builder.Finish(wire::probe::CreateSignedTranscript(builder, bytes, &key, &signature));
  return Finished(builder);
}

absl::StatusOr<SignedTranscript> DecodeSignedTranscript(std::string_view bytes) {
  const auto* const from = RootOf<wire::probe::SignedTranscript>(bytes);
  if (from == nullptr || from->transcript() == nullptr || from->device_key() == nullptr ||
      from->signature() == nullptr) {
    return absl::InvalidArgumentError("the signed transcript is malformed");
  }
  SignedTranscript transcript;
  transcript.transcript.assign(reinterpret_cast<const char*>(from->transcript()->data()),
                               from->transcript()->size());
  transcript.device_key = FromWire(*from->device_key());
  std::memcpy(transcript.signature.data(), from->signature()->bytes()->Data(),
              transcript.signature.size());
  return transcript;
}

}  // namespace warpbook::probe
