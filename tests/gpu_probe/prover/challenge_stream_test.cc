#include "gpu_probe/prover/challenge_stream.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <future>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include "absl/strings/match.h"
#include "gpu_probe/prover/challenge_server.h"
#include "gpu_probe/prover/json_text.h"
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

// Bytes without end, as fast as they go, until some time after the reader's has passed. Each is
// read for itself, so that at the end of the time a step of the reading has always just been done.
TEST_CASE("Who drips bytes across the end of the time does not hold the reader up") {
  for (int trial = 0; trial < 20; ++trial) {
    Pair pair = Connected();
    std::string body(size_t{1} << 16, '\0');
    const Moment until = In(milliseconds(20));
    std::atomic<bool> is_read = false;
    std::jthread dripping([&pair, &is_read, until] {
      while (!is_read && std::chrono::steady_clock::now() < until + milliseconds(30)) {
        if (!pair.theirs.Write("x", In(milliseconds(1'000))).ok()) return;
      }
    });
    auto read = std::async(std::launch::async, [&pair, &body, until] {
      return pair.ours.Read(std::span(body.data(), body.size()), until);
    });
    // A reader that waits for ever is let go, so that the test ends.
    const bool has_ended = read.wait_for(std::chrono::seconds(20)) == std::future_status::ready;
    is_read = true;
    dripping.join();
    if (!has_ended) TcpStream(std::move(pair.theirs)).Finish(In(milliseconds(0)));
    CHECK(has_ended);
    const absl::Status status = read.get();
    CHECK((status.ok() || absl::IsDeadlineExceeded(status)));
    if (!has_ended) return;
  }
}

TEST_CASE("Who waits for a name does not wait longer than was said") {
  // There is no such name (RFC 6761), and it may take long to learn.
  const absl::Status status =
      TcpStream::Connect("nobody.invalid:7400", In(milliseconds(1))).status();
  CHECK((absl::IsDeadlineExceeded(status) || absl::IsUnavailable(status)));
}

TEST_CASE("Whether there is something to be read is known without waiting") {
  Pair pair = Connected();
  CHECK_FALSE(pair.ours.HasInput());
  REQUIRE(pair.theirs.Write("x", In(milliseconds(5'000))).ok());
  std::array<char, 1> byte;
  REQUIRE(pair.ours.Read(byte, In(milliseconds(5'000))).ok());
  CHECK_FALSE(pair.ours.HasInput());
  pair.theirs.Finish(In(milliseconds(0)));
  CHECK(absl::IsUnavailable(pair.ours.Read(byte, In(milliseconds(5'000)))));
  CHECK(pair.ours.HasInput());  // the end
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

TEST_CASE("A hello has a key, a number of GPUs and a signature, and nothing else") {
  const Greeting greeting = {1, 2, 3};
  const std::string text = EncodeHello(greeting, test::DeviceKey(), 3);
  const auto read = DecodeHello(text, greeting);
  REQUIRE(read.ok());
  CHECK(read->device_key == test::DeviceKey().public_key());
  CHECK(read->gpus == 3);
  for (const char* wrong :
       {"", "{}", "[]", "3", "{\"version\":2}", "null", "{\"version\":2,\"gpus\":1}"}) {
    CHECK(absl::IsInvalidArgument(DecodeHello(wrong, greeting).status()));
  }
  const auto changed = [&](const std::string& old, const std::string& with) {
    std::string other = text;
    other.replace(other.find(old), old.size(), with);
    return DecodeHello(other, greeting).status();
  };
  CHECK(absl::IsInvalidArgument(changed("\"gpus\":3", "\"gpus\":0")));
  CHECK(absl::IsInvalidArgument(changed("\"gpus\":3", "\"gpus\":17")));
  CHECK(absl::IsInvalidArgument(changed("\"gpus\":3", "\"gpus\":\"3\"")));
  CHECK(absl::IsInvalidArgument(changed("\"gpus\":3", "\"gpus\":3,\"gpus\":3")));
  CHECK(absl::IsInvalidArgument(changed("\"gpus\":3", "\"gpus\":3,\"name\":3")));
  CHECK(absl::IsInvalidArgument(changed("\"version\":2", "\"version\":1")));
}

TEST_CASE("A hello counts for the greeting, the key and the GPUs that it was signed for") {
  const Greeting greeting = {1, 2, 3};
  const std::string text = EncodeHello(greeting, test::DeviceKey(), 3);
  const auto is_signed = [](const std::string& hello, const Greeting& by) {
    return !absl::StrContains(std::string(DecodeHello(hello, by).status().message()), "not signed");
  };
  CHECK(is_signed(text, greeting));
  CHECK_FALSE(is_signed(text, Greeting{1, 2, 4}));
  const auto replaced = [&text](const std::string& old, const std::string& with) {
    std::string other = text;
    return other.replace(other.find(old), old.size(), with);
  };
  CHECK_FALSE(is_signed(replaced("\"gpus\":3", "\"gpus\":2"), greeting));
  // Somebody else's key, which is known to everybody, with one's own signature.
  CHECK_FALSE(is_signed(
      replaced(Hex(test::DeviceKey().public_key()), Hex(test::OtherKey().public_key())), greeting));
}

// ---- The order of messages, against the server
// ---------------------------------------------------

const ClassTable& Table() {
  static const ClassTable table({test::TestRow("H100-SXM")});
  return table;
}

// A server, what it says of connections, and a connection to it.
class Served {
 public:
  Served() {
    serving_ = std::jthread([this] { CHECK(server_.Serve(listener_, stop_).ok()); });
  }
  ~Served() { Stop(); }
  void Stop() {
    stop_ = true;
    if (serving_.joinable()) serving_.join();
  }

  void AwaitVerdict() { told_.get_future().wait_for(std::chrono::seconds(30)); }

  struct Told {
    ProbeReason reason;
    VerifierRecord record;
  };
  // After Stop.
  const std::vector<Told>& verdicts() const { return verdicts_; }
  const std::vector<std::string>& faults() const { return faults_; }

  TcpStream Connect() const {
    return TcpStream::Connect("127.0.0.1:" + std::to_string(listener_.port()),
                              In(milliseconds(30'000)))
        .value();
  }

 private:
  TcpListener listener_ = TcpListener::Listen("127.0.0.1:0", false).value();
  std::atomic<bool> stop_ = false;
  std::vector<Told> verdicts_;
  std::promise<void> told_;  // the first
  std::vector<std::string> faults_;
  ChallengeServer server_{
      {.asker = {.table = Table(), .hardware_class = "H100-SXM", .is_small = true},
       .device_key = std::nullopt},
      [this](const ServedVerdict& served) {
        verdicts_.push_back({served.verdict.refusal(), served.session.record()});
        if (verdicts_.size() == 1) told_.set_value();
        return absl::OkStatus();
      },
      [this](const std::string& what) { faults_.push_back(what); }};
  std::jthread serving_;
};

Message ReadOf(TcpStream& stream, MessageKind kind) {
  const auto message = ReadMessage(stream, kReportBytesMax, In(milliseconds(30'000)));
  REQUIRE(message.ok());
  REQUIRE(message->kind == kind);
  return *message;
}

void Send(TcpStream& stream, MessageKind kind, ProbeStage stage, std::string_view body) {
  REQUIRE(SendMessage(stream, kind, stage, body, In(milliseconds(30'000))).ok());
}

Greeting GreetingOf(TcpStream& stream) {
  const Message message = ReadOf(stream, MessageKind::kGreeting);
  Greeting greeting{};
  REQUIRE(message.body.size() == greeting.size());
  std::ranges::copy(message.body, greeting.begin());
  return greeting;
}

// Up to the sizes.
Challenge SizesOf(TcpStream& stream) {
  Send(stream, MessageKind::kHello, ProbeStage::kProducts,
       EncodeHello(GreetingOf(stream), test::DeviceKey(), 1));
  return DecodeChallenge(ReadOf(stream, MessageKind::kSizes).body).value();
}

TEST_CASE("Getting ready does not count: the clock runs from the challenge on") {
  Served served;
  TcpStream stream = served.Connect();
  const Challenge sizes = SizesOf(stream);
  CHECK(sizes.nonce == Seed{});
  CHECK(sizes.expires_us == 0);
  // What it takes to make the provers.
  std::this_thread::sleep_for(milliseconds(400));
  const Moment ready = std::chrono::steady_clock::now();
  Send(stream, MessageKind::kReady, ProbeStage::kProducts, "");
  const Challenge challenge = DecodeChallenge(ReadOf(stream, MessageKind::kChallenge).body).value();
  CHECK(challenge.nonce != Seed{});
  CHECK(challenge.size == sizes.size);
  CHECK(challenge.expires_us > 0);
  const size_t roots = static_cast<size_t>(challenge.size.compute.rounds) * sizeof(Sha256Digest);
  Send(stream, MessageKind::kAnswer, ProbeStage::kProducts, std::string(roots, 'x'));
  Send(stream, MessageKind::kAnswer, ProbeStage::kFilled, "");
  ReadOf(stream, MessageKind::kQuestion);
  const auto took = std::chrono::steady_clock::now() - ready;
  // The connection is left, which is a verdict, with the times until then.
  stream.Finish(In(milliseconds(0)));
  served.AwaitVerdict();
  served.Stop();
  REQUIRE(served.verdicts().size() == 1);
  const VerifierRecord& record = served.verdicts()[0].record;
  const auto counted = std::chrono::microseconds(record.products_us + record.fill_us);
  CHECK(counted <= took);
}

TEST_CASE("A hello that is not signed for the greeting comes to no verdict") {
  Served served;
  const std::string replayed = EncodeHello(Greeting{7}, test::DeviceKey(), 1);
  TcpStream stream = served.Connect();
  CHECK(GreetingOf(stream) != Greeting{7});
  Send(stream, MessageKind::kHello, ProbeStage::kProducts, replayed);
  CHECK(absl::StrContains(ReadOf(stream, MessageKind::kRefusal).body, "not signed"));
  TcpStream one = served.Connect();
  TcpStream other = served.Connect();
  CHECK(GreetingOf(one) != GreetingOf(other));
  served.Stop();
  CHECK(served.verdicts().empty());
  CHECK_FALSE(served.faults().empty());
}

TEST_CASE("Who leaves before it is ready, or is cut off by the server's end, has no verdict") {
  Served served;
  {
    TcpStream gone = served.Connect();
    SizesOf(gone);
  }
  TcpStream wrong = served.Connect();
  SizesOf(wrong);
  Send(wrong, MessageKind::kAnswer, ProbeStage::kProducts, "");
  ReadOf(wrong, MessageKind::kRefusal);
  TcpStream asked = served.Connect();
  SizesOf(asked);
  Send(asked, MessageKind::kReady, ProbeStage::kProducts, "");
  ReadOf(asked, MessageKind::kChallenge);
  served.Stop();
  CHECK(served.verdicts().empty());
  CHECK(ReadOf(asked, MessageKind::kRefusal).body == "the verifier is ending");
}

}  // namespace
}  // namespace warpbook::probe
