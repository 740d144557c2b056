#include "schema/base/check.h"

#include <doctest/doctest.h>

#include "tests/support/dies.h"

namespace warpbook {
namespace {

TEST_CASE("A CHECK that fails names file, line and condition, and aborts") {
  const auto message = test::Dies([] { WARPBOOK_CHECK(1 + 1 == 3); });
  REQUIRE(message.has_value());
  CHECK(message->find("check_test.cc:") != std::string::npos);
  CHECK(message->find(": CHECK failed: 1 + 1 == 3\n") != std::string::npos);
}

TEST_CASE("A CHECK that holds evaluates its condition once and goes on") {
  int evaluated = 0;
  CHECK_FALSE(test::Dies([] { WARPBOOK_CHECK(true); }).has_value());
  WARPBOOK_CHECK(++evaluated == 1);
  CHECK(evaluated == 1);
}

TEST_CASE("A CHECK is one statement") {
  bool reached = false;
  if (reached)
    WARPBOOK_CHECK(false);
  else
    reached = true;
  CHECK(reached);
}

}  // namespace
}  // namespace warpbook
