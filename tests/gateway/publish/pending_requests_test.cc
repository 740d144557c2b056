#include "gateway/publish/pending_requests.h"

#include <doctest/doctest.h>

namespace warpbook::gateway {

TEST_CASE("Tags of two processes never meet, and none is 0") {
  PendingRequests zero(0);
  CHECK(zero.NextTag() == 1);
  PendingRequests first(0x1111), second(0x2222);
  for (int i = 0; i < 1'000; ++i) CHECK((first.NextTag() >> 32) == 0x1111);
  CHECK(first.NextTag() != second.NextTag());
}

TEST_CASE("A request is found by its tag until it is taken, and counted for its connection") {
  PendingRequests pending(9);
  const uint64_t a = pending.NextTag();
  const uint64_t b = pending.NextTag();
  pending.Add(a, {.connection_id = 5, .method = Method::kOrderPlace, .req_id = 1});
  pending.Add(b, {.connection_id = 5, .method = Method::kOrderCancel, .req_id = 2});
  CHECK(pending.CountOf(5) == 2);
  CHECK(pending.CountOf(6) == 0);
  CHECK(pending.Find(a)->method == Method::kOrderPlace);
  CHECK(pending.Find(a + 77) == nullptr);
  CHECK(pending.Take(a)->req_id == 1);
  CHECK_FALSE(pending.Take(a).has_value());
  CHECK(pending.CountOf(5) == 1);
  pending.ForgetConnection(5);
  CHECK(pending.CountOf(5) == 0);
  CHECK(pending.Take(b).has_value());  // the command was sent all the same
  CHECK(pending.size() == 0);
}

TEST_CASE("Only what is still open is overdue") {
  PendingRequests pending(9);
  const uint64_t a = pending.NextTag();
  const uint64_t b = pending.NextTag();
  for (const uint64_t tag : {a, b}) {
    pending.Add(tag, {.connection_id = 5});
    pending.AddDeadline(tag, tag == a ? 100 : 200);
  }
  CHECK_FALSE(pending.NextOverdue(99).has_value());
  pending.Take(a);
  CHECK_FALSE(pending.NextOverdue(199).has_value());
  CHECK(pending.NextOverdue(200) == b);
  CHECK_FALSE(pending.NextOverdue(300).has_value());
}

}  // namespace warpbook::gateway
