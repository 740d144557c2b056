// A gateway that starts from what recovery replayed says the same as one that saw it happen.
#include <doctest/doctest.h>

#include <string>

#include "tests/gateway/support/picture.h"
#include "tests/gateway/support/test_gateway.h"

namespace warpbook::gateway {
namespace {

std::string Order(const char* side, const char* price, int gpus, const std::string& extra = "") {
  return R"({"symbol":")" + std::string(kTestSymbol) + R"(","side":")" + side +
         R"(","order_type":"limit","price":")" + price + R"(","gpus":)" + std::to_string(gpus) +
         extra + "}";
}

}  // namespace

TEST_CASE("State built by replay equals state built live, and old tags answer nobody") {
  TestGateway gateway;
  AccountId buyer_id, seller_id;
  TestPeer& buyer = gateway.Member(&buyer_id);
  TestPeer& seller = gateway.Member(&seller_id);
  gateway.Fund(buyer, buyer_id, 1'000 * kCreditsPerUsd);
  const std::string node = gateway.ApprovedNode(seller, seller_id, Ed25519PrivateKey::Generate());
  CHECK(gateway.ReasonOf(seller, "order.place",
                         Order("sell", "2.50", 6, R"(,"node":")" + node + "\"")) == 0);
  CHECK(gateway.ReasonOf(buyer, "order.place", Order("buy", "2.50", 4)) == 0);
  CHECK(gateway.ReasonOf(buyer, "order.place", Order("buy", "2.40", 4)) == 0);

  const ManualClock clock(1);
  // Even with the same prefix: only what this process has sent is waited for.
  Publisher replayed(gateway.exchange.catalogue(), clock);
  TestPeer listener(1, false, gateway.limits.client);
  replayed.AddConnection(1, listener);
  for (const auto& batch : gateway.exchange.History()) replayed.Publish(*batch);
  CHECK(listener.messages.empty());
  CHECK(replayed.last_sequence() == gateway.publisher.last_sequence());
  for (const AccountId account : {buyer_id, seller_id}) {
    CHECK(PictureOf(replayed.state(), account) == PictureOf(gateway.publisher.state(), account));
  }
  CHECK(PublicPictureOf(replayed.state()) == PublicPictureOf(gateway.publisher.state()));
  CHECK(PictureOf(replayed.state(), buyer_id).find(R"("state":"reserved")") != std::string::npos);
}

}  // namespace warpbook::gateway
