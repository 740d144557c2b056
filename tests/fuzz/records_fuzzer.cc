// Bytes that are judged to be records can be walked, to their very end; a fault lies inside them.
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

#include "schema/base/check.h"
#include "schema/wire/record.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace warpbook::wire;
  std::vector<uint64_t> aligned((size + 7) / 8);
  if (size > 0) std::memcpy(aligned.data(), data, size);
  const std::span<const std::byte> bytes = std::as_bytes(std::span(aligned)).first(size);
  RecordFault fault{};
  if (!ValidateRecords(bytes, &fault)) {
    WARPBOOK_CHECK(fault.offset < size && !fault.what.empty());
    return 0;
  }
  RecordWriter copy;
  for (const RecordView record : Records(bytes)) {
    WARPBOOK_CHECK(RecordName(record.type()) != "unknown");
    copy.Append(record, record.command_index());
  }
  WARPBOOK_CHECK(copy.size() == size);
  WARPBOOK_CHECK(size == 0 || std::memcmp(copy.bytes().data(), bytes.data(), size) == 0);
  return 0;
}
