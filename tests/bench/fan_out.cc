#include "tests/bench/fan_out.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "schema/base/check.h"
#include "tests/bench/process.h"

namespace warpbook::bench {
namespace {

using SteadyClock = std::chrono::steady_clock;

// Opens WebSockets without looking at who asks, and fills them.
class ReadyServer {
 public:
  explicit ReadyServer(size_t sockets)
      : listener_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)), wanted_(sockets) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* const any = reinterpret_cast<sockaddr*>(&address);
    WARPBOOK_CHECK(bind(listener_, any, size) == 0 && listen(listener_, 128) == 0);
    WARPBOOK_CHECK(getsockname(listener_, any, &size) == 0);
    port_ = ntohs(address.sin_port);
    accepting_ = std::thread([this] { Accept(); });
  }
  ~ReadyServer() {
    for (const int fd : sockets_) close(fd);
    close(listener_);
  }

  uint16_t port() const { return port_; }
  void AwaitSockets() { accepting_.join(); }

  // Writes the message to each socket that takes it, in turn, until told to stop.
  void Write(const std::string& message, const std::atomic<bool>& stop) {
    while (!stop.load()) {
      for (const int fd : sockets_) {
        // A part of a message is the rest of it less the next time: bytes are what counts.
        const ssize_t sent = send(fd, message.data(), message.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
        WARPBOOK_CHECK(sent > 0 || errno == EAGAIN);
      }
    }
  }

 private:
  void Accept() {
    while (sockets_.size() < wanted_) {
      const int fd = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      WARPBOOK_CHECK(fd >= 0);
      char request[1'024];
      WARPBOOK_CHECK(recv(fd, request, sizeof request, 0) > 0);
      constexpr std::string_view kAnswer = "HTTP/1.1 101 Switching Protocols\r\n\r\n";
      WARPBOOK_CHECK(send(fd, kAnswer.data(), kAnswer.size(), 0) > 0);
      sockets_.push_back(fd);
    }
  }

  const int listener_;
  const size_t wanted_;
  uint16_t port_ = 0;
  std::thread accepting_;
  std::vector<int> sockets_;
};

}  // namespace

FanOut::FanOut(const GatewayMarket& market, size_t subscribers)
    : market_(market),
      trader_(market.port(), 1),
      orders_(market, 1),
      subscribers_(market.port(), subscribers) {
  market_.Logon(trader_);
}

void FanOut::Subscribe(const char* method) {
  const std::string request =
      absl::StrCat(R"({"method":")", method, R"(","params":{"channel":"book","symbol":")",
                   market_.symbol(), R"("}})");
  for (size_t i = 0; i < subscribers_.size(); ++i) subscribers_.Ask(i, request);
}

FanOutRound FanOut::Measure(double seconds, int64_t orders_per_second) {
  const auto trade = [&] {
    return trader_.TimeOpenLoop(
        static_cast<size_t>(seconds * static_cast<double>(orders_per_second)), orders_per_second,
        [&](size_t connection) { return orders_.Next(connection); },
        [&](size_t, std::string_view text) { orders_.OnAnswer(text); });
  };
  FanOutRound round;
  round.quiet = trade();
  Subscribe("subscribe");
  std::atomic<bool> stop = false;
  DrainedBytes drained;
  std::thread reader([&] {
    YieldToOthers();
    drained = subscribers_.Drain([&] { return stop.load(); });
  });
  const auto start = SteadyClock::now();
  round.busy = trade();
  const double taken = std::chrono::duration<double>(SteadyClock::now() - start).count();
  round.bytes_per_second = static_cast<double>(subscribers_.drained_bytes()) / taken;
  // Those who wait for more than there will be are read to the end before they unsubscribe.
  std::this_thread::sleep_for(std::chrono::milliseconds(500));
  stop = true;
  reader.join();
  round.message_bytes = drained.first_bytes / std::max<uint64_t>(drained.first_messages, 1);
  Subscribe("unsubscribe");
  WARPBOOK_CHECK(orders_.refused() == 0);
  return round;
}

double TimeReadyBuffer(size_t sockets, size_t message_bytes, double seconds) {
  ReadyServer server(sockets);
  LoadClient client(server.port(), sockets);
  server.AwaitSockets();
  // One unmasked text frame.
  std::string message = {'\x81', '\x7e', static_cast<char>((message_bytes - 4) >> 8),
                         static_cast<char>((message_bytes - 4) & 0xff)};
  message.resize(message_bytes, 'x');
  std::atomic<bool> stop = false;
  std::thread writer([&] { server.Write(message, stop); });
  double rate = 0;
  std::thread reader([&] {
    YieldToOthers();
    const auto start = SteadyClock::now();
    const std::chrono::duration<double> duration(seconds);
    client.Drain([&] { return SteadyClock::now() - start >= duration; });
    rate = static_cast<double>(client.drained_bytes()) /
           std::chrono::duration<double>(SteadyClock::now() - start).count();
  });
  reader.join();
  stop = true;
  writer.join();
  return rate;
}

}  // namespace warpbook::bench
