#include "tests/bench/load_client.h"

#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <ctime>
#include <utility>

#include "schema/base/check.h"
#include "tests/bench/raw_websocket.h"

namespace warpbook::bench {
namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr size_t kReadBytes = 256 * 1024;

// A server's frame at the front of the bytes; size 0: it is not whole yet.
struct ServerFrame {
  size_t size = 0;
  uint8_t opcode = 0;
  std::string_view payload;
};
ServerFrame ReadFrame(std::string_view bytes) {
  if (bytes.size() < 2) return {};
  const auto byte = [&](size_t i) { return static_cast<uint8_t>(bytes[i]); };
  size_t head = 2;
  uint64_t length = byte(1);
  if (length >= 126) {
    head = length == 126 ? 4 : 10;
    if (bytes.size() < head) return {};
    length = 0;
    for (size_t i = 2; i < head; ++i) length = (length << 8) | byte(i);
  }
  if (bytes.size() < head + length) return {};
  return {.size = head + length,
          .opcode = static_cast<uint8_t>(byte(0) & 0xf),
          .payload = bytes.substr(head, length)};
}

}  // namespace

LoadClient::LoadClient(uint16_t port, size_t connections)
    : epoll_fd_(epoll_create1(EPOLL_CLOEXEC)), connections_(connections), buffer_(kReadBytes) {
  WARPBOOK_CHECK(epoll_fd_ >= 0);
  for (size_t i = 0; i < connections; ++i) {
    connections_[i].fd = OpenWebSocket(port);
    epoll_event event{.events = EPOLLIN, .data = {.u64 = i}};
    WARPBOOK_CHECK(epoll_ctl(epoll_fd_, EPOLL_CTL_ADD, connections_[i].fd, &event) == 0);
  }
}

LoadClient::~LoadClient() {
  for (const Connection& connection : connections_) close(connection.fd);
  close(epoll_fd_);
}

void LoadClient::Queue(Connection& connection, std::string_view text) {
  AppendFrame(connection.out, kFinal | kText, text);
}

void LoadClient::Flush(Connection& connection) {
  SendAll(connection.fd, connection.out);
  connection.out.clear();
}

template <typename OnText>
void LoadClient::Read(Connection& connection, OnText&& on_text) {
  const ssize_t got = recv(connection.fd, buffer_.data(), buffer_.size(), MSG_DONTWAIT);
  if (got < 0 && errno == EAGAIN) return;
  WARPBOOK_CHECK(got > 0);
  std::string_view bytes(buffer_.data(), static_cast<size_t>(got));
  if (!connection.in.empty()) {
    connection.in.append(bytes);
    bytes = connection.in;
  }
  while (true) {
    const ServerFrame frame = ReadFrame(bytes);
    if (frame.size == 0) break;
    if (frame.opcode == kText) on_text(frame.payload);
    WARPBOOK_CHECK(frame.opcode == kText || frame.opcode == kPing);
    bytes.remove_prefix(frame.size);
  }
  connection.in = std::string(bytes);
}

