#include "gateway/publish/pending_requests.h"

#include <doctest/doctest.h>

namespace warpbook::gateway {

TEST_CASE("A tag names its session, is never 0, and comes once") {
  PendingRequests pending;
  CHECK((pending.NextTag(0x1111) >> 32) == 0x1111);
  CHECK((pending.NextTag(0x2222) >> 32) == 0x2222);
  CHECK(pending.NextTag(0x1111) != pending.NextTag(0x1111));
}

TEST_CASE("It is known of a session whether orders are under way that would be its own") {
  PendingRequests pending;
  const uint64_t place = pending.NextTag(7), guard = pending.NextTag(7),
                 cancel = pending.NextTag(7);
  CHECK_FALSE(pending.HasOrderUnderWay(7));
  pending.Add(cancel, {.connection_id = 5, .method = Method::kOrderCancel});
  CHECK_FALSE(pending.HasOrderUnderWay(7));
  pending.Add(place, {.connection_id = 5, .method = Method::kOrderPlace});
  pending.Add(guard, {.connection_id = 5, .method = Method::kCancelOnDisconnect});
  CHECK(pending.HasOrderUnderWay(7));
  CHECK_FALSE(pending.HasOrderUnderWay(8));
  pending.Take(place);
  CHECK(pending.HasOrderUnderWay(7));
  pending.Take(guard);
  CHECK_FALSE(pending.HasOrderUnderWay(7));
}

TEST_CASE("A request is found by its tag until it is taken, and counted for its connection") {
  PendingRequests pending;
  const uint64_t a = pending.NextTag(9);
  const uint64_t b = pending.NextTag(9);
  pending.Add(a, {.connection_id = 5, .method = Method::kOrderPlace, .req_id = 1});
  pending.Add(b, {.connection_id = 5, .method = Method::kOrderCancel, .req_id = 2});
  CHECK(pending.CountOf(5) == 2);
  CHECK(pending.CountOf(6) == 0);
  CHECK(pending.Find(a)->method == Method::kOrderPlace);
  CHECK(pending.Find(a + 77) == nullptr);
  CHECK(pending.Take(a)->req_id == 1);
  CHECK_FALSE(pending.Take(a).has_value());
  CHECK(pending.CountOf(5) == 1);
  CHECK(pending.Take(b).has_value());
  CHECK(pending.CountOf(5) == 0);
  CHECK(pending.size() == 0);
}

TEST_CASE("Only what is still open is overdue") {
  PendingRequests pending;
  const uint64_t a = pending.NextTag(9);
  const uint64_t b = pending.NextTag(9);
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
