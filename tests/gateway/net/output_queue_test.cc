#include "gateway/net/output_queue.h"

#include <doctest/doctest.h>

#include <array>
#include <random>
#include <string>

namespace warpbook::gateway {
namespace {

GatewayLimits SmallLimits() {
  GatewayLimits limits;
  limits.send_queue_public_bytes = 1'000;
  limits.send_queue_bytes_max = 3'000;
  limits.send_queue_messages_max = 10;
  return limits;
}

std::shared_ptr<const std::string> Shared(size_t count, char fill = 's') {
  return std::make_shared<const std::string>(count, fill);
}

bool Push(OutputQueue& queue, std::string_view payload, int64_t now = 0) {
  return queue.Push(Opcode::kText, payload, false, now);
}
bool PushShared(OutputQueue& queue, std::shared_ptr<const std::string> payload) {
  return queue.PushShared(Opcode::kText, std::move(payload), false, 0);
}

// What the next write would be given.
std::string Gathered(const OutputQueue& queue, size_t pieces_max = 64) {
  std::array<iovec, 64> pieces;
  std::string bytes;
  const size_t count = queue.Gather(std::span(pieces).first(pieces_max));
  for (size_t i = 0; i < count; ++i) {
    bytes.append(static_cast<const char*>(pieces[i].iov_base), pieces[i].iov_len);
  }
  return bytes;
}

std::string Frame(std::string_view payload) {
  std::string frame;
  AppendFrame(frame, Opcode::kText, payload);
  return frame;
}

}  // namespace

TEST_CASE("An output queue gives in order what it took, however the writes cut it") {
  GatewayLimits limits;
  OutputPool pool;
  OutputQueue queue(limits, pool);
  std::mt19937 random(3);
  std::string expected, written;
  for (int round = 0; round < 300; ++round) {
    for (int i = 0; i < 5; ++i) {
      const size_t size = random() % 1'000;
      const char fill = static_cast<char>('a' + random() % 26);
      CHECK((random() % 2 == 0 ? Push(queue, std::string(size, fill))
                               : PushShared(queue, Shared(size, fill))));
      expected += Frame(std::string(size, fill));
    }
    const std::string next = Gathered(queue, 1 + random() % 8);
    const size_t taken = round == 299 ? 0 : random() % (next.size() + 1);
    written += next.substr(0, taken);
    queue.OnWritten(taken, 0);
    REQUIRE(queue.bytes() == expected.size() - written.size());
  }
  while (!queue.empty()) {
    const std::string next = Gathered(queue);
    REQUIRE_FALSE(next.empty());
    written += next;
    queue.OnWritten(next.size(), 0);
  }
  CHECK(written == expected);
}

TEST_CASE("Own frames that follow each other are one piece, a long shared payload one of its own") {
  GatewayLimits limits;
  OutputPool pool;
  OutputQueue queue(limits, pool);
  std::array<iovec, 8> pieces;
  for (int i = 0; i < 100; ++i) Push(queue, "own");
  CHECK(queue.Gather(pieces) == 1);
  const auto shared = Shared(5'000);
  PushShared(queue, shared);
  Push(queue, "own");
  CHECK(queue.Gather(pieces) == 3);
  CHECK(pieces[1].iov_base == shared->data());
  CHECK(shared.use_count() == 2);
  queue.Clear();
  CHECK(shared.use_count() == 1);
}

TEST_CASE("Market data has less room than replies, and a snapshot longer than that fits alone") {
  const GatewayLimits limits = SmallLimits();
  OutputPool pool;
  OutputQueue queue(limits, pool);
  CHECK(PushShared(queue, Shared(2'000)));
  CHECK_FALSE(PushShared(queue, Shared(1)));
  CHECK_FALSE(queue.has_room_for_public());
  CHECK(Push(queue, std::string(900, 'x')));
  CHECK_FALSE(Push(queue, std::string(200, 'x')));
  queue.OnWritten(2'004, 0);
  CHECK_FALSE(queue.has_room_for_public());
  queue.OnWritten(500, 0);
  CHECK(queue.has_room_for_public());
  CHECK(PushShared(queue, Shared(400)));
  CHECK_FALSE(PushShared(queue, Shared(400)));
}

TEST_CASE("An output queue is bounded in messages too") {
  const GatewayLimits limits = SmallLimits();
  OutputPool pool;
  OutputQueue queue(limits, pool);
  for (int i = 0; i < 10; ++i) CHECK(Push(queue, ""));
  CHECK_FALSE(Push(queue, ""));
  queue.OnWritten(2, 0);
  CHECK(Push(queue, ""));
}

TEST_CASE("What waits grows old, and what is behind it is younger") {
  const GatewayLimits limits;
  OutputPool pool;
  OutputQueue queue(limits, pool);
  CHECK(queue.AgeMicros(1'000) == 0);
  Push(queue, std::string(98, 'a'), 1'000);
  CHECK(queue.AgeMicros(5'000) == 4'000);
  Push(queue, std::string(98, 'b'), 3'000);
  queue.OnWritten(99, 4'000);
  CHECK(queue.AgeMicros(5'000) == 4'000);  // one byte of the first is left
  queue.OnWritten(1, 4'500);
  CHECK(queue.AgeMicros(5'000) == 500);
  queue.OnWritten(100, 6'000);
  CHECK(queue.AgeMicros(9'000) == 0);
}

TEST_CASE("Dropping what waits leaves the rest of a frame that has begun to leave") {
  const GatewayLimits limits;
  OutputPool pool;
  OutputQueue queue(limits, pool);
  for (int i = 0; i < 3; ++i) Push(queue, "message " + std::to_string(i));
  PushShared(queue, Shared(1'000));
  queue.DropUnbegun();
  CHECK(queue.empty());
  Push(queue, "zero");
  PushShared(queue, Shared(1'000));
  Push(queue, "two");
  queue.OnWritten(6 + 300, 0);
  queue.DropUnbegun();
  CHECK(queue.bytes() == 704);
  queue.PushBytes("last", 0);
  CHECK(Gathered(queue) == std::string(704, 's') + "last");
}

TEST_CASE("An empty queue gives its memory back to the pool, and takes it from there") {
  const GatewayLimits limits;
  OutputPool pool;
  OutputQueue first(limits, pool), second(limits, pool);
  Push(first, std::string(1'000, 'x'));
  std::array<iovec, 1> piece;
  first.Gather(piece);
  const void* memory = piece[0].iov_base;
  first.OnWritten(first.bytes(), 0);
  Push(second, std::string(1'000, 'y'));
  second.Gather(piece);
  CHECK(piece[0].iov_base == memory);
}

}  // namespace warpbook::gateway
