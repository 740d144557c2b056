#include "tests/bench/attacks.h"

#include <sys/socket.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <thread>

#include "absl/strings/str_cat.h"
#include "schema/base/check.h"
#include "tests/bench/raw_websocket.h"

namespace warpbook::bench {
namespace {

using SteadyClock = std::chrono::steady_clock;

// Where attackers come from: a limit by address does not stop them all at once.
constexpr std::array<const char*, 5> kAddresses = {"127.0.0.2", "127.0.0.3", "127.0.0.4",
                                                   "127.0.0.5", "127.0.0.6"};
const char* AddressOf(size_t number) { return kAddresses[number % kAddresses.size()]; }

// Does something each millisecond.
class PacedAttack : public Attack {
 public:
  explicit PacedAttack(uint16_t port) : port_(port) {}
  ~PacedAttack() override { WARPBOOK_CHECK(!thread_.joinable()); }

  void Start() {
    thread_ = std::thread([this] {
      auto next = SteadyClock::now();
      while (!stop_.load()) {
        Step();
        next = std::max(next + std::chrono::milliseconds(1), SteadyClock::now());
        std::this_thread::sleep_until(next);
      }
      End();
    });
  }
  void Stop() override {
    stop_ = true;
    thread_.join();
  }

 protected:
  virtual void Step() = 0;
  virtual void End() {}
  const uint16_t port_;