template <typename OnText>
void LoadClient::ReadReady(SteadyTime deadline, OnText&& on_text) {
  const auto left = std::max(deadline - SteadyClock::now(), SteadyClock::duration::zero());
  const timespec timeout{.tv_sec = left.count() / 1'000'000'000,
                         .tv_nsec = left.count() % 1'000'000'000};
  std::array<epoll_event, 256> events;
  const int count = epoll_pwait2(epoll_fd_, events.data(), events.size(), &timeout, nullptr);
  for (int i = 0; i < count; ++i) {
    const size_t index = events[static_cast<size_t>(i)].data.u64;
    Read(connections_[index], [&](std::string_view text) { on_text(index, text); });
  }
}

std::string LoadClient::Ask(size_t connection, std::string_view text) {
  Queue(connections_[connection], text);
  Flush(connections_[connection]);
  std::string answer;
  while (answer.empty()) {
    pollfd ready{connections_[connection].fd, POLLIN, 0};
    WARPBOOK_CHECK(poll(&ready, 1, 10'000) == 1);
    Read(connections_[connection], [&](std::string_view got) { answer = got; });
  }
  return answer;
}

double LoadClient::TimeClosedLoop(size_t in_flight, std::chrono::nanoseconds duration,
                                  NextMessage next, OnAnswer on_answer) {
  const auto refill = [&](size_t index) {
    Connection& connection = connections_[index];
    for (; connection.open < in_flight; ++connection.open) Queue(connection, next(index));
    Flush(connection);
  };
  const SteadyTime start = SteadyClock::now();
  for (size_t i = 0; i < connections_.size(); ++i) refill(i);
  uint64_t answers = 0;
  size_t last = connections_.size();
  while (SteadyClock::now() - start < duration) {
    ReadReady(start + duration, [&](size_t index, std::string_view text) {
      // All that came to a connection at once is taken before it gets more to do.
      if (last != index && last != connections_.size()) refill(last);
      last = index;
      ++answers;
      --connections_[index].open;
      on_answer(index, text);
    });
    if (last != connections_.size()) refill(std::exchange(last, connections_.size()));
  }
  const double seconds = std::chrono::duration<double>(SteadyClock::now() - start).count();
  const auto is_open = [](const Connection& connection) { return connection.open > 0; };
  while (std::ranges::any_of(connections_, is_open)) {
    ReadReady(SteadyClock::now() + std::chrono::seconds(10),
              [&](size_t index, std::string_view text) {
                --connections_[index].open;
                on_answer(index, text);
              });
  }
  return static_cast<double>(answers) / seconds;
}

Percentiles LoadClient::TimeOpenLoop(size_t count, int64_t per_second, NextMessage next,
                                     OnAnswer on_answer) {
  std::vector<int64_t> latencies;
  latencies.reserve(count);
  size_t sent = 0;
  const SteadyTime start = SteadyClock::now();
  const auto planned = [&](size_t number) {
    return start +
           std::chrono::nanoseconds(static_cast<int64_t>(number) * 1'000'000'000 / per_second);
  };
  while (latencies.size() < count) {
    while (sent < count && SteadyClock::now() >= planned(sent)) {
      const size_t index = sent % connections_.size();
      Queue(connections_[index], next(index));
      connections_[index].planned.push_back(planned(sent++));
      Flush(connections_[index]);
    }
    const SteadyTime deadline =
        sent < count ? planned(sent) : SteadyClock::now() + std::chrono::seconds(10);
    ReadReady(deadline, [&](size_t index, std::string_view text) {
      std::deque<SteadyTime>& waiting = connections_[index].planned;
      WARPBOOK_CHECK(!waiting.empty());
      latencies.push_back((SteadyClock::now() - waiting.front()).count());
      waiting.pop_front();
      on_answer(index, text);
    });
  }
  return PercentilesOf(std::move(latencies));
}

DrainedBytes LoadClient::Drain(absl::FunctionRef<bool()> stop) {
  DrainedBytes first;
  drained_bytes_ = 0;
  std::array<epoll_event, 256> events;
  while (!stop()) {
    const int count = epoll_wait(epoll_fd_, events.data(), events.size(), 10);
    for (int i = 0; i < count; ++i) {
      const size_t index = events[static_cast<size_t>(i)].data.u64;
      if (index == 0) {
        Read(connections_[0], [&](std::string_view text) {
          first.first_bytes += text.size();
          ++first.first_messages;
          drained_bytes_ += text.size();
        });
        continue;
      }
      const ssize_t got =
          recv(connections_[index].fd, buffer_.data(), buffer_.size(), MSG_DONTWAIT);
      WARPBOOK_CHECK(got != 0);
      if (got > 0) drained_bytes_ += static_cast<uint64_t>(got);
    }
  }
  return first;
}

}  // namespace warpbook::bench
