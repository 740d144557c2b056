#include "gateway/protocol/reply_writer.h"

#include <doctest/doctest.h>

#include <string>

#include "tests/gateway/support/json_text.h"

namespace warpbook::gateway {

namespace {

std::string ErrorText(const ReplyHead& head, const Refusal& refusal) {
  std::string text;
  MessageWriter out(Encoding::kJson, text);
  WriteError(out, head, refusal, RequestOutcome::kRejected);
  return text;
}

}  // namespace

TEST_CASE("An error says what, why, where, and what came of it") {
  const ReplyHead head{
      .method = "order.place", .req_id = 7, .sequence = 12, .time_in_us = 100, .time_out_us = 200};
  const std::string text =
      ErrorText(head, EngineRefusal(RejectReason::kInsufficientCredits, 1'200));
  CHECK(
      text ==
      R"({"method":"order.place","req_id":7,"success":false,"error":{"code":"insufficient_credits",)"
      R"("number":2106,"message":"The account's free credits do not cover the order.",)"
      R"("data":{"param":"","reason":"1200","retry_after_us":0},"outcome":"rejected"},)"
      R"("seq":12,"time_in":100,"time_out":200})");
}

TEST_CASE("What could not be read is left out of the answer") {
  const std::string text = ErrorText({}, {.reason = RejectReason::kMalformedJson});
  CHECK_FALSE(Has(text, "/method"));
  CHECK_FALSE(Has(text, "/req_id"));
  CHECK_FALSE(Has(text, "/seq"));
  CHECK(At(text, "/error/code") == "malformed_json");
}

TEST_CASE("Every reason of the engine that is about one field names it") {
  for (const RejectReasonInfo& info : AllRejectReasons()) {
    const Refusal refusal = EngineRefusal(info.reason, 0);
    CHECK(refusal.reason == info.reason);
    CHECK(refusal.detail.empty());
  }
  CHECK(EngineRefusal(RejectReason::kPriceOffTick, 0).param == "price");
  CHECK(EngineRefusal(RejectReason::kUnknownOrder, 0).param == "order_id");
  CHECK(EngineRefusal(RejectReason::kNumberGap, 5).param == "number");
  CHECK(EngineRefusal(RejectReason::kNumberGap, 5).detail == "5");
}

}  // namespace warpbook::gateway