 private:
  std::atomic<bool> stop_ = false;
  std::thread thread_;
};

template <typename A>
std::unique_ptr<Attack> Start(const GatewayMarket& market) {
  auto attack = std::make_unique<A>(market);
  attack->Start();
  return attack;
}

// False where the other side has ended the connection.
bool TrySend(int fd, std::string_view bytes) {
  const ssize_t sent = send(fd, bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  return sent > 0 || errno == EAGAIN;
}

// What has come and is thrown away; false at the end of the connection.
bool DiscardInput(int fd) {
  char bytes[4'096];
  const ssize_t got = recv(fd, bytes, sizeof bytes, MSG_DONTWAIT);
  return got > 0 || (got < 0 && errno == EAGAIN);
}

// 5,000 connections that send a byte a second: every other one its HTTP request, the rest a
// message.
class SlowBytes final : public PacedAttack {
 public:
  explicit SlowBytes(const GatewayMarket& market)
      : PacedAttack(market.port()), request_(UpgradeRequest()) {
    AppendFrame(message_, kFinal | kText, std::string(60'000, ' '));
    for (size_t i = 0; i < kConnections; ++i) Open(connections_.emplace_back(), i);
  }
  std::string Report() const override {
    return absl::StrCat(kConnections, " connections, ", sent_, " bytes, ", closed_,
                        " were closed and came again");
  }

 private:
  static constexpr size_t kConnections = 5'000;
  struct Connection {
    int fd = -1;
    size_t position = 0;
    bool is_open = false;  // as a WebSocket
  };

  void Open(Connection& connection, size_t number) {
    connection.is_open = number % 2 == 1;
    connection.position = 0;
    connection.fd = connection.is_open ? OpenWebSocket(port_, AddressOf(number))
                                       : ConnectLoopback(port_, AddressOf(number));
  }
  void Step() override {
    for (size_t i = 0; i < kConnections / 1'000; ++i, next_ = (next_ + 1) % kConnections) {
      Connection& connection = connections_[next_];
      const std::string& script = connection.is_open ? message_ : request_;
      const bool ended =
          connection.position == script.size() || !DiscardInput(connection.fd) ||
          !TrySend(connection.fd, std::string_view(script).substr(connection.position++, 1));
      ++sent_;
      if (!ended) continue;
      close(connection.fd);
      ++closed_;
      Open(connection, next_);
    }
  }
  void End() override {
    for (const Connection& connection : connections_) close(connection.fd);
  }

  const std::string request_;
  std::string message_;
  std::vector<Connection> connections_;
  size_t next_ = 0;
  uint64_t sent_ = 0, closed_ = 0;
};

// Connections that do something again and again; one that was closed comes again.
class Repeated : public PacedAttack {
 public:
  Repeated(const GatewayMarket& market, size_t connections, std::string what)
      : PacedAttack(market.port()), what_(std::move(what)), fds_(connections, -1) {}
  std::string Report() const override {
    return absl::StrCat(fds_.size(), " connections, ", sent_, " ", what_, ", ", closed_,
                        " times one was closed and came again");
  }

 protected:
  virtual int Open(size_t connection) = 0;
  // What the connection sends each time.
  virtual std::string_view Bytes() const = 0;
  virtual bool Reads() const { return true; }
  virtual size_t PerStep() const = 0;

  void Step() override {
    for (size_t i = 0; i < PerStep(); ++i, next_ = (next_ + 1) % fds_.size()) {
      int& fd = fds_[next_];
      if (fd < 0) fd = Open(next_);
      ++sent_;
      if ((!Reads() || DiscardInput(fd)) && TrySend(fd, Bytes())) continue;
      close(fd);
      fd = -1;
      ++closed_;
    }
  }
  void End() override {
    for (const int fd : fds_) close(fd);
  }

 private:
  const std::string what_;
  std::vector<int> fds_;
  size_t next_ = 0;
  uint64_t sent_ = 0, closed_ = 0;
};

// They ask for more and more, and read nothing of it.
class NeverReads final : public Repeated {
 public:
  explicit NeverReads(const GatewayMarket& market)
      : Repeated(market, 50, "requests without reading an answer"), symbol_(market.symbol()) {
    AppendFrame(frame_, kFinal | kText, R"({"method":"instruments"})");
  }

 private:
  int Open(size_t connection) override {
    const int fd = OpenWebSocket(port_, AddressOf(connection));
    const int bytes = 4'096;
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
    std::string frames;
    for (const char* channel : {"book", "trades"}) {
      AppendFrame(frames, kFinal | kText,
                  absl::StrCat(R"({"method":"subscribe","params":{"channel":")", channel,
                               R"(","symbol":")", symbol_, R"("}})"));
    }
    SendAll(fd, frames);
    return fd;
  }
  std::string_view Bytes() const override { return frame_; }
  bool Reads() const override { return false; }
  size_t PerStep() const override { return 2; }

  const std::string symbol_;
  std::string frame_;
};

// Small frames that would be large messages.
class DeflateBomb final : public Repeated {
 public:
  explicit DeflateBomb(const GatewayMarket& market) : Repeated(market, 10, "bombs of 32 MiB") {
    std::string zeros(size_t{32} << 20, '\0'), packed(64 * 1'024, '\0');
    z_stream stream{};
    WARPBOOK_CHECK(deflateInit2(&stream, 9, Z_DEFLATED, -15, 9, Z_DEFAULT_STRATEGY) == Z_OK);
    stream.next_in = reinterpret_cast<Bytef*>(zeros.data());
    stream.avail_in = static_cast<uInt>(zeros.size());
    stream.next_out = reinterpret_cast<Bytef*>(packed.data());
    stream.avail_out = static_cast<uInt>(packed.size());
    WARPBOOK_CHECK(deflate(&stream, Z_SYNC_FLUSH) == Z_OK && stream.avail_in == 0);
    packed.resize(stream.total_out - 4);  // without 00 00 ff ff (RFC 7692, 7.2.1)
    deflateEnd(&stream);
    AppendFrame(frame_, kFinal | kCompressed | kText, packed);
  }

 private:
  int Open(size_t connection) override {
    return OpenWebSocket(port_, AddressOf(connection),
                         "Sec-WebSocket-Extensions: permessage-deflate\r\n");
  }
  std::string_view Bytes() const override { return frame_; }
  size_t PerStep() const override { return ++step_ % 10 == 0 ? 1 : 0; }

  std::string frame_;
  mutable uint64_t step_ = 0;
};

// A message that never ends, in fragments of nothing.
class EndlessFragments final : public Repeated {
 public:
  explicit EndlessFragments(const GatewayMarket& market)
      : Repeated(market, 50, "times a hundred empty fragments") {
    for (int i = 0; i < 100; ++i) AppendFrame(fragments_, kContinuation, "");
  }

 private:
  int Open(size_t connection) override {
    const int fd = OpenWebSocket(port_, AddressOf(connection));
    std::string first;
    AppendFrame(first, kText, "{");
    SendAll(fd, first);
    return fd;
  }
  std::string_view Bytes() const override { return fragments_; }
  size_t PerStep() const override { return 2; }

  std::string fragments_;
};

// A logon that was good once.
class ReplayedLogons final : public Repeated {
 public:
  explicit ReplayedLogons(const GatewayMarket& market)
      : Repeated(market, 50, "challenges with somebody's old logon") {
    LoadClient client(market.port(), 1);
    const std::string challenge = client.Ask(0, kChallenge);
    AppendFrame(frames_, kFinal | kText, kChallenge);
    AppendFrame(frames_, kFinal | kText, market.LogonText(0, challenge));
  }

 private:
  static constexpr const char* kChallenge = R"({"method":"session.challenge"})";
  int Open(size_t connection) override { return OpenWebSocket(port_, AddressOf(connection)); }
  std::string_view Bytes() const override { return frames_; }
  size_t PerStep() const override { return 1; }

  std::string frames_;
};

// Pages of another origin.
class ForeignOrigin final : public PacedAttack {
 public:
  explicit ForeignOrigin(const GatewayMarket& market) : PacedAttack(market.port()) {}
  std::string Report() const override {
    return absl::StrCat(tried_, " handshakes, ", refused_, " answered with 403");
  }

 private:
  void Step() override {
    if (++step_ % 2 == 0) return;
    const int fd = ConnectLoopback(port_, AddressOf(tried_++));
    SendAll(fd, UpgradeRequest("Origin: https://evil.example\r\n"));
    refused_ += ReadHttpHeader(fd).find(" 403 ") != std::string::npos ? 1 : 0;
    close(fd);
  }

  uint64_t step_ = 0, tried_ = 0, refused_ = 0;
};

// One account, 16 connections, 20,000 orders a second.
class Flood final : public Attack {
 public:
  explicit Flood(const GatewayMarket& market) : client_(market.port(), 16), orders_(market, 16) {
    for (size_t i = 0; i < client_.size(); ++i) market.Logon(client_, i, market.members() - 1);
  }
  void Start() {
    thread_ = std::thread([this] {
      while (!stop_.load()) {
        client_.TimeOpenLoop(
            kPerSecond / 10, kPerSecond,
            [&](size_t connection) { return orders_.Next(connection); },
            [&](size_t, std::string_view text) { orders_.OnAnswer(text); });
        sent_ += kPerSecond / 10;
      }
    });
  }
  void Stop() override {
    stop_ = true;
    thread_.join();
  }
  std::string Report() const override {
    return absl::StrCat(sent_, " orders, ", orders_.refused(), " of them refused");
  }

 private:
  static constexpr int64_t kPerSecond = 20'000;
  LoadClient client_;
  OrderMessages orders_;
  std::atomic<bool> stop_ = false;
  std::thread thread_;
  uint64_t sent_ = 0;
};

}  // namespace

const std::vector<AttackKind>& AllAttacks() {
  static const auto* const kinds = new std::vector<AttackKind>{
      {"one-byte-a-second", "5,000 connections that send a byte a second", &Start<SlowBytes>},
      {"never-reads", "50 connections, 2,000 long questions a second, no answer read",
       &Start<NeverReads>},
      {"deflate-bomb", "100 frames a second that would be 32 MiB", &Start<DeflateBomb>},
      {"endless-fragments", "50 connections, 200,000 empty fragments a second",
       &Start<EndlessFragments>},
      {"replayed-logons", "50 connections, 1,000 old logons a second", &Start<ReplayedLogons>},
      {"foreign-origin", "500 handshakes a second from a foreign page", &Start<ForeignOrigin>},
      {"flood", "one account, 16 connections, 20,000 orders a second", &Start<Flood>}};
  return *kinds;
}

}  // namespace warpbook::bench
