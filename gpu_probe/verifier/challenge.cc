#include "gpu_probe/verifier/challenge.h"

#include "absl/status/status.h"
#include "gpu_probe/verifier/documents.h"

namespace warpbook::probe {

std::string EncodeChallenge(const Challenge& challenge) {
  flatbuffers::FlatBufferBuilder builder;
  const ComputeSize& c = challenge.size.compute;
  const MemorySize& m = challenge.size.memory;
  const auto nonce = ToWire(challenge.nonce);
  const auto device_key = ToWire(challenge.device_key);
  const wire::probe::ComputeSize compute(c.m, c.n, c.k, c.rounds, c.opened);
  const wire::probe::MemorySize memory(m.blocks, m.columns, m.passes, m.walks, m.legs, m.opened, 0);
  builder.Finish(wire::probe::CreateChallenge(
      builder, kDocumentVersion, challenge.id, &nonce, &device_key,
      builder.CreateString(challenge.hardware_class), static_cast<uint32_t>(challenge.gpus),
      &compute, &memory, challenge.expires_us));
  return Finished(builder);
}

absl::StatusOr<Challenge> DecodeChallenge(std::string_view bytes) {
  const auto* const from = RootOf<wire::probe::Challenge>(bytes);
  if (from == nullptr || from->nonce() == nullptr || from->device_key() == nullptr ||
      from->hardware_class() == nullptr || from->compute() == nullptr ||
      from->memory() == nullptr) {
    return absl::InvalidArgumentError("the challenge is malformed");
  }
  if (from->version() != kDocumentVersion) {
    return absl::InvalidArgumentError("the challenge is of another version");
  }
  if (from->gpus() < 1 || from->gpus() > kGpusMax ||
      from->hardware_class()->size() > kClassNameMax) {
    return absl::InvalidArgumentError("the challenge is out of its limits");
  }
  const auto& c = *from->compute();
  const auto& m = *from->memory();
  Challenge challenge{
      .id = from->id(),
      .nonce = FromWire(*from->nonce()),
      .device_key = FromWire(*from->device_key()),
      .hardware_class = from->hardware_class()->str(),
      .gpus = static_cast<int32_t>(from->gpus()),
      .size = {.compute =
                   {.m = c.m(), .n = c.n(), .k = c.k(), .rounds = c.rounds(), .opened = c.opened()},
               .memory = {.blocks = m.blocks(),
                          .columns = m.columns(),
                          .passes = m.passes(),
                          .walks = m.walks(),
                          .legs = m.legs(),
                          .opened = m.opened()}},
      .expires_us = from->expires_us()};
  absl::Status checked = CheckSize(challenge.size.compute);
  checked.Update(CheckSize(challenge.size.memory));
  if (!checked.ok()) return checked;
  return challenge;
}

}  // namespace warpbook::probe
