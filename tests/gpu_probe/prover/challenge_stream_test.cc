#include "gpu_probe/prover/challenge_stream.h"

#include <doctest/doctest.h>

#include <future>
#include <optional>

#include "tests/gpu_probe/support/proving.h"

namespace warpbook::probe {
namespace {

using std::chrono::milliseconds;

struct Pair {
  TcpStream ours, theirs;
};
Pair Connected() {
  TcpListener listener = TcpListener::Listen("127.0.0.1:0", false).value();
  TcpStream ours =
      TcpStream::Connect("127.0.0.1:" + std::to_string(listener.port()), In(milliseconds(5'000)))
          .value();
  TcpStream theirs = listener.Accept(In(milliseconds(5'000))).value();
  return {std::move(ours), std::move(theirs)};
}

TEST_CASE("A message's head says its kind, stage and length") {
  const std::string bytes =
      EncodeMessage(MessageKind::kAnswer, ProbeStage::kGathered, std::string(70'000, 'x'));
  const auto head = DecodeHead(std::string_view(bytes).substr(0, kMessageHeadBytes));
  REQUIRE(head.ok());
  CHECK(head->kind == MessageKind::kAnswer);
  CHECK(head->stage == ProbeStage::kGathered);
  CHECK(head->length == 70'000);
}

TEST_CASE("A head of any other bytes is refused, or is another head") {
  const std::string right =
      EncodeMessage(MessageKind::kAnswer, ProbeStage::kGathered, "").substr(0, kMessageHeadBytes);
  for (size_t at = 0; at < right.size(); ++at) {
    for (int value = 0; value < 256; ++value) {
      std::string bytes = right;
      bytes[at] = static_cast<char>(value);
      const auto head = DecodeHead(bytes);
      const bool is_mark = at < 4 || at == 6 || at == 7;
      CAPTURE(at);
      CAPTURE(value);
      if (bytes == right) {
        CHECK(head.ok());
      } else if (is_mark) {
        CHECK(absl::IsInvalidArgument(head.status()));
      } else if (head.ok()) {
        CHECK(EncodeMessage(head->kind, head->stage, "").substr(4, 2) == bytes.substr(4, 2));
      }
    }
  }
  CHECK_FALSE(DecodeHead("").ok());
  CHECK_FALSE(DecodeHead(right + "x").ok());
  CHECK_FALSE(DecodeHead(right.substr(1)).ok());
}

TEST_CASE("A message comes through byte by byte") {
  Pair pair = Connected();
  const std::string bytes = EncodeMessage(MessageKind::kQuestion, ProbeStage::kOpenings, "seed");
  auto sent = std::async(std::launch::async, [&] {
    for (const char byte : bytes) {
      if (!pair.theirs.Write(std::string(1, byte), In(milliseconds(5'000))).ok()) return false;
    }
    return true;
  });
  const auto message = ReadMessage(pair.ours, 4, In(milliseconds(5'000)));
  CHECK(sent.get());
  REQUIRE(message.ok());
  CHECK(message->kind == MessageKind::kQuestion);
  CHECK(message->stage == ProbeStage::kOpenings);
  CHECK(message->body == "seed");
}

TEST_CASE("A large message comes through whole") {
  Pair pair = Connected();
  const std::string body(9'000'001, 'b');
  auto sent = std::async(std::launch::async, [&] {
    return SendMessage(pair.theirs, MessageKind::kAnswer, ProbeStage::kOpenings, body,
                       In(milliseconds(20'000)));
  });
  const auto message = ReadMessage(pair.ours, kTranscriptBytesMax, In(milliseconds(20'000)));
  CHECK(sent.get().ok());
  REQUIRE(message.ok());
  CHECK(message->body == body);
}

TEST_CASE("Half a message and then nothing ends with the time") {
  Pair pair = Connected();
  const std::string bytes = EncodeMessage(MessageKind::kHello, ProbeStage::kProducts, "hello");
  for (const size_t length : {size_t{0}, size_t{5}, kMessageHeadBytes, bytes.size() - 1}) {
    Pair fresh = Connected();
    REQUIRE(fresh.theirs.Write(bytes.substr(0, length), In(milliseconds(1'000))).ok());
    const auto message = ReadMessage(fresh.ours, 100, In(milliseconds(50)));
    CHECK(absl::IsDeadlineExceeded(message.status()));
  }
}

TEST_CASE("A connection that is lost within a message is said to be") {
  const std::string bytes = EncodeMessage(MessageKind::kHello, ProbeStage::kProducts, "hello");
  for (size_t length = 0; length < bytes.size(); ++length) {
    Pair pair = Connected();
    std::optional<TcpStream> theirs(std::move(pair.theirs));
    REQUIRE(theirs->Write(bytes.substr(0, length), In(milliseconds(1'000))).ok());
    theirs.reset();
    const auto message = ReadMessage(pair.ours, 100, In(milliseconds(5'000)));
    CHECK(absl::IsUnavailable(message.status()));
  }
}

TEST_CASE("A length beyond what is taken is refused before anything of it is read") {
  Pair pair = Connected();
  std::string bytes = EncodeMessage(MessageKind::kAnswer, ProbeStage::kProducts, "");
  bytes.replace(8, 4, "\xff\xff\xff\xff");
  REQUIRE(pair.theirs.Write(bytes, In(milliseconds(1'000))).ok());
  const auto message = ReadMessage(pair.ours, kTranscriptBytesMax, In(milliseconds(5'000)));
  CHECK(absl::IsInvalidArgument(message.status()));
}

TEST_CASE("Who waits hears that it is to end") {
  Pair pair = Connected();
  std::atomic<bool> stop = false;
  pair.ours.EndOn(stop);
  auto read = std::async(std::launch::async,
                         [&] { return ReadMessage(pair.ours, 4, In(milliseconds(60'000))); });
  stop = true;
  CHECK(absl::IsCancelled(read.get().status()));
}

TEST_CASE("A listener is on loopback unless it is said that it may be anywhere") {
  CHECK(TcpListener::Listen("127.0.0.1:0", false).ok());
  CHECK(absl::IsInvalidArgument(TcpListener::Listen("0.0.0.0:0", false).status()));
  CHECK(TcpListener::Listen("0.0.0.0:0", true).ok());
  for (const char* address : {"", ":", "127.0.0.1", "127.0.0.1:", "127.0.0.1:-1", "localhost:0",
                              "127.0.0.1:65536", "::1:0", "[127.0.0.1:0", "[127.0.0.1]:0"}) {
    CAPTURE(address);
    CHECK(absl::IsInvalidArgument(TcpListener::Listen(address, true).status()));
  }
  const TcpListener taken = TcpListener::Listen("127.0.0.1:0", false).value();
  const std::string address = "127.0.0.1:" + std::to_string(taken.port());
  CHECK(absl::IsUnavailable(TcpListener::Listen(address, false).status()));
}

TEST_CASE("A hello has a key and a number of GPUs, and nothing else") {
  const Hello hello{.device_key = test::DeviceKey().public_key(), .gpus = 3};
  const std::string text = EncodeHello(hello);
  const auto read = DecodeHello(text);
  REQUIRE(read.ok());
  CHECK(read->device_key == hello.device_key);
  CHECK(read->gpus == 3);
  for (const char* wrong :
       {"", "{}", "[]", "3", "{\"version\":1}", "null", "{\"version\":1,\"gpus\":1}"}) {
    CHECK(absl::IsInvalidArgument(DecodeHello(wrong).status()));
  }
  const auto changed = [&](const std::string& old, const std::string& with) {
    std::string other = text;
    other.replace(other.find(old), old.size(), with);
    return DecodeHello(other).status();
  };
  CHECK(absl::IsInvalidArgument(changed("\"gpus\":3", "\"gpus\":0")));
  CHECK(absl::IsInvalidArgument(changed("\"gpus\":3", "\"gpus\":17")));
  CHECK(absl::IsInvalidArgument(changed("\"gpus\":3", "\"gpus\":\"3\"")));
  CHECK(absl::IsInvalidArgument(changed("\"gpus\":3", "\"gpus\":3,\"gpus\":3")));
  CHECK(absl::IsInvalidArgument(changed("\"gpus\":3", "\"gpus\":3,\"name\":3")));
  CHECK(absl::IsInvalidArgument(changed("\"version\":1", "\"version\":2")));
}

}  // namespace
}  // namespace warpbook::probe
