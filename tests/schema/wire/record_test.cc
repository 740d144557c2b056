#include "schema/wire/record.h"

#include <doctest/doctest.h>

#include <random>
#include <string>
#include <vector>

#include "tests/support/dies.h"

namespace warpbook::wire {
namespace {

RecordHeader HeaderAt(const std::vector<std::byte>& bytes, size_t offset) {
  RecordHeader header;
  std::memcpy(&header, bytes.data() + offset, sizeof header);
  return header;
}

void SetHeaderAt(std::vector<std::byte>& bytes, size_t offset, const RecordHeader& header) {
  std::memcpy(bytes.data() + offset, &header, sizeof header);
}

// A buffer of one Tick, one PlaceOrder and one CommandAccepted.
std::vector<std::byte> ThreeRecords() {
  RecordWriter writer;
  writer.Append(Tick(), 0);
  PlaceOrder order;
  order.mutate_gpus(8);
  writer.Append(order, 1);
  writer.Append(CommandAccepted(), 1);
  return writer.Take();
}
constexpr size_t kSecond = sizeof(RecordHeader) + sizeof(Tick);
constexpr size_t kThird = kSecond + sizeof(RecordHeader) + sizeof(PlaceOrder);

std::string FaultOf(std::span<const std::byte> bytes) {
  RecordFault fault{};
  if (ValidateRecords(bytes, &fault)) return "no fault";
  return std::to_string(fault.offset) + ": " + std::string(fault.what);
}

TEST_CASE("Whole records of known types are valid, none of them too") {
  CHECK(FaultOf({}) == "no fault");
  CHECK(FaultOf(ThreeRecords()) == "no fault");
}

TEST_CASE("Every cut inside a record is a fault at that record") {
  const std::vector<std::byte> bytes = ThreeRecords();
  for (size_t length = 0; length <= bytes.size(); ++length) {
    size_t begin = 0;
    for (const size_t start : {kSecond, kThird, bytes.size()}) {
      if (start <= length) begin = start;
    }
    std::string expected = "no fault";
    if (begin != length) {
      const bool has_header = length - begin >= sizeof(RecordHeader);
      expected = std::to_string(begin) +
                 (has_header ? ": a record is cut short" : ": a record header is cut short");
    }
    CAPTURE(length);
    CHECK(FaultOf(std::span(bytes).first(length)) == expected);
  }
}

TEST_CASE("A record of an unknown type or of another size is a fault at that record") {
  const std::vector<std::byte> good = ThreeRecords();
  for (int type = 0; type <= 0xffff; ++type) {
    std::vector<std::byte> bytes = good;
    RecordHeader header = HeaderAt(bytes, kSecond);
    header.type = static_cast<uint16_t>(type);
    SetHeaderAt(bytes, kSecond, header);
    const size_t size = RecordSize(static_cast<RecordType>(type));
    std::string expected = "no fault";
    if (size == 0) {
      expected = std::to_string(kSecond) + ": a record is of an unknown type";
    } else if (size != sizeof(PlaceOrder)) {
      expected = std::to_string(kSecond) + ": a record's size is not its type's";
    }
    const bool agrees = FaultOf(bytes) == expected;
    CAPTURE(type);
    if (!agrees) CHECK(agrees);
  }
  for (int size = 0; size <= 0xffff; ++size) {
    std::vector<std::byte> bytes = good;
    RecordHeader header = HeaderAt(bytes, kSecond);
    header.size = static_cast<uint16_t>(size);
    SetHeaderAt(bytes, kSecond, header);
    const bool agrees = (FaultOf(bytes) == "no fault") == (size == sizeof(PlaceOrder));
    CAPTURE(size);
    if (!agrees) CHECK(agrees);
  }
}

TEST_CASE("Random bytes are judged without harm") {
  std::mt19937_64 random(1);
  for (int i = 0; i < 20'000; ++i) {
    std::vector<std::byte> bytes = ThreeRecords();
    for (int flips = 1 + static_cast<int>(random() % 8); flips > 0; --flips) {
      bytes[random() % bytes.size()] ^= static_cast<std::byte>(1 << random() % 8);
    }
    RecordFault fault{};
    if (!ValidateRecords(bytes, &fault)) continue;
    size_t total = 0;
    for (const RecordView record : Records(bytes)) total += record.total_size();
    CHECK(total == bytes.size());
  }
}

TEST_CASE("Records are walked in order with their types, indices and contents") {
  const std::vector<std::byte> bytes = ThreeRecords();
  std::vector<RecordType> types;
  std::vector<uint32_t> indices;
  for (const RecordView record : Records(bytes)) {
    types.push_back(record.type());
    indices.push_back(record.command_index());
    if (record.type() == RecordType::kPlaceOrder) CHECK(record.as<PlaceOrder>().gpus() == 8);
  }
  CHECK(types ==
        std::vector{RecordType::kTick, RecordType::kPlaceOrder, RecordType::kCommandAccepted});
  CHECK(indices == std::vector<uint32_t>{0, 1, 1});
}

TEST_CASE("A record read as another type, or a command as an event, is a bug") {
  const std::vector<std::byte> bytes = ThreeRecords();
  const RecordView tick(bytes.data());
  const RecordView accepted(bytes.data() + kThird);
  CHECK(test::Dies([&] { tick.as<PlaceOrder>(); }).has_value());
  CHECK(test::Dies([&] { tick.event_header(); }).has_value());
  CHECK(test::Dies([&] { accepted.command_header(); }).has_value());
  CHECK(test::Dies([&] { CommandRecord{accepted}; }).has_value());
  CHECK_FALSE(test::Dies([&] { CommandRecord{tick}; }).has_value());
}

TEST_CASE("A command record carries its command, and its header can be stamped") {
  PlaceOrder order;
  order.mutate_gpus(3);
  CommandRecord record(order);
  record.mutable_header().mutate_sequence(77);
  CHECK(record.view().type() == RecordType::kPlaceOrder);
  CHECK(record.view().command_header().sequence() == 77);
  CHECK(record.view().as<PlaceOrder>().gpus() == 3);
  const CommandRecord copy(record.view());
  CHECK(copy.view().as<PlaceOrder>().header().sequence() == 77);
}

TEST_CASE("A writer copies a record with a new command index, and starts anew when it is taken") {
  const std::vector<std::byte> bytes = ThreeRecords();
  RecordWriter writer;
  writer.Append(RecordView(bytes.data() + kSecond), 9);
  CHECK(RecordView(writer.bytes().data()).command_index() == 9);
  CHECK(RecordView(writer.bytes().data()).as<PlaceOrder>().gpus() == 8);
  writer.Add<Tick>(10).mutate_checkpoint(2);
  CHECK(writer.size() == 2 * sizeof(RecordHeader) + sizeof(PlaceOrder) + sizeof(Tick));
  const std::vector<std::byte> taken = writer.Take();
  CHECK(writer.size() == 0);
  const size_t second = sizeof(RecordHeader) + sizeof(PlaceOrder);
  CHECK(RecordView(taken.data() + second).as<Tick>().checkpoint() == 2);
}

TEST_CASE("Every type has its struct's size and name, other numbers have none") {
  size_t known = 0;
  for (int type = 0; type <= 0xffff; ++type) {
    const bool has_size = RecordSize(static_cast<RecordType>(type)) > 0;
    const bool has_name = RecordName(static_cast<RecordType>(type)) != "unknown";
    if (has_size != has_name) CHECK(has_size == has_name);
    known += has_size;
  }
#define WARPBOOK_X(name, number)                          \
  CHECK(RecordSize(RecordType::k##name) == sizeof(name)); \
  CHECK(RecordName(RecordType::k##name) == #name);        \
  --known;
  WARPBOOK_COMMANDS(WARPBOOK_X)
  WARPBOOK_EVENTS(WARPBOOK_X)
#undef WARPBOOK_X
  CHECK(known == 0);
}

}  // namespace
}  // namespace warpbook::wire
