// The messages between who proves and the stand-alone verifier, on one TCP connection:
//
//   "WBP2"        4 bytes
//   kind          1 byte
//   stage         1 byte, of an answer or a question, else 0
//   zeros         2 bytes
//   length        4 bytes, little-endian; of the body
//   body
//
//   prover                             verifier
//                                      greeting    32 random bytes
//   hello     JSON, signed
//                                      sizes       the challenge's document, zeros as its nonce
//   ready
//                                      challenge   its document
//   answer    products
//   answer    filled
//                                      question    gathered: a seed
//   answer    gathered
//                                      question    openings: a seed
//   answer    openings
//                                      verdict     the report
//
// From the challenge on the verdict may come at any time. Instead of anything that the verifier
// says there may be a refusal: a sentence, without a verdict.
//
// By the sizes the prover gets all ready that takes time; the verifier's clock runs from the
// challenge on, of which nobody knew anything else before.
//
// Nothing is encrypted, and needs to be: hello and transcript are signed, and nothing in them is
// secret.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "gpu_probe/prover/tcp_stream.h"
#include "gpu_probe/verifier/probe_session.h"
#include "schema/base/crypto.h"
#include "schema/types/public_key.h"

namespace warpbook::probe {

enum class MessageKind : uint8_t {
  kHello = 1,
  kAnswer = 2,
  kChallenge = 3,
  kQuestion = 4,
  kVerdict = 5,
  kRefusal = 6,
  kGreeting = 7,
  kSizes = 8,
  kReady = 9,
};
inline constexpr size_t kMessageHeadBytes = 12;
inline constexpr size_t kHelloBytesMax = 1'024;
inline constexpr size_t kChallengeBytesMax = 4'096;
inline constexpr size_t kRefusalBytesMax = 1'024;

struct Message {
  MessageKind kind = MessageKind::kHello;
  ProbeStage stage = ProbeStage::kProducts;
  std::string body{};
};

// What a message begins with.
struct MessageHead {
  MessageKind kind = MessageKind::kHello;
  ProbeStage stage = ProbeStage::kProducts;
  uint32_t length = 0;
};
// The body is shorter than 4 GiB.
std::string EncodeMessage(MessageKind kind, ProbeStage stage, std::string_view body);
// InvalidArgument where it is none. Takes any bytes.
absl::StatusOr<MessageHead> DecodeHead(std::string_view bytes);

absl::Status SendMessage(TcpStream& stream, MessageKind kind, ProbeStage stage,
                         std::string_view body, Moment until);
// Reads a whole message, but nothing of a body that is longer than `body_max`: InvalidArgument.
absl::StatusOr<Message> ReadMessage(TcpStream& stream, size_t body_max, Moment until);

// What a verifier says first: never the same again, so that a hello that is signed for it is fresh.
using Greeting = std::array<uint8_t, 32>;

// Who wants to prove itself, and how many GPUs it has. As JSON: version, device_key, gpus, and the
// key's signature of "warpbook-probe-hello-v1" || greeting || device_key || gpus (4 bytes,
// little-endian); keys and signature in lower-case hex.
struct Hello {
  PublicKey device_key{};
  int32_t gpus = 0;
};
std::string EncodeHello(const Greeting& greeting, const Ed25519PrivateKey& device_key,
                        int32_t gpus);
// InvalidArgument where it is malformed, out of its limits, or not signed by its key for this
// greeting. Takes anything.
absl::StatusOr<Hello> DecodeHello(std::string_view text, const Greeting& greeting);

}  // namespace warpbook::probe
