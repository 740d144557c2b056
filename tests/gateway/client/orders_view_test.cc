#include "gateway/client/orders_view.h"

#include <doctest/doctest.h>

#include <string>

#include "schema/types/decimal.h"

namespace warpbook::gateway {
namespace {

// Checksums are those of Python's zlib.crc32; here of "1274" + "12516" + "1248": 2.54 is 127 ticks
// of 0.02.
constexpr const char* kSnapshot =
    R"({"channel":"orders","type":"snapshot","symbol":"S","seq":10,"ts":1,"data":{"bids":[)"
    R"({"order_id":"3","price":"2.50","gpus":6,"tier":"premium","min_fill":2},)"
    R"({"order_id":"1","price":"2.50","gpus":10,"tier":"economy"},)"
    R"({"order_id":"2","price":"2.48","gpus":8,"tier":"premium","min_assurance":"verified"}],)"
    R"("asks":[{"order_id":"4","price":"2.54","gpus":4,"assurance":"listed"}]},)"
    R"("checksum":1412354167})";

JsonValue Parse(const std::string& text) {
  const absl::StatusOr<JsonValue> value = JsonValue::Parse(text);
  REQUIRE(value.ok());
  return *value;
}

JsonValue Update(const std::string& bids, const std::string& checksum, int sequence = 11) {
  return Parse(R"({"type":"update","seq":)" + std::to_string(sequence) + R"(,"prev_seq":)" +
               std::to_string(sequence - 1) + R"(,"data":{"bids":[)" + bids +
               R"(],"asks":[]},"checksum":)" + checksum + "}");
}

OrdersView View() {
  OrdersView view(*ParsePrice("0.02"));
  REQUIRE(view.Apply(Parse(kSnapshot)).ok());
  return view;
}

std::string Ids(const OrdersView& view, Side side) {
  std::string ids;
  for (const OrdersView::Order* order : view.Queue(side)) {
    ids += std::to_string(order->id.value()) + " ";
  }
  return ids;
}

}  // namespace

TEST_CASE("Orders stand by price, then tier, then as they came") {
  OrdersView view = View();
  CHECK(Ids(view, Side::kBuy) == "3 1 2 ");
  CHECK(view.Find(OrderId(3))->min_fill == Quantity(2));
  CHECK(view.Find(OrderId(2))->min_assurance == Assurance::kVerified);
  // Two join the level of 2.50, one leaves that of 2.48: "1274" + "12523".
  REQUIRE(view.Apply(Update(R"({"event":"remove","order_id":"2"},)"
                            R"({"event":"change","order_id":"1","price":"2.50","gpus":9,)"
                            R"("kept_priority":true},)"
                            R"({"event":"add","order_id":"5","price":"2.50","gpus":1,)"
                            R"("tier":"economy"},)"
                            R"({"event":"add","order_id":"6","price":"2.50","gpus":7,)"
                            R"("tier":"standard"})",
                            "1558706520"))
              .ok());
  CHECK(Ids(view, Side::kBuy) == "3 6 1 5 ");
  CHECK(view.Find(OrderId(1))->gpus == Quantity(9));
  // One that loses its priority is the last of its queue.
  REQUIRE(view.Apply(Update(R"({"event":"change","order_id":"1","price":"2.50","gpus":9,)"
                            R"("kept_priority":false})",
                            "1558706520", 12))
              .ok());
  CHECK(Ids(view, Side::kBuy) == "3 6 5 1 ");
  CHECK(Ids(view, Side::kSell) == "4 ");
  CHECK(view.sequence() == 12);
}

TEST_CASE("What was missed, differs or does not fit is DataLoss, until the next snapshot") {
  OrdersView missed = View();
  CHECK(absl::IsDataLoss(missed.Apply(Update("", "1412354167", 12))));
  CHECK(absl::IsDataLoss(missed.Apply(Update("", "1412354167", 11))));
  CHECK(missed.Apply(Parse(kSnapshot)).ok());
  OrdersView differs = View();
  CHECK(absl::IsDataLoss(differs.Apply(Update("", "1"))));
  OrdersView gone = View();
  CHECK(absl::IsDataLoss(gone.Apply(Update(R"({"event":"remove","order_id":"9"})", "1412354167"))));
}

TEST_CASE("A message that is none of orders is refused") {
  OrdersView view = View();
  CHECK(absl::IsInvalidArgument(view.Apply(Parse(R"({"type":"closed"})"))));
  for (const std::string item :
       {R"({"event":"add","order_id":"9","price":"2.50","gpus":0,"tier":"economy"})",
        R"({"event":"add","order_id":"9","price":"2.50","gpus":1,"tier":"verified"})",
        R"({"event":"add","order_id":"0","price":"2.50","gpus":1,"tier":"economy"})",
        R"({"event":"change","order_id":"1","price":"2.48","gpus":1,"kept_priority":true})",
        R"({"event":"change","order_id":"1","price":"x","gpus":1})",
        R"({"event":"end","order_id":"1"})"}) {
    CAPTURE(item);
    OrdersView other = View();
    CHECK(absl::IsInvalidArgument(other.Apply(Update(item, "1412354167"))));
  }
}

}  // namespace warpbook::gateway
