#include "gpu_probe/prover/record_file.h"

#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "gpu_probe/prover/json_text.h"
#include "schema/base/crypto.h"

namespace warpbook::probe {
namespace {

constexpr std::string_view kSchema = "warpbook-probe-record";
constexpr int64_t kAnyMax = std::numeric_limits<int64_t>::max();
constexpr int64_t kSizeMax = std::numeric_limits<int32_t>::max();

std::string HexArray(const std::vector<Sha256Digest>& digests) {
  std::vector<std::string> written;
  written.reserve(digests.size());
  for (const Sha256Digest& digest : digests) written.push_back(JsonString(Hex(digest)));
  return JsonArray(written);
}

std::string Encode(const ProofSize& size) {
  const ComputeSize& compute = size.compute;
  const MemorySize& memory = size.memory;
  return JsonObject()
      .Raw("compute", JsonObject()
                          .Integer("m", compute.m)
                          .Integer("n", compute.n)
                          .Integer("k", compute.k)
                          .Integer("rounds", compute.rounds)
                          .Integer("opened", compute.opened)
                          .Build())
      .Raw("memory", JsonObject()
                         .Integer("blocks", memory.blocks)
                         .Integer("columns", memory.columns)
                         .Integer("passes", memory.passes)
                         .Integer("walks", memory.walks)
                         .Integer("legs", memory.legs)
                         .Integer("opened", memory.opened)
                         .Build())
      .Build();
}

// Everything but the digest.
JsonObject Body(const VerifierRecord& record) {
  const Challenge& challenge = record.challenge;
  std::vector<std::string> roots;
  for (const auto& of_gpu : record.product_roots) roots.push_back(HexArray(of_gpu));
  JsonObject body;
  body.Text("schema", kSchema)
      .Integer("schema_version", kRecordVersion)
      .Raw("challenge", JsonObject()
                            .Id("id", challenge.id)
                            .Text("nonce", Hex(challenge.nonce))
                            .Text("device_key", Hex(challenge.device_key))
                            .Text("hardware_class", challenge.hardware_class)
                            .Integer("gpus", challenge.gpus)
                            .Raw("size", Encode(challenge.size))
                            .Integer("expires_us", challenge.expires_us)
                            .Build())
      .Text("gather_seed", Hex(record.gather_seed))
      .Text("opening_seed", Hex(record.opening_seed))
      .Raw("product_roots", JsonArray(roots))
      .Raw("gather_roots", HexArray(record.gather_roots))
      .Integer("products_us", record.products_us)
      .Integer("fill_us", record.fill_us)
      .Integer("gather_us", record.gather_us)
      .Integer("answered_us", record.answered_us);
  return body;
}

std::string DigestOf(const JsonObject& body) {
  const std::string text = body.Build();
  return Hex(Sha256(std::as_bytes(std::span(text))));
}

// As many digests as `count`, or a fault.
absl::StatusOr<std::vector<Sha256Digest>> Digests(const std::vector<JsonValue>& items,
                                                  size_t count) {
  if (items.size() != count) {
    return absl::InvalidArgumentError(absl::StrCat("not ", count, " digests"));
  }
  std::vector<Sha256Digest> digests;
  for (const JsonValue& item : items) {
    const auto digest = Digest32FromHex(item.text());
    if (!digest.ok()) return digest.status();
    digests.push_back(*digest);
  }
  return digests;
}

absl::Status Decode(const JsonValue& value, ProofSize& size) {
  StrictObject both(value, "challenge.size");
  StrictObject compute(both.Object("compute"), both.PathOf("compute"));
  size.compute = {.m = compute.Integer("m", 1, kSizeMax),
                  .n = compute.Integer("n", 1, kSizeMax),
                  .k = compute.Integer("k", 1, kSizeMax),
                  .rounds = static_cast<int32_t>(compute.Integer("rounds", 1, kRoundsMax)),
                  .opened = static_cast<int32_t>(compute.Integer("opened", 1, kOpenedMax))};
  StrictObject memory(both.Object("memory"), both.PathOf("memory"));
  size.memory = {.blocks = memory.Integer("blocks", 1, kArenaBlocksMax),
                 .columns = static_cast<int32_t>(memory.Integer("columns", 1, kColumnsMax)),
                 .passes = static_cast<int32_t>(memory.Integer("passes", 0, kPassesMax)),
                 .walks = static_cast<int32_t>(memory.Integer("walks", 1, kWalksMax)),
                 .legs = static_cast<int32_t>(memory.Integer("legs", 1, kLegsMax)),
                 .opened = static_cast<int32_t>(memory.Integer("opened", 1, kOpenedLegsMax))};
  absl::Status status = both.Finish();
  status.Update(compute.Finish());
  status.Update(memory.Finish());
  if (!status.ok()) return status;
  status.Update(CheckSize(size.compute));
  status.Update(CheckSize(size.memory));
  return status;
}

absl::Status Decode(const JsonValue& value, Challenge& challenge) {
  StrictObject object(value, "challenge");
  challenge.id = object.Id("id");
  challenge.nonce = object.Bytes32("nonce");
  challenge.device_key = object.Bytes32("device_key");
  challenge.hardware_class = object.Text("hardware_class", kClassNameMax);
  challenge.gpus = static_cast<int32_t>(object.Integer("gpus", 1, kGpusMax));
  challenge.expires_us = object.Integer("expires_us", 0, kAnyMax);
  const JsonValue& size = object.Object("size");
  absl::Status status = object.Finish();
  if (status.ok()) status = Decode(size, challenge.size);
  return status;
}

void DecodeRoots(StrictObject& object, VerifierRecord& record) {
  const auto gpus = static_cast<size_t>(record.challenge.gpus);
  const auto rounds = static_cast<size_t>(record.challenge.size.compute.rounds);
  const std::vector<JsonValue>& of_gpus = object.Items("product_roots", kGpusMax);
  if (of_gpus.size() != gpus) object.Fail("product_roots", "not of each GPU");
  for (const JsonValue& of_gpu : of_gpus) {
    absl::StatusOr<std::vector<Sha256Digest>> roots = Digests(of_gpu.items(), rounds);
    if (!roots.ok()) {
      object.Fail("product_roots", std::string(roots.status().message()));
      break;
    }
    record.product_roots.push_back(*std::move(roots));
  }
  absl::StatusOr<std::vector<Sha256Digest>> gathered =
      Digests(object.Items("gather_roots", kGpusMax), gpus);
  if (!gathered.ok()) {
    object.Fail("gather_roots", std::string(gathered.status().message()));
  } else {
    record.gather_roots = *std::move(gathered);
  }
}

}  // namespace

std::string EncodeRecord(const VerifierRecord& record) {
  JsonObject body = Body(record);
  const std::string digest = DigestOf(body);
  return body.Text("sha256", digest).Build();
}

absl::StatusOr<VerifierRecord> DecodeRecord(std::string_view text) {
  if (text.size() > kRecordBytesMax) return absl::InvalidArgumentError("the record is too long");
  const absl::StatusOr<JsonValue> value = JsonValue::Parse(text);
  if (!value.ok()) return value.status();
  StrictObject object(*value, "");
  VerifierRecord record;
  if (object.Text("schema", kSchema.size()) != kSchema) object.Fail("schema", "not a record's");
  object.Integer("schema_version", kRecordVersion, kRecordVersion);
  const absl::Status challenge = Decode(object.Object("challenge"), record.challenge);
  if (value->Has("challenge") && !challenge.ok()) return challenge;
  record.gather_seed = object.Bytes32("gather_seed");
  record.opening_seed = object.Bytes32("opening_seed");
  DecodeRoots(object, record);
  record.products_us = object.Integer("products_us", 0, kAnyMax);
  record.fill_us = object.Integer("fill_us", 0, kAnyMax);
  record.gather_us = object.Integer("gather_us", 0, kAnyMax);
  record.answered_us = object.Integer("answered_us", 0, kAnyMax);
  const std::string digest = object.Text("sha256", 64);
  const absl::Status status = object.Finish();
  if (!status.ok()) return status;
  if (digest != DigestOf(Body(record))) {
    return absl::InvalidArgumentError("sha256: not that of the rest: the record was edited");
  }
  return record;
}

}  // namespace warpbook::probe
