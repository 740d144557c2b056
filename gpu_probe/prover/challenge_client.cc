#include "gpu_probe/prover/challenge_client.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "gpu_probe/prover/json_text.h"
#include "gpu_probe/prover/report.h"

namespace warpbook::probe {
namespace {

using std::chrono::seconds;

constexpr seconds kConnectPatience{10};
constexpr seconds kReplyPatience{60};
// A verifier checks one transcript at a time, a second or so for each GPU.
constexpr seconds kVerdictPatience{600};
// For the whole transcript, on a slow line.
constexpr seconds kSendPatience{300};

absl::Status Unexpected() {
  return absl::InvalidArgumentError("the verifier says what was not asked for");
}

absl::Status Refused(std::string_view sentence) {
  return absl::PermissionDeniedError(absl::StrCat("the verifier refuses: ", Shown(sentence)));
}

}  // namespace

absl::StatusOr<ChallengeClient> ChallengeClient::Connect(const std::string& server) {
  absl::StatusOr<TcpStream> stream = TcpStream::Connect(server, In(kConnectPatience));
  if (!stream.ok()) return stream.status();
  return ChallengeClient(*std::move(stream));
}

absl::StatusOr<std::string> ChallengeClient::ReadBody(MessageKind kind, size_t body_max) {
  absl::StatusOr<Message> message =
      ReadMessage(stream_, std::max(body_max, kRefusalBytesMax), In(kReplyPatience));
  if (!message.ok()) return message.status();
  if (message->kind == MessageKind::kRefusal) return Refused(message->body);
  if (message->kind != kind || message->body.size() > body_max) return Unexpected();
  return std::move(message->body);
}

absl::StatusOr<std::string> ChallengeClient::AskForSizes(const Ed25519PrivateKey& device_key,
                                                         int32_t gpus) {
  Greeting greeting{};
  const absl::StatusOr<std::string> said = ReadBody(MessageKind::kGreeting, greeting.size());
  if (!said.ok()) return said.status();
  if (said->size() != greeting.size()) return Unexpected();
  std::ranges::copy(*said, greeting.begin());
  const absl::Status sent =
      SendMessage(stream_, MessageKind::kHello, ProbeStage::kProducts,
                  EncodeHello(greeting, device_key, gpus), In(kReplyPatience));
  if (!sent.ok()) return sent;
  return ReadBody(MessageKind::kSizes, kChallengeBytesMax);
}

absl::StatusOr<std::string> ChallengeClient::AskForChallenge() {
  const absl::Status sent =
      SendMessage(stream_, MessageKind::kReady, ProbeStage::kProducts, {}, In(kReplyPatience));
  if (!sent.ok()) return sent;
  return ReadBody(MessageKind::kChallenge, kChallengeBytesMax);
}

absl::StatusOr<Reply> ChallengeClient::Answer(ProbeStage stage, std::string_view bytes) {
  // A verdict before its time: the challenge has expired, most likely.
  if (stream_.HasInput()) return ReadReply(std::nullopt, kReplyPatience);
  const absl::Status sent =
      SendMessage(stream_, MessageKind::kAnswer, stage, bytes, In(kSendPatience));
  if (!sent.ok()) {
    // What the verifier said last can still lie here.
    absl::StatusOr<Reply> last = ReadReply(std::nullopt, seconds(1));
    return last.ok() ? std::move(last) : absl::StatusOr<Reply>(sent);
  }
  switch (stage) {
    case ProbeStage::kProducts:
      return Reply{};
    case ProbeStage::kFilled:
      return ReadReply(ProbeStage::kGathered, kReplyPatience);
    case ProbeStage::kGathered:
      return ReadReply(ProbeStage::kOpenings, kReplyPatience);
    case ProbeStage::kOpenings:
      return ReadReply(std::nullopt, kVerdictPatience);
  }
  return Unexpected();
}

absl::StatusOr<Reply> ChallengeClient::ReadReply(std::optional<ProbeStage> asked,
                                                 seconds patience) {
  absl::StatusOr<Message> message = ReadMessage(stream_, kReportBytesMax, In(patience));
  if (!message.ok()) return message.status();
  if (message->kind == MessageKind::kRefusal) return Refused(message->body);
  if (message->kind == MessageKind::kVerdict) return Reply{.report = std::move(message->body)};
  Reply reply{.seed = Seed{}};
  if (message->kind != MessageKind::kQuestion || message->stage != asked ||
      message->body.size() != reply.seed->size()) {
    return Unexpected();
  }
  std::ranges::copy(message->body, reply.seed->begin());
  return reply;
}

}  // namespace warpbook::probe
