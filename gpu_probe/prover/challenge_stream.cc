#include "gpu_probe/prover/challenge_stream.h"

#include <array>
#include <span>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gpu_probe/prover/json_text.h"
#include "gpu_probe/verifier/class_table.h"
#include "schema/base/check.h"

namespace warpbook::probe {
namespace {

constexpr std::string_view kMark = "WBP2";
constexpr size_t kKindAt = 4;
constexpr size_t kStageAt = 5;
constexpr size_t kLengthAt = 8;
constexpr int64_t kHelloVersion = 2;
constexpr std::string_view kHelloSigned = "warpbook-probe-hello-v1";

bool HasStage(MessageKind kind) {
  return kind == MessageKind::kAnswer || kind == MessageKind::kQuestion;
}

std::vector<std::byte> SignedMessage(const Greeting& greeting, const Hello& hello) {
  std::vector<std::byte> message;
  const auto append = [&message](std::span<const std::byte> bytes) {
    message.insert(message.end(), bytes.begin(), bytes.end());
  };
  append(std::as_bytes(std::span(kHelloSigned)));
  append(std::as_bytes(std::span(greeting)));
  append(std::as_bytes(std::span(hello.device_key)));
  for (int shift = 0; shift < 32; shift += 8) {
    message.push_back(static_cast<std::byte>(hello.gpus >> shift & 255));
  }
  return message;
}

}  // namespace

std::string EncodeMessage(MessageKind kind, ProbeStage stage, std::string_view body) {
  WARPBOOK_CHECK(body.size() <= UINT32_MAX);
  std::string bytes(kMark);
  bytes.push_back(static_cast<char>(kind));
  bytes.push_back(HasStage(kind) ? static_cast<char>(stage) : '\0');
  bytes.append(2, '\0');
  for (int shift = 0; shift < 32; shift += 8) {
    bytes.push_back(static_cast<char>(body.size() >> shift & 255));
  }
  bytes.append(body);
  return bytes;
}

absl::StatusOr<MessageHead> DecodeHead(std::string_view bytes) {
  if (bytes.size() != kMessageHeadBytes || !bytes.starts_with(kMark) || bytes[6] != 0 ||
      bytes[7] != 0) {
    return absl::InvalidArgumentError("what came is no message of the probe");
  }
  MessageHead head;
  const auto kind = static_cast<uint8_t>(bytes[kKindAt]);
  const auto stage = static_cast<uint8_t>(bytes[kStageAt]);
  if (kind < static_cast<uint8_t>(MessageKind::kHello) ||
      kind > static_cast<uint8_t>(MessageKind::kReady)) {
    return absl::InvalidArgumentError("a message of an unknown kind");
  }
  head.kind = static_cast<MessageKind>(kind);
  if (stage >= (HasStage(head.kind) ? kStages : 1)) {
    return absl::InvalidArgumentError("a message of an unknown stage");
  }
  head.stage = static_cast<ProbeStage>(stage);
  for (size_t i = 0; i < 4; ++i) {
    head.length |= uint32_t{static_cast<uint8_t>(bytes[kLengthAt + i])} << (8 * i);
  }
  return head;
}

absl::Status SendMessage(TcpStream& stream, MessageKind kind, ProbeStage stage,
                         std::string_view body, Moment until) {
  return stream.Write(EncodeMessage(kind, stage, body), until);
}

absl::StatusOr<Message> ReadMessage(TcpStream& stream, size_t body_max, Moment until) {
  std::array<char, kMessageHeadBytes> bytes;
  absl::Status status = stream.Read(bytes, until);
  if (!status.ok()) return status;
  const absl::StatusOr<MessageHead> head = DecodeHead({bytes.data(), bytes.size()});
  if (!head.ok()) return head.status();
  if (head->length > body_max) {
    return absl::InvalidArgumentError(absl::StrCat(
        "a message of ", head->length, " bytes, more than the ", body_max, " that are taken here"));
  }
  Message message{.kind = head->kind, .stage = head->stage};
  // Room for what has come, not for what was announced.
  constexpr size_t kPartBytes = size_t{1} << 16;
  while (message.body.size() < head->length) {
    const size_t before = message.body.size();
    const size_t part = std::min(kPartBytes, head->length - before);
    message.body.resize(before + part);
    status = stream.Read({message.body.data() + before, part}, until);
    if (!status.ok()) return status;
  }
  return message;
}

std::string EncodeHello(const Greeting& greeting, const Ed25519PrivateKey& device_key,
                        int32_t gpus) {
  const Hello hello{.device_key = device_key.public_key(), .gpus = gpus};
  return JsonObject()
      .Integer("version", kHelloVersion)
      .Text("device_key", Hex(hello.device_key))
      .Integer("gpus", hello.gpus)
      .Text("signature", Hex(device_key.Sign(SignedMessage(greeting, hello))))
      .Build();
}

absl::StatusOr<Hello> DecodeHello(std::string_view text, const Greeting& greeting) {
  const absl::StatusOr<JsonValue> value = JsonValue::Parse(text);
  if (!value.ok()) return value.status();
  StrictObject object(*value, "");
  Hello hello;
  object.Integer("version", kHelloVersion, kHelloVersion);
  hello.device_key = object.Bytes32("device_key");
  hello.gpus = static_cast<int32_t>(object.Integer("gpus", 1, kGpusProvedMax));
  Ed25519Signature signature{};
  object.Bytes("signature", signature);
  const absl::Status status = object.Finish();
  if (!status.ok()) return status;
  if (!VerifyEd25519(hello.device_key, signature, SignedMessage(greeting, hello))) {
    return absl::InvalidArgumentError("the hello is not signed by its key for this greeting");
  }
  return hello;
}

}  // namespace warpbook::probe
