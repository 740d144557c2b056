#include "gpu_probe/prover/challenge_server.h"

#include <algorithm>
#include <list>
#include <span>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"

namespace warpbook::probe {
namespace {

using std::chrono::seconds;

constexpr seconds kSendPatience{30};
// How long a prover that was told the verdict has to close, until when it may still send.
constexpr seconds kGoodbyePatience{5};

std::string_view TextOf(std::span<const uint8_t> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// Of an answer that could not be read.
ProbeReason ReasonOf(const absl::Status& error) {
  if (absl::IsDeadlineExceeded(error)) return ProbeReason::kTooLate;
  if (absl::IsInvalidArgument(error)) return ProbeReason::kMalformed;
  return ProbeReason::kUnfinished;
}

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

absl::StatusOr<Hello> ChallengeServer::Greet(TcpStream& stream) {
  Greeting greeting;
  FillRandom(greeting);
  const absl::Status greeted = SendMessage(stream, MessageKind::kGreeting, ProbeStage::kProducts,
                                           TextOf(greeting), In(settings_.hello_patience));
  if (!greeted.ok()) return greeted;
  const absl::StatusOr<Message> message =
      ReadMessage(stream, kHelloBytesMax, In(settings_.hello_patience));
  if (!message.ok()) return message.status();
  if (message->kind != MessageKind::kHello) {
    return absl::InvalidArgumentError("the first message is no hello");
  }
  absl::StatusOr<Hello> hello = DecodeHello(message->body, greeting);
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

absl::Status ChallengeServer::AwaitReady(TcpStream& stream, const std::string& sizes) {
  const absl::Status sent =
      SendMessage(stream, MessageKind::kSizes, ProbeStage::kProducts, sizes, In(kSendPatience));
  if (!sent.ok()) return sent;
  const absl::StatusOr<Message> message = ReadMessage(stream, 0, In(settings_.asker.patience));
  if (!message.ok()) return message.status();
  if (message->kind == MessageKind::kReady) return absl::OkStatus();
  return absl::InvalidArgumentError("the prover does not say that it is ready");
}

void ChallengeServer::Refuse(TcpStream& stream, const absl::Status& why) {
  const std::string what =
      absl::IsCancelled(why) ? "the verifier is ending" : std::string(why.message());
  Fault(stream, what);
  if (SendMessage(stream, MessageKind::kRefusal, ProbeStage::kProducts,
                  what.substr(0, kRefusalBytesMax), In(kSendPatience))
          .ok()) {
    stream.Finish(In(kLook));
  }
}

void ChallengeServer::Converse(TcpStream& stream) {
  stream.EndOn(stopping_);
  const absl::StatusOr<Hello> hello = Greet(stream);
  if (!hello.ok()) return Refuse(stream, hello.status());
  OwnAsker asker(settings_.asker, verifying_);
  const absl::Status ready = AwaitReady(stream, asker.SizesFor(hello->device_key, hello->gpus));
  if (!ready.ok()) return Refuse(stream, ready);
  const absl::StatusOr<std::string> report = Ask(stream, asker);
  if (!report.ok()) return Refuse(stream, report.status());
  {
    const std::lock_guard lock(telling_);
    failure_.Update(on_verdict_({stream.peer(), asker.session(), asker.verdict(), *report}));
  }
  const absl::Status told =
      SendMessage(stream, MessageKind::kVerdict, ProbeStage::kProducts, *report, In(kSendPatience));
  if (told.ok()) stream.Finish(In(kGoodbyePatience));
  if (settings_.ends_after_first) stopping_ = true;
}

absl::StatusOr<std::string> ChallengeServer::Ask(TcpStream& stream, OwnAsker& asker) {
  absl::Status sent = SendMessage(stream, MessageKind::kChallenge, ProbeStage::kProducts,
                                  asker.HandOut(), In(kSendPatience));
  while (true) {
    // What this server cuts short itself says nothing about the prover.
    if (absl::IsCancelled(sent)) return sent;
    if (!sent.ok()) return asker.Abandon(ProbeReason::kUnfinished);
    const absl::StatusOr<Message> message =
        ReadMessage(stream, asker.session().bytes_max(), asker.expires_at());
    if (absl::IsCancelled(message.status())) return message.status();
    if (!message.ok()) return asker.Abandon(ReasonOf(message.status()));
    if (message->kind != MessageKind::kAnswer) return asker.Abandon(ProbeReason::kMalformed);
    absl::StatusOr<Reply> reply = asker.Answer(message->stage, message->body);
    if (!reply.ok()) return asker.Abandon(ProbeReason::kMalformed);
    if (reply->report) return *std::move(reply->report);
    if (!reply->seed) continue;
    sent = SendMessage(stream, MessageKind::kQuestion, *asker.session().awaited(),
                       TextOf(*reply->seed), In(kSendPatience));
  }
}

}  // namespace warpbook::probe
