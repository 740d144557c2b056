#include "gateway/net/send_queue.h"

#include <doctest/doctest.h>

#include <string>

namespace warpbook::gateway {
namespace {

GatewayLimits SmallLimits() {
  GatewayLimits limits;
  limits.send_queue_public_bytes = 100;
  limits.send_queue_bytes_max = 300;
  limits.send_queue_messages_max = 10;
  return limits;
}

SharedMessage Bytes(size_t count) { return Share(Encoding::kJson, std::string(count, 'x')); }

}  // namespace

TEST_CASE("A send queue gives back in order what it took") {
  const GatewayLimits limits = SmallLimits();
  SendQueue queue(limits);
  CHECK(queue.Push(Share(Encoding::kJson, "a")));
  CHECK(queue.PushPublic(Share(Encoding::kJson, "b")));
  CHECK(queue.Pop()->payload == "a");
  CHECK(queue.Pop()->payload == "b");
  CHECK(queue.empty());
  CHECK(queue.bytes() == 0);
}

TEST_CASE(
    "Market data has less room than replies, and a snapshot longer than that room fits alone") {
  const GatewayLimits limits = SmallLimits();
  SendQueue queue(limits);
  CHECK(queue.PushPublic(Bytes(200)));
  CHECK_FALSE(queue.PushPublic(Bytes(1)));
  CHECK_FALSE(queue.has_room_for_public());
  CHECK(queue.Push(Bytes(100)));
  CHECK_FALSE(queue.Push(Bytes(1)));
  CHECK(queue.bytes() == 300);
  queue.Pop();
  CHECK_FALSE(queue.has_room_for_public());
  queue.Pop();
  CHECK(queue.has_room_for_public());
  CHECK(queue.PushPublic(Bytes(60)));
  CHECK(queue.PushPublic(Bytes(40)));
  CHECK_FALSE(queue.PushPublic(Bytes(1)));
}

TEST_CASE("A send queue is bounded in messages too") {
  const GatewayLimits limits = SmallLimits();
  SendQueue queue(limits);
  for (int i = 0; i < 10; ++i) CHECK(queue.Push(Bytes(0)));
  CHECK_FALSE(queue.Push(Bytes(0)));
  queue.Clear();
  CHECK(queue.empty());
  CHECK(queue.Push(Bytes(0)));
}

}  // namespace warpbook::gateway
