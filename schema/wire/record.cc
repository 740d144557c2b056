#include "schema/wire/record.h"

#include <algorithm>
#include <array>

namespace warpbook::wire {

namespace {

constexpr size_t kFirstRoom = 4'096;

constexpr size_t kTypeNumbers = std::max({
#define WARPBOOK_X(name, number) size_t{number},
                                    WARPBOOK_COMMANDS(WARPBOOK_X) WARPBOOK_EVENTS(WARPBOOK_X)
#undef WARPBOOK_X
                                }) +
                                1;
// By type number: a replay asks for every record.
constexpr std::array<uint8_t, kTypeNumbers> kSizes = [] {
  std::array<uint8_t, kTypeNumbers> sizes{};
#define WARPBOOK_X(name, number) sizes[number] = sizeof(name);
  WARPBOOK_COMMANDS(WARPBOOK_X)
  WARPBOOK_EVENTS(WARPBOOK_X)
#undef WARPBOOK_X
  return sizes;
}();
static_assert(kMaxCommandSize <= UINT8_MAX && kMaxEventSize <= UINT8_MAX);

}  // namespace

void RecordWriter::MakeRoom(size_t size) {
  const size_t used = this->size();
  bytes_.resize(std::max({kFirstRoom, 2 * bytes_.size(), used + size}));
  end_ = bytes_.data() + used;
  limit_ = bytes_.data() + bytes_.size();
}

size_t RecordSize(RecordType type) {
  const auto number = static_cast<size_t>(type);
  return number < kSizes.size() ? kSizes[number] : 0;
}

std::string_view RecordName(RecordType type) {
  switch (type) {
#define WARPBOOK_X(name, number) \
  case RecordType::k##name:      \
    return #name;
    WARPBOOK_COMMANDS(WARPBOOK_X)
    WARPBOOK_EVENTS(WARPBOOK_X)
#undef WARPBOOK_X
    case RecordType::kNone:
      return "unknown";
  }
  return "unknown";
}

bool ValidateRecords(std::span<const std::byte> bytes, RecordFault* fault) {
  size_t offset = 0;
  while (offset < bytes.size()) {
    RecordHeader header;
    if (bytes.size() - offset < sizeof header) {
      *fault = {offset, "a record header is cut short"};
      return false;
    }
    std::memcpy(&header, bytes.data() + offset, sizeof header);
    const size_t size = RecordSize(static_cast<RecordType>(header.type));
    if (size == 0) {
      *fault = {offset, "a record is of an unknown type"};
      return false;
    }
    if (header.size != size) {
      *fault = {offset, "a record's size is not its type's"};
      return false;
    }
    if (bytes.size() - offset - sizeof header < size) {
      *fault = {offset, "a record is cut short"};
      return false;
    }
    offset += sizeof header + size;
  }
  return true;
}

}  // namespace warpbook::wire
