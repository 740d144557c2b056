// The messages between who proves and the stand-alone verifier, on one TCP connection:
//
//   "WBP1"        4 bytes
//   kind          1 byte
//   stage         1 byte, of an answer or a question, else 0
//   zeros         2 bytes
//   length        4 bytes, little-endian; of the body
//   body
//
//   prover                             verifier
//   hello     JSON: device_key, gpus
//                                      challenge   its document
//   answer    products
//   answer    filled
//                                      question    gathered: a seed
//   answer    gathered
//                                      question    openings: a seed
//   answer    openings
//                                      verdict     the report, which may also come at any earlier
//                                      time refusal     instead of a challenge: a sentence
//
// Nothing is encrypted, and needs to be: the transcript is signed, and nothing in it is secret.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "gpu_probe/prover/tcp_stream.h"
#include "gpu_probe/verifier/probe_session.h"
#include "schema/types/public_key.h"

namespace warpbook::probe {

enum class MessageKind : uint8_t {
  kHello = 1,
  kAnswer = 2,
  kChallenge = 3,
  kQuestion = 4,
  kVerdict = 5,
  kRefusal = 6,
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

// Who wants to prove itself, and how many GPUs it has.
struct Hello {
  PublicKey device_key{};
  int32_t gpus = 0;
};
std::string EncodeHello(const Hello& hello);
// InvalidArgument where it is malformed or out of its limits. Takes anything.
absl::StatusOr<Hello> DecodeHello(std::string_view text);

}  // namespace warpbook::probe
