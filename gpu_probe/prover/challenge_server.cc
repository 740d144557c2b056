#include "gpu_probe/prover/challenge_server.h"

#include <algorithm>
#include <list>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"

namespace warpbook::probe {
namespace {

using std::chrono::seconds;

constexpr seconds kSendPatience{30};
// How long a prover that was told the verdict has to close, until when it may still send.
constexpr seconds kGoodbyePatience{5};

struct Conversation {
  std::jthread thread;
  std::atomic<bool> is_over = false;
};

}  // namespace

absl::Status ChallengeServer::Serve(TcpListener& listener, const std::atomic<bool>& stop) {
  std::list<Conversation> conversations;
  absl::Status status;
  while (!stop && !stopping_) {
    absl::StatusOr<TcpStream> stream = listener.Accept(In(kLook));
    conversations.remove_if([](const Conversation& one) { return one.is_over.load(); });
    if (absl::IsDeadlineExceeded(stream.status())) continue;
    if (!stream.ok()) {
      // Such as no file descriptors left: they come back when others close.
      {
        const std::lock_guard lock(telling_);
        on_fault_(std::string(stream.status().message()));
      }
      std::this_thread::sleep_for(kLook);
      continue;
    }
    if (conversations.size() >= kConnectionsMax) {
      // Said in the room that a new connection has for what is sent, so without waiting.
      (void)SendMessage(*stream, MessageKind::kRefusal, ProbeStage::kProducts,
                        "as many provers as there may be are here already", In(kLook));
      const std::lock_guard lock(telling_);
      on_fault_(absl::StrCat(stream->peer(), ": turned away, one too many"));
      continue;
    }
    Conversation& conversation = conversations.emplace_back();
    conversation.thread = std::jthread([this, &conversation, own = *std::move(stream)]() mutable {
      Converse(own);
      conversation.is_over = true;
    });
  }
  stopping_ = true;
  conversations.clear();
  return failure_;
}

void ChallengeServer::Fault(const TcpStream& stream, std::string_view what) {
  const std::lock_guard lock(telling_);
  on_fault_(absl::StrCat(stream.peer(), ": ", std::string(what)));
}

absl::StatusOr<Hello> ChallengeServer::ReadHello(TcpStream& stream) {
  const absl::StatusOr<Message> message =
      ReadMessage(stream, kHelloBytesMax, In(settings_.hello_patience));
  if (!message.ok()) return message.status();
  if (message->kind != MessageKind::kHello) {
    return absl::InvalidArgumentError("the first message is no hello");
  }
  absl::StatusOr<Hello> hello = DecodeHello(message->body);
  if (!hello.ok()) return hello.status();
  if (settings_.device_key && hello->device_key != *settings_.device_key) {
    return absl::PermissionDeniedError("another device is asked for a proof");
  }
  if (settings_.gpus != 0 && hello->gpus != settings_.gpus) {
    return absl::PermissionDeniedError(
        absl::StrCat("a proof of ", settings_.gpus, " GPUs is asked for, not of ", hello->gpus));
  }
  return hello;
}

void ChallengeServer::Converse(TcpStream& stream) {
  stream.EndOn(stopping_);
  const absl::StatusOr<Hello> hello = ReadHello(stream);
  if (!hello.ok()) {
    const std::string what = absl::IsCancelled(hello.status())
                                 ? "the verifier is ending"
                                 : std::string(hello.status().message());
    Fault(stream, what);
    if (SendMessage(stream, MessageKind::kRefusal, ProbeStage::kProducts,
                    what.substr(0, kRefusalBytesMax), In(kSendPatience))
            .ok()) {
      stream.Finish(In(kLook));
    }
    return;
  }
  OwnAsker asker(settings_.asker, verifying_);
  const absl::StatusOr<std::string> challenge = asker.AskFor(*hello);
  std::string report;
  if (!challenge.ok() || !SendMessage(stream, MessageKind::kChallenge, ProbeStage::kProducts,
                                      *challenge, In(kSendPatience))
                              .ok()) {
    report = asker.Abandon(ProbeReason::kUnfinished);
  } else {
    report = Ask(stream, asker);
  }
  {
    const std::lock_guard lock(telling_);
    failure_.Update(on_verdict_({stream.peer(), asker.session(), asker.verdict(), report}));
  }
  const absl::Status told =
      SendMessage(stream, MessageKind::kVerdict, ProbeStage::kProducts, report, In(kSendPatience));
  if (told.ok()) stream.Finish(In(kGoodbyePatience));
  if (settings_.ends_after_first) stopping_ = true;
}

ProbeReason ChallengeServer::ReadAnswer(TcpStream& stream, OwnAsker& asker, Message& message) {
  absl::StatusOr<Message> read =
      ReadMessage(stream, asker.session().bytes_max(), asker.expires_at());
  if (absl::IsDeadlineExceeded(read.status())) return ProbeReason::kTooLate;
  if (absl::IsInvalidArgument(read.status())) return ProbeReason::kMalformed;
  if (!read.ok()) return ProbeReason::kUnfinished;
  if (read->kind != MessageKind::kAnswer) return ProbeReason::kMalformed;
  message = *std::move(read);
  return ProbeReason::kNone;
}

std::string ChallengeServer::Ask(TcpStream& stream, OwnAsker& asker) {
  while (true) {
    Message message;
    const ProbeReason wrong = ReadAnswer(stream, asker, message);
    if (wrong != ProbeReason::kNone) return asker.Abandon(wrong);
    absl::StatusOr<Reply> reply = asker.Answer(message.stage, message.body);
    if (!reply.ok()) return asker.Abandon(ProbeReason::kMalformed);
    if (reply->report) return *std::move(reply->report);
    if (!reply->seed) continue;
    const std::string_view seed(reinterpret_cast<const char*>(reply->seed->data()),
                                reply->seed->size());
    const absl::Status asked = SendMessage(stream, MessageKind::kQuestion,
                                           *asker.session().awaited(), seed, In(kSendPatience));
    if (!asked.ok()) return asker.Abandon(ProbeReason::kUnfinished);
  }
}

}  // namespace warpbook::probe
